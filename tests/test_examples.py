"""The examples of public docstrings: there is one for each public name, and it does what it says."""

import doctest
import inspect
import types
from pathlib import Path

import pytest

import vectable as vt
from vectable import insight, lab

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PLACES = {
    "vectable": (vt, vt.__all__),
    "vectable.insight": (insight, insight.__all__),
    "vectable.lab": (lab, [name for name in dir(lab) if not name.startswith("_")]),
    "vectable.datasets": (vt.datasets, ["cache_dir", "info", "load", "names"]),
    "vectable.callbacks": (vt.callbacks, ["TensorBoard", "MLflow"]),
}
NEEDS = {"MLflow": "mlflow", "TensorBoard": "tensorboard", "publish": "adbc_driver_sqlite"}
SLOW = {"vision_learner", "VisionLearner", "BayesLearner", "bayes_collab_learner", "compare"}


def public() -> dict[str, object]:
    """Functions and classes that a user may import, by their public names."""
    found = {}
    for place, (home, names) in PLACES.items():
        for name in names:
            one = getattr(home, name)
            if not isinstance(one, types.ModuleType) and callable(one):
                found[f"{place}.{name}"] = one
    return found


PUBLIC = public()


def as_parameter(name: str):
    return pytest.param(name, marks=[pytest.mark.slow] if name.rpartition(".")[2] in SLOW else [])


def test_every_public_name_has_an_example() -> None:
    assert len(PUBLIC) > 100
    without = [name for name, one in PUBLIC.items() if "\nExamples:\n" not in (inspect.getdoc(one) or "")]
    assert without == []


@pytest.mark.parametrize("name", [as_parameter(name) for name in PUBLIC])
@pytest.mark.filterwarnings("ignore::vectable.VectableWarning")
def test_the_example_does_what_it_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if needed := NEEDS.get(name.rpartition(".")[2]):
        pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    text = inspect.getdoc(PUBLIC[name])
    assert text is not None
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    said: list[str] = []
    done = doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append)
    assert done.attempted > 0
    assert done.failed == 0, "".join(said)
