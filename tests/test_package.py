"""The wheel and the source archive: built, complete, and working where nothing else of the project is."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SHIPPED = {
    "adult": {"LICENSE", "README.md", "adult.parquet"},
    "fashion": {"LICENSE", "README.md", "body.safetensors", "pictures.parquet"},
    "flights": {"LICENSE", "README.md", "airlines.parquet", "airports.parquet", "flights.parquet"},
    "goodbooks": {"LICENSE", "README.md", "books.parquet", "ratings.parquet"},
    "movietweetings": {"LICENSE", "README.md", "movies.parquet", "ratings.parquet"},
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(PROJECT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


def shipped_in(names: list[str]) -> dict[str, set[str]]:
    parts = [Path(name).parts for name in names]
    return {one: {p[-1] for p in parts if p[-3:-1] == ("shipped", one)} for one in SHIPPED}


def test_both_archives_hold_the_data_with_its_licences(built: Path) -> None:
    wheel, source = next(built.glob("*.whl")), next(built.glob("*.tar.gz"))
    in_wheel = zipfile.ZipFile(wheel).namelist()
    with tarfile.open(source) as archive:
        in_source = archive.getnames()
    assert shipped_in(in_wheel) == shipped_in(in_source) == SHIPPED
    assert "vectable/py.typed" in in_wheel
    assert any(name.endswith("licenses/LICENSE") for name in in_wheel)
    assert {Path(name).name for name in in_source} >= {
        "Makefile",
        "constraints.txt",
        "CHANGELOG.md",
        "test_package.py",
        "mkdocs.yml",
        "book.py",
    }
    assert not any("ml-100k" in name or "ml-1m" in name for name in in_wheel + in_source), "may not be shipped"


@pytest.mark.slow
def test_the_wheel_works_by_itself(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    program = (
        "import vectable as vt, pathlib; "
        "assert pathlib.Path(vt.__file__).is_relative_to(pathlib.Path('site').resolve()), vt.__file__; "
        "data = vt.datasets.load('movietweetings').to_data(); "
        "learn = vt.collab_learner(data, n_factors=4, progress=False).fit_one_cycle(1, 5e-3); "
        "print(len(learn.recommend(learn.data.user_ids.vocabulary[0], n=3)))"
    )
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split()[-1] == "3"
