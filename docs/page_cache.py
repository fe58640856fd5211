"""What a page computed last time, for as long as its code, the package and the libraries stay the same.

A page's output is kept in a folder of its own, `.cache/book/PAGE-KEY`: its text, and its pictures beside it.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / ".cache" / "book"
LIBRARIES = ["numpy", "polars", "torch", "numba", "matplotlib", "scikit-learn", "rich"]
NEEDED = re.compile(r"needs=(\w+)")

Output = tuple[str, dict[str, bytes]]


def kept_or_run(
    page: str, text: str, run: Callable[[], Output], folder: Path = FOLDER
) -> tuple[Output, bool]:
    """The text and pictures of a page, and whether they were kept from an earlier time.

    Args:
        page: its path below docs/.
        text: its source.
        run: computes the output.
        folder: where outputs are kept.
    """
    stem = page.removesuffix(".md").replace("/", "-")
    place = folder / f"{stem}-{key_of(text)}"
    if (place / "page.md").is_file():
        pictures = {
            one.name: one.read_bytes()
            for one in place.iterdir()
            if one.name != "page.md"
        }
        return ((place / "page.md").read_text(encoding="utf-8"), pictures), True
    output = run()
    _keep(output, place, stem)
    return output, False


def key_of(text: str) -> str:
    """Sixteen digits that change with the page, the package, what runs the pages, and the libraries."""
    needed = [
        f"{name}:{find_spec(name) is not None}"
        for name in sorted(set(NEEDED.findall(text)))
    ]
    return hashlib.sha256(
        "\n".join([text, _surroundings(), *needed]).encode()
    ).hexdigest()[:16]


@cache
def _surroundings() -> str:
    """A digest of everything but the page that its output depends on."""
    digest = hashlib.sha256(sys.version.encode())
    sources = [
        *(PROJECT / "src").rglob("*.py"),
        PROJECT / "docs" / "book.py",
        PROJECT / "README.md",
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


def _keep(output: Output, place: Path, stem: str) -> None:
    """Write an output beside its place and move it there whole; outputs of the page as it was before are removed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for old in place.parent.glob(f"{stem}-{'[0-9a-f]' * 16}"):
        shutil.rmtree(old)
    text, pictures = output
    made = Path(tempfile.mkdtemp(dir=place.parent))
    (made / "page.md").write_text(text, encoding="utf-8")
    for name, content in pictures.items():
        (made / name).write_bytes(content)
    os.replace(made, place)
