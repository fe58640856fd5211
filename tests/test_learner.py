"""The Learner on any module: training, finding, measuring, stopping."""

import _thread
import csv
import math
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import vectable as vt


def toy(rows: int = 400, seed: int = 0) -> vt.TensorData:
    """Three separable classes in the plane; the last tenth validates."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, rows)
    x = rng.normal(size=(rows, 2)) * 0.3 + np.array([[0, 0], [2, 0], [0, 2]])[y]
    cut = rows - rows // 10
    return vt.TensorData.from_arrays(x[:cut], y[:cut], x[cut:], y[cut:], bs=32)


def net(seed: int = 0, batch_norm: bool = False) -> nn.Module:
    torch.manual_seed(seed)
    middle: list[nn.Module] = [nn.BatchNorm1d(16)] if batch_norm else []
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), *middle, nn.Linear(16, 3))


def learner(**options: object) -> vt.Learner:
    options = {"loss_func": nn.CrossEntropyLoss(), "metrics": ["accuracy"], "progress": False, **options}
    return vt.Learner(options.pop("data", None) or toy(), options.pop("model", None) or net(), **options)  # type: ignore[arg-type]


def weights(learn: vt.Learner) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in learn.model.parameters()])


@pytest.mark.parametrize("opt", ["adam", "sgd", "momentum", "rmsprop"])
@pytest.mark.parametrize("preset", ["modern", "lesson"])
def test_every_optimizer_learns(opt: str, preset: str) -> None:
    learn = learner(opt=opt, preset=preset)
    before = learn.validate()["valid_loss"]
    learn.fit_one_cycle(5, 0.3 if opt in ("sgd", "momentum") else 0.03)
    after = learn.validate()
    assert after["valid_loss"] < before / 2
    assert after["accuracy"] > 0.9


def test_adam_is_torchs_adamw_and_l2_is_torchs_adam() -> None:
    """The loop, written out with torch's own optimizers on the same batches, ends at the same weights."""
    for mode, make in (("decoupled", torch.optim.AdamW), ("l2", torch.optim.Adam)):
        data = toy()
        learn = learner(data=data, wd=0.1, wd_mode=mode, preset="lesson")
        by_hand = net()
        optimizer = make(by_hand.parameters(), lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1)
        with learn.session.seeded(0, 0) as rng:
            plan = data.plan(rng)
        for rows in plan:
            (x,), y = data.train.batch(rows)
            nn.functional.cross_entropy(by_hand(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
        learn.fit(1, 0.01)
        expected = torch.cat([p.detach().flatten() for p in by_hand.parameters()])
        assert torch.allclose(weights(learn), expected, atol=1e-6), mode


def test_modern_spares_biases_and_normalisation_from_decay() -> None:
    learn = learner(model=net(batch_norm=True), opt="sgd", wd=0.5, engine="torch")
    decaying = {id(p) for p in learn.session.make_engine(learn.model).decaying[0]}  # type: ignore[attr-defined]
    named = dict(learn.model.named_parameters())
    assert {name for name, p in named.items() if id(p) in decaying} == {"0.weight", "3.weight"}
    lesson = learner(model=net(batch_norm=True), opt="sgd", wd=0.5, preset="lesson", engine="torch")
    assert len(lesson.session.make_engine(lesson.model).decaying[0]) == len(named)  # type: ignore[attr-defined]


def test_seeded_runs_repeat_bit_for_bit_and_other_seeds_differ() -> None:
    runs = []
    for seed in (1, 1, 2):
        learn = learner(model=nn.Sequential(*net(), nn.Dropout(0.0)), seed=seed)
        learn.fit_one_cycle(2, 0.01)
        runs.append(weights(learn))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_training_leaves_the_callers_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    learn = learner(model=None)
    torch.manual_seed(5)
    learn.fit(1, 0.01)
    assert torch.equal(torch.rand(3), expected)


def test_modern_keeps_the_optimizer_between_fits_and_lesson_does_not() -> None:
    steps = {}
    for preset in ("modern", "lesson"):
        learn = learner(preset=preset)
        learn.fit(1, 0.01)
        learn.fit(1, 0.01)
        steps[preset] = int(learn.session.engines[0].state()["0.weight.step"])
    assert steps == {"modern": 24, "lesson": 12}


@pytest.mark.parametrize("trained", [False, True])
def test_the_finder_leaves_no_trace_and_answers_the_same_twice(trained: bool) -> None:
    learn, other = learner(), learner()
    if trained:
        learn.fit(1, 0.01)
        other.fit(1, 0.01)
    before, random_state = weights(learn), torch.get_rng_state()
    first, second = learn.lr_find(), learn.lr_find()
    assert np.array_equal(first.losses, second.losses)
    assert torch.equal(before, weights(learn))
    assert torch.equal(random_state, torch.get_rng_state())
    learn.fit(1, 0.01)
    other.fit(1, 0.01)
    assert torch.equal(weights(learn), weights(other)), "the optimizer's state changed"


@pytest.mark.parametrize("step", [30, 130])  # of the model as it is, and of the growing rates
@pytest.mark.parametrize("problem", [KeyboardInterrupt, ZeroDivisionError])
def test_a_finder_that_is_interrupted_or_fails_leaves_no_trace_either(problem: type[BaseException], step: int) -> None:
    calls = 0

    def loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == step:
            raise problem
        return nn.functional.cross_entropy(outputs, target)

    learn, undisturbed = learner(loss_func=loss), learner(engine="torch")  # which alone trains with a custom loss
    before, random_state = weights(learn), torch.get_rng_state()
    with pytest.raises(problem):
        learn.lr_find()
    assert torch.equal(before, weights(learn))
    assert torch.equal(random_state, torch.get_rng_state())
    for one in (learn, undisturbed):
        one.fit(1, 0.01)
    assert torch.equal(weights(learn), weights(undisturbed))


def test_other_data_are_measured_and_trained_on() -> None:
    learn = learner()
    learn.fit(1, 0.01)
    first = learn.validate()
    learn.data = toy(300)
    assert learn.validate() != first
    learn.fit(1, 0.01)
    assert len(learn.recorder.losses) == learn.data.n_steps == math.ceil((300 - 40) / 32)


def test_the_finder_stops_when_the_loss_blows_up() -> None:
    found = learner(opt="sgd").lr_find(end_lr=1e6)
    assert len(found.lrs) < 100
    assert np.isfinite(found.losses).all()
    assert (found.losses <= 4 * np.minimum.accumulate(found.losses)).all()
    assert 1e-7 <= found.by_rule["valley"] <= 1e6


def test_a_loss_that_is_not_finite_stops_with_a_sentence_and_the_old_weights() -> None:
    learn = learner(opt="sgd", loss_func=nn.MSELoss(), metrics=[], model=nn.Linear(2, 1), data=regression())
    before = weights(learn)
    with pytest.raises(vt.NonFiniteLossError, match=r"step [\d,]+ .*Try a learning rate ten times lower"):
        learn.fit(20, 1e6)
    assert torch.equal(before, weights(learn))
    learn.fit(1, 1e-3)
    assert np.isfinite(learn.validate()["valid_loss"])


def regression(rows: int = 200) -> vt.TensorData:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2))
    y = x @ [1.0, -2.0] + 0.5
    return vt.TensorData.from_arrays(x[:-20], y[:-20], x[-20:], y[-20:], bs=16)


def test_a_column_of_outputs_meets_a_flat_target() -> None:
    """(rows, 1) against (rows,) would broadcast to a square of differences; the fit would end at the mean."""
    learn = learner(model=nn.Linear(2, 1), loss_func=None, metrics=["rmse"], data=regression(), wd=0.0)
    learn.fit(30, 0.1)
    assert learn.validate()["rmse"] < 0.05


def test_predictions_carry_the_activation_of_the_loss() -> None:
    learn = learner()
    learn.fit(1, 0.01)
    probabilities, targets = learn.get_preds()
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(len(probabilities)), atol=1e-5)
    logits = learn.model(learn.data.valid.inputs[0]).detach()
    assert torch.allclose(probabilities, logits.softmax(dim=1), atol=1e-6)
    assert torch.equal(targets, learn.data.valid.target)

    binary = learner(
        model=nn.Linear(2, 1),
        loss_func=nn.BCEWithLogitsLoss(),
        data=vt.TensorData.from_arrays(np.eye(2), np.array([0.0, 1.0]), np.eye(2), np.array([0.0, 1.0])),
    )
    predicted, _ = binary.get_preds()
    assert ((predicted > 0) & (predicted < 1)).all()

    negative = learner(model=nn.Sequential(net(), nn.LogSoftmax(dim=1)), loss_func=nn.NLLLoss())
    assert torch.allclose(negative.get_preds()[0].sum(dim=1), torch.ones(40), atol=1e-5)


@pytest.mark.parametrize(
    ("model", "loss", "told"),
    [
        (nn.Sequential(net(), nn.Softmax(dim=1)), nn.CrossEntropyLoss(), "are probabilities"),
        (net(), nn.NLLLoss(), "not log-probabilities"),
        (net(), nn.CrossEntropyLoss(), None),
        (nn.Sequential(net(), nn.LogSoftmax(dim=1)), nn.NLLLoss(), None),
    ],
)
def test_outputs_that_do_not_suit_the_loss_are_told_once(model: nn.Module, loss: nn.Module, told: str | None) -> None:
    learn = learner(model=model, loss_func=loss)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        learn.fit(1, 0.01)
        learn.fit(1, 0.01)
    messages = [str(one.message) for one in seen if issubclass(one.category, vt.VectableWarning)]
    assert len(messages) == (1 if told else 0)
    assert not told or told in messages[0]


def test_a_last_batch_of_one_and_a_single_row_work_with_batch_norm() -> None:
    for rows in (33, 1):
        rng = np.random.default_rng(0)
        data = vt.TensorData.from_arrays(rng.normal(size=(rows, 2)), np.zeros(rows, dtype=int), bs=32)
        learn = learner(data=data, model=net(batch_norm=True))
        learn.fit(2, 0.01)
        assert torch.isfinite(weights(learn)).all()
        assert math.isnan(learn.validate()["valid_loss"])


def test_the_recorder_keeps_what_happened(tmp_path: Path) -> None:
    learn = learner()
    learn.fit_one_cycle(3, 0.01)
    steps = 3 * learn.data.n_steps
    assert len(learn.recorder.losses) == len(learn.recorder.lrs) == len(learn.recorder.moms) == steps
    frame = learn.recorder.to_frame()
    assert frame["epoch"].to_list() == [0, 1, 2]
    assert set(frame.columns) == {"run", "model", "epoch", "train_loss", "valid_loss", "accuracy", "seconds"}
    assert frame["valid_loss"][-1] == pytest.approx(learn.validate()["valid_loss"])
    for name, figure in {
        "losses": learn.recorder.plot_losses(path=str(tmp_path / "losses.png")),
        "lr": learn.recorder.plot_lr(show_moms=True, path=str(tmp_path / "lr.png")),
    }.items():
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert len(figure.axes) == (2 if name == "lr" else 1)
    assert learn.recorder.plot_lr()._repr_png_().startswith(b"\x89PNG")  # what a notebook asks for
    assert learn.recorder.plot_lr().axes[0].lines[0].get_ydata()[0] == pytest.approx(0.01 / 25)


def test_asking_the_recorder_before_training_is_a_sentence() -> None:
    with pytest.raises(vt.VectableError, match="Nothing was trained yet"):
        learner().recorder.plot_losses()


class Stop(vt.Callback):
    """Interrupts like Ctrl-C in the middle of an epoch."""

    def on_fit_start(self, session: Any, model: nn.Module) -> None:
        threading.Timer(0.3, _thread.interrupt_main).start()


def test_interrupting_keeps_what_was_trained(capsys: pytest.CaptureFixture[str]) -> None:
    learn = learner(progress=True)
    before = weights(learn)
    learn.fit(100_000, 1e-3, callbacks=[Stop()])
    assert learn.recorder.interrupted
    assert not torch.equal(before, weights(learn))
    assert 0 < len(learn.recorder.losses) < 100_000 * learn.data.n_steps
    assert "Interrupted after" in capsys.readouterr().out
    learn.fit(1, 1e-3)
    assert not learn.recorder.interrupted


def test_keep_best_goes_back_to_the_best_epoch() -> None:
    learn = learner(opt="sgd")
    learn.fit(8, 3.0, callbacks=[vt.RestoreBest()])
    best = min(row["valid_loss"] for row in learn.recorder.runs[-1].epochs)
    assert learn.validate()["valid_loss"] == pytest.approx(best, abs=1e-6)
    higher = learner(opt="sgd")
    higher.fit(8, 3.0, callbacks=[vt.RestoreBest("accuracy")])
    assert higher.validate()["accuracy"] == max(row["accuracy"] for row in higher.recorder.runs[-1].epochs)


def test_early_stopping_counts_epochs_without_improvement() -> None:
    learn = learner()
    with pytest.warns(vt.VectableWarning, match="learning rate is 0"):
        learn.fit(50, 0.0, callbacks=[vt.EarlyStopping(patience=3)])
    assert len(learn.recorder.runs[-1].epochs) == 4
    with pytest.raises(vt.UnknownNameError, match="valid_loss"):
        learn.fit(2, 0.1, callbacks=[vt.EarlyStopping("valid_los")])


def test_the_csv_log_grows_by_a_line_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    learn = learner()
    learn.fit(2, 0.01, callbacks=[vt.CSVLogger(path)])
    learn.fit(1, 0.01, callbacks=[vt.CSVLogger(path)])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "0"]
    assert float(rows[-1]["valid_loss"]) == pytest.approx(learn.validate()["valid_loss"], rel=1e-6)


def test_summary_shows_every_layers_shapes() -> None:
    summary = learner().summary()
    assert [(layer.kind, layer.output) for layer in summary.layers] == [
        ("Linear", (32, 16)),
        ("ReLU", (32, 16)),
        ("Linear", (32, 3)),
    ]
    assert summary.n_parameters == 2 * 16 + 16 + 16 * 3 + 3
    assert "99 parameters" in str(summary)
    assert "16 x 2" in str(summary)


def test_an_optimizer_of_your_own() -> None:
    learn = learner(opt=lambda groups: torch.optim.Adagrad(groups, lr=0.1))
    learn.fit(5, 0.1)
    assert learn.validate()["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"opt": "adma"}, "adam"),
        ({"metrics": ["acuracy"]}, "accuracy"),
        ({"preset": "moderne"}, "modern"),
        ({"engine": "fast"}, "auto"),
        ({"engine": "compiled"}, "EmbeddingDotBias"),
        ({"wd": -1}, "weight decay"),
        ({"wd_mode": "l3"}, "decoupled"),
    ],
)
def test_wrong_options_are_told(options: dict[str, object], told: str) -> None:
    with pytest.raises(vt.VectableError, match=told):
        learner(**options).fit(1, 0.01)
