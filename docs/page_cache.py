"""What a page computed last time, for as long as its code, the package and the libraries stay the same.

A page's output is kept in a folder of its own, `.cache/book/PAGE-KEY`: its text, and its pictures beside it.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / ".cache" / "book"
LIBRARIES = ["numpy", "polars", "torch", "numba", "matplotlib", "scikit-learn", "rich"]
NEEDED = re.compile(r"needs=(\w+)")
ANY_KEY = "[0-9a-f]" * 16

Output = tuple[str, dict[str, bytes]]


def kept(page: str, text: str, folder: Path = FOLDER) -> Output | None:
    """The text and pictures of a page that ran before and has not changed since; None where there are none.

    Args:
        page: its path below docs/.
        text: its source.
        folder: where outputs are kept.
    """
    place = folder / f"{_stem(page)}-{key_of(text)}"
    if not (place / "page.md").is_file():
        return None
    pictures = {
        one.name: one.read_bytes()
        for one in place.iterdir()
        if one.suffix not in {".md", ".seconds"}
    }
    return (place / "page.md").read_text(encoding="utf-8"), pictures


def last_seconds(page: str, text: str, folder: Path = FOLDER) -> float:
    """How long a page took last time, whatever has changed since; a guess by its length where it never ran."""
    for kept_one in folder.glob(f"{_stem(page)}-{ANY_KEY}/took.seconds"):
        return float(kept_one.read_text(encoding="utf-8"))
    return len(text) / 1000


def key_of(text: str) -> str:
    """Sixteen digits that change with the page, the package, what runs the pages, and the libraries."""
    needed = [
        f"{name}:{find_spec(name) is not None}"
        for name in sorted(set(NEEDED.findall(text)))
    ]
    read = _files_that_pages_read() if "PROJECT" in text else ""
    return hashlib.sha256(
        "\n".join([text, _surroundings(), read, *needed]).encode()
    ).hexdigest()[:16]


@cache
def _files_that_pages_read() -> str:
    """A digest of what pages read below PROJECT: the map of the house, the reference, stored results, tools."""
    digest = hashlib.sha256()
    for pattern in (
        "*.md",
        "benchmarks/*.md",
        "docs/**/*.json",
        "docs/reference/*.md",
        "tools/*.py",
    ):
        for source in sorted(PROJECT.glob(pattern)):
            digest.update(source.read_bytes())
    return digest.hexdigest()


@cache
def _surroundings() -> str:
    """A digest of everything but the page that its output depends on."""
    digest = hashlib.sha256(sys.version.encode())
    sources = [
        *(PROJECT / "src").rglob("*.py"),
        PROJECT / "docs" / "book.py",
        PROJECT / "docs" / "showing.py",
    ]
    data = [one for one in (PROJECT / "src").rglob("shipped/*") if one.is_file()]
    for source in sorted([*sources, *data]):
        digest.update(str(source.relative_to(PROJECT)).encode())
        digest.update(source.read_bytes())
    for name in LIBRARIES:
        try:
            digest.update(f"{name}=={version(name)}".encode())
        except PackageNotFoundError:
            digest.update(f"no {name}".encode())
    return digest.hexdigest()


def keep(
    page: str, text: str, output: Output, seconds: float, folder: Path = FOLDER
) -> None:
    """Write an output beside its place and move it there whole; outputs of the page as it was before are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{_stem(page)}-{ANY_KEY}"):
        shutil.rmtree(old)
    shown, pictures = output
    made = Path(tempfile.mkdtemp(dir=folder))
    (made / "page.md").write_text(shown, encoding="utf-8")
    (made / "took.seconds").write_text(f"{seconds:.2f}", encoding="utf-8")
    for name, content in pictures.items():
        (made / name).write_bytes(content)
    os.replace(made, folder / f"{_stem(page)}-{key_of(text)}")


def _stem(page: str) -> str:
    return page.removesuffix(".md").replace("/", "-")
