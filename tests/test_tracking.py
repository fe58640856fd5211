"""TensorBoard and MLflow hear of training what the recorder notes; read back by the libraries themselves."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import vectable as vt
from vectable.errors import VectableError, VectableWarning


def learner(held_out: int = 30) -> vt.Learner:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 90)
    x = rng.normal(size=(90, 2)) + np.array([[0, 0], [3, 0], [0, 3]])[y]
    cut = 90 - held_out
    data = vt.TensorData.from_arrays(x[:cut], y[:cut], x[cut:], y[cut:], bs=20)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
    return vt.Learner(data, net, nn.CrossEntropyLoss(), metrics=["accuracy"], progress=False)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Step and value of every figure that TensorBoard finds."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reader.EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_tensorboard_reads_what_the_recorder_noted(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    learn = learner()
    logger = vt.callbacks.TensorBoard(tmp_path / "board", every=2)
    learn.lr_find(num_it=20, callbacks=[logger])
    learn.fit(2, 0.01, callbacks=[logger])
    learn.fit(1, 0.02, callbacks=[logger])
    found = scalars(tmp_path / "board")
    first, second = learn.recorder.runs
    losses = [*first.losses.tolist(), *second.losses.tolist()]
    steps = list(range(2, len(losses) + 1, 2))
    assert [step for step, _ in found["step_loss"]] == steps
    np.testing.assert_array_equal([value for _, value in found["step_loss"]], [losses[step - 1] for step in steps])
    rates = [*first.lrs[:, -1], *second.lrs[:, -1]]
    np.testing.assert_allclose([value for _, value in found["lr"]], [rates[step - 1] for step in steps], rtol=1e-6)
    rows = [*first.epochs, *second.epochs]
    for name in ("train_loss", "valid_loss", "accuracy", "seconds"):
        np.testing.assert_allclose([value for _, value in found[name]], [row[name] for row in rows], rtol=1e-6)
    assert [step for step, _ in found["valid_loss"]] == [3, 6, 9]


def test_figures_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    learner(held_out=0).fit(1, 0.01, callbacks=[vt.callbacks.TensorBoard(tmp_path)])
    found = scalars(tmp_path)
    assert "train_loss" in found
    assert "valid_loss" not in found


def mlflow_client(uri: str) -> Any:
    return pytest.importorskip("mlflow").MlflowClient(uri)


def test_mlflow_holds_figures_and_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "store").as_uri()
    client = mlflow_client(uri)
    learn = learner()
    learn.fit(2, 0.01, callbacks=[vt.callbacks.MLflow("toy", "first", tracking_uri=uri, every=1)])
    (run,) = client.search_runs([client.get_experiment_by_name("toy").experiment_id])
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert run.data.params["epochs"] == "2"
    assert run.data.params["seed"] == str(learn.session.options.seed)
    assert run.data.params["opt"] == learn.session.options.opt
    (noted,) = learn.recorder.runs
    history = client.get_metric_history(run.info.run_id, "step_loss")
    assert [(one.step, one.value) for one in history] == list(enumerate(map(float, noted.losses), start=1))
    assert run.data.metrics["valid_loss"] == noted.epochs[-1]["valid_loss"]


def test_a_store_that_fails_in_the_middle_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "store").as_uri()
    mlflow = pytest.importorskip("mlflow")

    def fails(*_: object, **__: object) -> None:
        raise mlflow.exceptions.MlflowException("The disk is full.")

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", fails)
    learn = learner()
    with pytest.warns(VectableWarning, match="MLflow takes no more figures of this fit: The disk is full"):
        learn.fit(2, 0.01, callbacks=[vt.callbacks.MLflow("toy", tracking_uri=uri)])
    assert len(learn.recorder.runs[0].epochs) == 2


@pytest.mark.parametrize(("name", "package"), [("TensorBoard", "tensorboard"), ("MLflow", "mlflow")])
def test_a_missing_library_is_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(VectableError, match=rf"needs {package}.*pip install 'vectable\[tracking\]'"):
        getattr(vt.callbacks, name)("here")


def test_steps_between_losses_are_checked() -> None:
    with pytest.raises(VectableError, match="every must be a positive integer; got 0"):
        vt.callbacks.TensorBoard("here", every=0)


def test_all_callbacks_are_in_one_place() -> None:
    assert vt.callbacks.EarlyStopping is vt.EarlyStopping
    assert vt.callbacks.CSVLogger is vt.CSVLogger
