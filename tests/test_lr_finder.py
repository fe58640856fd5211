"""The rate that the finder names: clear of noise, below the bottom, and good to train with."""

import numpy as np
import pytest
from torch import nn

import vectable as vt
from vectable.training.lr_finder import FoundRates

RATES = 10 ** np.linspace(-7, 1, 100)


def curve(noise: float, seed: int, bottom: float = 1e-2) -> FoundRates:
    """A loss that is flat, falls in the two powers of ten before `bottom`, and rises behind it."""
    x = np.log10(RATES) - np.log10(bottom)
    losses = 1 - np.clip(x + 2, 0, 2) / 4 + np.where(x > 0, x**2, 0)
    return FoundRates(RATES, losses + noise * np.random.default_rng(seed).normal(size=100))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bottom", [1e-3, 1e-2, 1e-1])
def test_the_rate_is_above_the_flat_part_and_below_the_bottom(seed: int, bottom: float) -> None:
    found = curve(0.002, seed, bottom)
    assert found.rate is not None
    assert bottom / 100 < found.rate < bottom
    assert found.suggestions["minimum"] == found.by_rule["minimum"]


@pytest.mark.parametrize("seed", range(5))
def test_of_noise_nothing_is_suggested_and_the_reason_is_told(seed: int) -> None:
    found = FoundRates(RATES, 1 + 0.1 * np.random.default_rng(seed).normal(size=100))
    assert found.rate is None
    assert set(found.suggestions.values()) == {None}
    assert set(found.withheld) == {"rate", *found.suggestions}
    assert "nothing can be read from this curve" in found.withheld["rate"]
    assert repr(found).startswith("FoundRates(no rate: the loss falls from ")


def test_what_the_batches_alone_explain_is_taken_away() -> None:
    batches = 0.3 * np.random.default_rng(0).normal(size=100)
    clean = curve(0, 0)
    noisy = FoundRates(RATES, clean.losses + batches)
    assert noisy.rate is None
    compared = FoundRates(RATES, clean.losses + batches, untrained=1 + batches)
    assert compared.rate == pytest.approx(clean.rate)


def test_one_batch_with_a_huge_loss_is_not_a_loss_that_blew_up() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(640, 3)).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5] + rng.standard_cauchy(640)).astype(np.float32)[:, None]
    data = vt.TensorData.from_arrays(x, y, x[:20], y[:20], bs=16)
    found = vt.Learner(data, nn.Linear(3, 1), loss_func=nn.MSELoss(), progress=False).lr_find(end_lr=1e-3)
    assert found.untrained is not None
    assert len(found.lrs) == len(found.untrained) == 100
    smallest = found.lrs < 1e-6
    assert np.allclose(found.losses[smallest], found.untrained[smallest], rtol=1e-3)


def test_a_suggestion_in_the_flat_part_is_withheld_alone() -> None:
    """One spike at low rates is the steepest point, and no rate to use."""
    losses = curve(0.002, 0).losses.copy()
    losses[15] += 0.6
    found = FoundRates(RATES, losses)
    assert found.by_rule["steep"] < 1e-5
    assert found.suggestions["steep"] is None
    assert found.suggestions["around_steepest"] is None
    assert "has not begun to fall at" in found.withheld["steep"]
    assert found.rate is not None
    assert found.suggestions["minimum"] == found.by_rule["minimum"]


def test_plots_mark_the_rate_or_say_why_there_is_none() -> None:
    labels = [one.get_text() for one in curve(0.01, 0).plot().axes[0].get_legend().get_texts()]
    assert labels[0].startswith("use ")
    noise = FoundRates(RATES, 1 + 0.1 * np.random.default_rng(0).normal(size=100))
    assert "nothing can be read" in noise.plot().axes[0].get_title()


@pytest.mark.parametrize("name", ["goodbooks", "movietweetings"])
def test_the_rate_trains_to_a_lower_loss_than_a_tenth_and_ten_times_of_it(name: str) -> None:
    data = vt.datasets.load(name).to_data()

    def learner() -> vt.CollabLearner:
        return vt.collab_learner(data, progress=False, seed=1)

    found = learner().lr_find()
    assert found.rate is not None
    losses = []
    for rate in (found.rate / 10, found.rate, found.rate * 10):
        recorder = learner().fit_one_cycle(3, rate).recorder
        losses.append(recorder.to_frame()["valid_loss"][-1])
    assert losses[1] < min(losses[0], losses[2])
