"""The table of renamed names in CHANGELOG.md holds every old name that the package still understands, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import vectable as vt

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "vectable"
MESSAGE = re.compile(r"(\w+) is now (?:called )?([\w.()\[\]]+);")


def names_in(call: ast.Call, function: str) -> Iterator[tuple[str, str]]:
    """The old and new names of a call to one of the functions of `vectable.deprecation`."""
    if function == "renamed_arguments":
        yield from ((one.arg, one.value.value) for one in call.keywords)
    elif function in {"renamed_method", "renamed_property", "renamed_hook"}:
        old, new = call.args
        yield old.value, new.value if isinstance(new, ast.Constant) else new.id
    elif function == "warn_renamed" and all(isinstance(one, ast.Constant) for one in call.args):
        yield tuple(one.value.rstrip("=") for one in call.args)
    elif function == "warn" and isinstance(call.args[0], ast.Constant) and (found := MESSAGE.match(call.args[0].value)):
        yield found.groups()


def renamed_in(file: Path) -> Iterator[tuple[str, str]]:
    """Every old and new name that a file knows: in tables called RENAMED or FORMER, decorators and warnings."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id.startswith(("RENAMED", "FORMER")):
                yield from ((old.value, new.value) for old, new in zip(node.value.keys, node.value.values, strict=True))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from names_in(node, node.func.id)


def table() -> set[tuple[str, str]]:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("### Renamed")[2].partition("###")[0]
    return set(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", text, flags=re.MULTILINE))


def test_the_changelog_lists_every_renamed_name():
    known = {pair for file in PACKAGE.rglob("*.py") for pair in renamed_in(file)}
    assert len(known) > 20
    assert table() == known


@pytest.mark.parametrize(
    ("old", "new"), sorted(pair for pair in table() if pair[1] in vt.__all__), ids=lambda name: name
)
def test_old_names_of_the_package_are_the_new_ones(old, new):
    with pytest.warns(DeprecationWarning, match=f"{old} is now called {new}"):
        assert getattr(vt, old) is getattr(vt, new)
