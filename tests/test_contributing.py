"""The tables of CONTRIBUTING.md: files that exist, counted right, and every large class with its reason."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "vectable"
MOST_METHODS = 12


def table_under(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of CONTRIBUTING.md, without its head."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition(f"## {heading}")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def large_classes() -> dict[tuple[str, str], str]:
    """The docstring of each class with many public methods and properties, by name and file."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
                if sum(not name.startswith("_") for name in names) > MOST_METHODS:
                    docstring = " ".join((ast.get_docstring(node) or "").split())
                    found[node.name, file.relative_to(PACKAGE).as_posix()] = docstring
    return found


CHANGES = table_under("Twenty changes")


def test_there_are_twenty_changes():
    assert len(CHANGES) == 20


@pytest.mark.parametrize("row", CHANGES, ids=[row[0] for row in CHANGES])
def test_the_files_of_a_change_exist_and_are_counted(row):
    _, files, number, _ = row
    named = re.findall(r"`([a-z_/]+(?:\.py|/))`", files)
    assert len(named) == int(number)
    assert [name for name in named if not (PACKAGE / name).exists()] == []


def test_large_classes_are_listed_and_say_why():
    found = large_classes()
    assert {(row[0].strip("`"), row[1].strip("`")) for row in table_under("The largest classes")} == set(found)
    for (name, _), docstring in found.items():
        assert "more than a dozen methods" in docstring, name
        assert "because" in docstring, name


def test_the_files_that_the_map_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Where to change what")[2]
    named = set(re.findall(r"`([a-z_]+/[a-z_/]*[a-z_]+\.py)`", text.partition("## Twenty changes")[0]))
    roots = (PACKAGE, ROOT)
    assert named
    assert sorted(name for name in named if not any((root / name).exists() for root in roots)) == []
