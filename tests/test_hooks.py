"""Whoever listens to training hears of every fit, step and epoch, by today's names and by the former ones."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import vectable as vt
from vectable.models.ensemble import Ensemble


def toy(rows: int = 90) -> vt.TensorData:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, rows)
    x = rng.normal(size=(rows, 2)) + np.array([[0, 0], [3, 0], [0, 3]])[y]
    return vt.TensorData.from_arrays(x[:-30], y[:-30], x[-30:], y[-30:], bs=20)


def net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))


def learner(**options: Any) -> vt.Learner:
    how: dict[str, Any] = {"model": net(), "loss_func": nn.CrossEntropyLoss(), "metrics": ["accuracy"], **options}
    return vt.Learner(toy(), progress=False, **how)


class Listener(vt.Callback):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def on_fit_start(self, session: Any, model: Any) -> None:
        self.heard.append(("start", session.plan.purpose, session.plan.n_epochs, session.plan.n_steps))

    def on_step_end(self, session: Any, model: Any, losses: Any) -> None:
        at = session.position
        self.heard.append(("step", at.member, at.epoch, at.step, len(losses)))

    def on_epoch_end(self, session: Any, model: Any, row: dict[str, float]) -> None:
        assert set(row) == {"epoch", "train_loss", "valid_loss", "accuracy", "seconds"}
        assert session.recorder.runs[-1].epochs[-1] is row
        self.heard.append(("epoch", session.position.member, row["epoch"]))

    def on_fit_end(self, session: Any, model: Any) -> None:
        self.heard.append(("end", session.position.member))

    def on_message(self, session: Any, message: str) -> None:
        self.heard.append(("message", message.partition(" ")[0]))


def test_every_event_of_a_fit_is_heard_in_order() -> None:
    listener = Listener()
    learner().fit(2, 0.01, callbacks=[listener])
    assert listener.heard == [
        ("start", "fit", 2, 6),
        *(("step", 0, 0, step, 1) for step in (1, 2, 3)),
        ("epoch", 0, 0),
        *(("step", 0, 1, step, 1) for step in (1, 2, 3)),
        ("epoch", 0, 1),
        ("end", 0),
    ]


def test_the_members_of_an_ensemble_are_heard_one_after_the_other() -> None:
    listener = Listener()
    learner(model=Ensemble([net(0), net(1)], logits=True)).fit(1, 0.01, callbacks=[listener])
    assert [one[:2] for one in listener.heard if one[0] in ("start", "epoch", "end")] == [
        ("start", "fit"), ("epoch", 0), ("end", 0), ("start", "fit"), ("epoch", 1), ("end", 1)
    ]  # fmt: skip


def test_the_fast_engine_is_heard_too() -> None:
    pairs = {"user": [u for u in range(9) for _ in range(9)], "item": list(range(9)) * 9}
    data = vt.RatingsData.from_df(pl.DataFrame({**pairs, "rating": [1.0, 5.0, 3.0] * 27}), batch_size=8)
    heard = Listener()
    heard.on_epoch_end = lambda *_: None  # type: ignore[method-assign]
    vt.collab_learner(data, 4, progress=False).fit(1, 1e-2, callbacks=[heard])
    steps = [one for one in heard.heard if one[0] == "step"]
    assert steps[-1][3] == data.n_steps
    assert sum(one[4] for one in steps) == data.n_steps


def test_the_finder_reports_its_steps_the_same_way() -> None:
    listener, learn = Listener(), learner(callbacks=[Listener()])
    found = learn.lr_find(num_it=30, callbacks=[listener])
    assert listener.heard[0] == ("start", "lr_find", 1, 30)
    assert [one[0] for one in listener.heard[1:-1]] == ["step"] * len(found.lrs)
    assert [one[3] for one in listener.heard[1:-1]] == list(range(1, len(found.lrs) + 1))
    assert listener.heard[-1] == ("end", 0)
    assert learn.callbacks[0].heard == [], "a fit's callbacks are not called"  # type: ignore[attr-defined]


class StopAt(vt.Callback):
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step_end(self, session: Any, model: Any, losses: Any) -> bool:
        self.steps -= len(losses)
        return self.steps <= 0


def test_a_step_may_end_the_fit_and_what_was_trained_is_kept() -> None:
    listener, learn = Listener(), learner()
    before = net()[0].weight  # type: ignore[index]
    learn.fit(5, 0.01, callbacks=[StopAt(4), listener])
    assert learn.recorder.interrupted
    assert len(learn.recorder.losses) == 4
    assert not torch.equal(learn.model[0].weight, before)
    assert listener.heard[-2:] == [("message", "Interrupted"), ("end", 0)]


def test_an_epoch_may_end_the_fit() -> None:
    class Enough(vt.Callback):
        def on_epoch_end(self, session: Any, model: Any, row: dict[str, float]) -> bool:
            return row["epoch"] == 1

    learn = learner()
    learn.fit(5, 0.01, callbacks=[Enough()])
    assert len(learn.recorder.runs[-1].epochs) == 2
    assert not learn.recorder.interrupted


# ---------------------------------------------------------------- former names


class Former(vt.Callback):
    """Written for the release before."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def run_started(self, learn: Any, model: Any) -> None:
        self.heard.append(("started", learn))

    def epoch_ended(self, learn: Any, model: Any, row: dict[str, float]) -> bool:
        self.heard.append(("epoch", learn))
        return row["epoch"] == 1

    def run_ended(self, learn: Any, model: Any) -> None:
        self.heard.append(("ended", learn))


def test_a_callback_with_the_former_names_works_and_is_warned_of() -> None:
    former, learn = Former(), learner()
    with pytest.warns(DeprecationWarning, match="is now called") as caught:
        learn.fit(5, 0.01, callbacks=[former])
    assert [str(one.message).partition(";")[0] for one in caught] == [
        "Former.run_started is now called on_fit_start",
        "Former.epoch_ended is now called on_epoch_end",
        "Former.run_ended is now called on_fit_end",
    ]
    assert caught[0].filename == __file__
    assert former.heard == [("started", learn), ("epoch", learn), ("epoch", learn), ("ended", learn)]


def test_a_callback_of_ours_extended_by_the_former_names_still_does_its_work(tmp_path: Path) -> None:
    class Best(vt.RestoreBest):
        epochs = 0

        def epoch_ended(self, learn: Any, model: Any, row: dict[str, float]) -> bool:
            self.epochs += 1
            return bool(super().epoch_ended(learn, model, row))

    best, learn = Best(), learner(opt="sgd")
    with pytest.warns(DeprecationWarning, match="epoch_ended"):
        learn.fit(6, 3.0, callbacks=[best], checkpoint=tmp_path)
    assert best.epochs == 6
    lowest = min(row["valid_loss"] for row in learn.recorder.runs[-1].epochs)
    assert learn.validate()["valid_loss"] == pytest.approx(lowest, abs=1e-6)


def test_former_names_of_callbacks_errors_and_arguments(tmp_path: Path) -> None:
    for old, new in {"KeepBest": "RestoreBest", "CSVLog": "CSVLogger", "TrainingStopped": "NonFiniteLossError"}.items():
        with pytest.warns(DeprecationWarning, match=f"{old} is now called {new}"):
            assert getattr(vt, old) is getattr(vt, new)
    learn = learner()
    with pytest.warns(DeprecationWarning, match="n_epoch is now called n_epochs"):
        learn.fit(n_epoch=2, lr=0.01)
    with pytest.warns(DeprecationWarning, match="n_epoch is now called n_epochs"):
        learn.fit_one_cycle(n_epoch=1)
    assert learn.epochs_done == 3
    with pytest.warns(DeprecationWarning, match="better= is now called mode="):
        highest = vt.RestoreBest("f1", better="higher")
    assert highest.sign == vt.RestoreBest("f1", mode="max").sign == vt.RestoreBest("accuracy").sign
    with pytest.warns(DeprecationWarning, match="mode='min'"):
        vt.EarlyStopping("f1", 2, "lower")
    with pytest.raises(vt.VectableError, match="mode must be 'min' or 'max'; got 'best'"):
        vt.RestoreBest(mode="best")
