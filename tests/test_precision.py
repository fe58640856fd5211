"""Gradients gathered over several batches, and forward passes in 16 bits."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import vectable as vt


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3))


def learner(bs: int = 16, rows: int = 200, **options: Any) -> vt.Learner:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, rows)
    x = rng.normal(size=(rows, 2)) + np.array([[0, 0], [3, 0], [0, 3]])[y]
    data = vt.TensorData.from_arrays(x[:-20], y[:-20], x[-20:], y[-20:], bs=bs)
    options = {"model": net(), "loss_func": nn.CrossEntropyLoss(), "metrics": ["accuracy"], **options}
    return vt.Learner(data, progress=False, **options)


def weights(learn: vt.Learner) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in learn.model.parameters()])


@given(st.integers(20, 220), st.integers(2, 30), st.integers(2, 5), st.booleans())
@settings(max_examples=20)
def test_batches_gathered_are_the_step_of_one_large_batch(rows: int, bs: int, together: int, weighted: bool) -> None:
    """Whatever is left over at the end of the epoch, and however the rows weigh."""
    gathered = learner(bs, rows + 20, accumulate=together, opt="sgd")
    train = gathered.data.train
    if weighted:
        train.weights = torch.from_numpy(np.random.default_rng(1).uniform(0.1, 3, rows)).float()
    with gathered.session.seeded(0, 0) as rng:
        batches = list(gathered.data.plan(rng))
    gathered.fit(1, 0.1)
    by_hand = net()
    for first in range(0, len(batches), together):
        some = np.concatenate(batches[first : first + together])
        (x,), y = train.batch(some)
        counts = torch.ones(len(some)) if not weighted else train.weights_of(some)
        each = nn.functional.cross_entropy(by_hand(x), y, reduction="none")
        by_hand.zero_grad()
        ((each * counts).sum() / counts.sum()).backward()
        with torch.no_grad():
            for parameter in by_hand.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(1 - 0.1 * 0.01)
                parameter.sub_(0.1 * parameter.grad)
    expected = torch.cat([p.detach().flatten() for p in by_hand.parameters()])
    assert torch.allclose(weights(gathered), expected, atol=1e-5)


def test_losses_are_recorded_a_batch_and_the_schedule_goes_by_them() -> None:
    learn = learner(accumulate=4)
    learn.fit_one_cycle(1, 0.01)
    assert len(learn.recorder.losses) == len(learn.recorder.lrs) == learn.data.n_steps == 12
    assert int(learn.session.engines[0].state()["0.weight.step"]) == 3


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_in_16_bits_it_learns_as_well_and_keeps_weights_in_32(precision: str) -> None:
    seen = []
    model = net()
    model[0].register_forward_hook(lambda *call: seen.append((torch.is_grad_enabled(), call[-1].dtype)))
    learn = learner(precision=precision, model=model)
    learn.fit_one_cycle(4, 0.03)
    assert learn.validate()["accuracy"] >= 0.9
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert {dtype for training, dtype in seen if training} == {torch.bfloat16 if precision == "bf16" else torch.float16}
    assert {dtype for training, dtype in seen if not training} == {torch.float32}


def test_with_fp16_gradients_too_large_for_it_cost_a_step_and_no_more() -> None:
    learn = learner(precision="fp16")
    learn.fit(1, 0.01)
    scaler = learn.session.engines[0].scaler  # type: ignore[attr-defined]
    scaler.load_state_dict({**scaler.state_dict(), "scale": 2.0**40})
    before = weights(learn)
    learn.fit(2, 0.01)
    assert torch.isfinite(weights(learn)).all()
    assert not torch.equal(before, weights(learn))
    assert scaler.get_scale() < 2.0**40


def test_ratings_in_16_bits_or_gathered_are_for_torch() -> None:
    table = {
        "user": [u for u in range(9) for _ in range(9)],
        "item": list(range(9)) * 9,
        "rating": [1.0, 5.0, 3.0] * 27,
    }
    data = vt.RatingsData.from_df(pl.DataFrame(table))
    for how in ({"precision": "bf16"}, {"accumulate": 2}):
        learn = vt.collab_learner(data, progress=False, **how)
        learn.fit(1, 1e-2)
        assert learn.session.engines[0].name == "torch"
        with pytest.raises(vt.VectableError, match="takes a step per batch, in 32 bits"):
            vt.collab_learner(data, progress=False, engine="compiled", **how).fit(1, 1e-2)


def test_both_are_saved(tmp_path: Path) -> None:
    learner(precision="bf16", accumulate=3).save(tmp_path / "model")
    back = vt.load_learner(tmp_path / "model", model=net())
    assert (back.precision, back.accumulate) == ("bf16", 3)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"precision": "fp8"}, r"precision must be one of \['fp32', 'bf16', 'fp16'\]; got 'fp8'"),
        ({"accumulate": 0}, "accumulate must be a positive integer; got 0"),
        ({"accumulate": 2.0}, "accumulate must be a positive integer; got 2.0"),
    ],
)
def test_wrong_arguments_get_a_sentence(how: dict[str, Any], told: str) -> None:
    with pytest.raises(vt.VectableError, match=told):
        learner(**how)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_the_same_on_cuda(precision: str) -> None:
    learn = learner(precision=precision, accumulate=2, device="cuda")
    learn.fit_one_cycle(4, 0.03)
    assert learn.validate()["accuracy"] >= 0.9
