"""The public names: each found, none twice, and nothing heavy imported before one is asked for."""

import subprocess
import sys

import pytest

import vectable as vt
from vectable.public_names import PublicNames


@pytest.mark.parametrize("package", [vt, vt.insight], ids=["vectable", "vectable.insight"])
def test_every_public_name_is_found_once(package):
    assert len(set(package.__all__)) == len(package.__all__) > 3
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = package.no_such_name


def test_names_of_classes_functions_and_modules_are_their_own():
    from vectable.data.sets import catalogue
    from vectable.ratings.collab import collab_learner

    assert vt.collab_learner is collab_learner
    assert vt.datasets is catalogue
    assert vt.lab is sys.modules["vectable.lab"]
    assert set(dir(vt)) == set(vt.__all__) >= {"collab_learner", "datasets", "lab", "__version__"}


def test_importing_the_package_imports_no_other_library():
    program = "import sys; before = set(sys.modules); import vectable; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert [name for name in loaded if name.partition(".")[0] == "vectable"] == [
        "vectable",
        "vectable._version",
        "vectable.public_names",
    ]
    assert not {name.partition(".")[0] for name in loaded} - {"vectable"} - sys.stdlib_module_names
    assert len(loaded) < 20


def test_what_is_imported_without_a_new_name_is_not_public(tmp_path):
    (tmp_path / "__init__.pyi").write_text('"""A stub."""\nfrom math import pi, tau as tau\nhalf_turn = pi\n')
    names = PublicNames("somewhere", str(tmp_path / "__init__.py"))
    assert names.names == ("tau", "half_turn")
    assert names.find("half_turn") == pytest.approx(3.14159265)


def test_a_stub_with_more_than_names_is_refused(tmp_path):
    (tmp_path / "__init__.pyi").write_text('"""A stub."""\ndef pi() -> float: ...\n')
    with pytest.raises(ValueError, match=r"__init__\.pyi, line 2: a list of public names holds imports and new names"):
        PublicNames("somewhere", str(tmp_path / "__init__.py"))
