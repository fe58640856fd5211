"""Schedules, suggestions and smoothing against values computed with the reference implementations."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectable.models.layers import embedding_width, sigmoid_range
from vectable.training.lr_finder import FoundRates
from vectable.training.presets import PRESETS
from vectable.training.recorder import smooth
from vectable.training.schedules import constant_schedule, finder_schedule, one_cycle_schedule

# (learning rate, momentum) at some of 100 steps at a highest rate of .01, from fastai 2.8 and fastai 1.0.28.
GOLDEN = {
    "modern": {
        0: (0.0004, 0.95),
        1: (0.00043784943200073204, 0.9496057350833257),
        10: (0.003716718512482818, 0.915450848828304),
        24: (0.009962150525754897, 0.8503942653567198),
        25: (0.01, 0.85),
        29: (0.009929980911443655, 0.8507001978875423),
        30: (0.009890739036269117, 0.8510926205635144),
        31: (0.009842917354365493, 0.8515708421647666),
        50: (0.007500024864862766, 0.8750000013513858),
        75: (0.0025000747297255392, 0.9250000027027716),
        98: (1.763549496865309e-05, 0.9498246432967464),
        99: (4.485797283180701e-06, 0.949956141588584),
    },
    "lesson": {
        0: (0.0004, 0.95),
        1: (0.00072, 0.9466666666666667),
        10: (0.0036000000000000003, 0.9166666666666666),
        24: (0.00808, 0.87),
        25: (0.008400000000000001, 0.8666666666666667),
        29: (0.009680000000000001, 0.8533333333333333),
        30: (0.01, 0.85),
        31: (0.009994965352845242, 0.8500503466729342),
        50: (0.008117456539497631, 0.8688255099070633),
        75: (0.0028306099820869924, 0.9216941869558779),
        98: (2.0168449509684565e-05, 0.949798714699762),
        99: (5.07464715475788e-06, 0.9499496533270657),
    },
}
# Losses at 100 rates from 1e-7 to 10, and what fastai 2.8 suggests for them.
CURVES = json.loads((Path(__file__).parent / "lr_find_curves.json").read_text())


@pytest.mark.parametrize("preset", ["modern", "lesson"])
def test_one_cycle_equals_the_reference(preset: str) -> None:
    schedule = one_cycle_schedule(PRESETS[preset].cycle, 100, 0.01)
    for step, (lr, mom) in GOLDEN[preset].items():
        assert schedule.lrs[step, 0] == pytest.approx(lr, abs=1e-6)
        assert schedule.moms[step, 0] == pytest.approx(mom, abs=1e-6)


@given(st.integers(1, 500), st.floats(1e-6, 1.0), st.sampled_from(sorted(PRESETS)))
def test_one_cycle_stays_within_its_bounds(n_steps: int, lr: float, preset: str) -> None:
    cycle = PRESETS[preset].cycle
    schedule = one_cycle_schedule(cycle, n_steps, lr)
    assert len(schedule) == n_steps
    assert schedule.lrs[0, 0] == pytest.approx(lr / cycle.div)
    assert schedule.lrs.max() <= lr * (1 + 1e-12)
    assert schedule.lrs.min() >= lr / cycle.final_div * (1 - 1e-9)
    assert ((schedule.moms >= 0.85 - 1e-12) & (schedule.moms <= 0.95 + 1e-12)).all()


def test_constant_and_finder_schedules() -> None:
    assert constant_schedule(3, 0.5).lrs.tolist() == [[0.5], [0.5], [0.5]]
    assert (finder_schedule(100, 1e-7, 10.0).moms == 0.9).all()
    rates = finder_schedule(100, 1e-7, 10.0).lrs[:, 0]
    assert rates[0] == pytest.approx(1e-7)
    assert rates[-1] == pytest.approx(10.0)
    assert np.allclose(rates[1:] / rates[:-1], rates[1] / rates[0])


@pytest.mark.parametrize("name", sorted(CURVES))
def test_suggestions_equal_the_reference(name: str) -> None:
    curve = CURVES[name]
    lrs = 10 ** np.linspace(-7, 1, 100)
    found = FoundRates(lrs, np.array(curve["losses"]))
    for suggestion in ("valley", "steep", "minimum", "slide"):
        assert found.by_rule[suggestion] == pytest.approx(curve[suggestion], rel=1e-6), suggestion


def test_the_lessons_rules_follow_from_the_curve() -> None:
    found = FoundRates(10 ** np.linspace(-7, 1, 100), np.array(CURVES["smooth"]["losses"]))
    inner = slice(10, -5)
    bottom = found.lrs[inner][found.losses[inner].argmin()]
    assert found.suggestions["before_bottom"] == pytest.approx(bottom / 10)
    low, steepest, high = found.suggestions["around_steepest"]
    assert (low * 10, high / 10) == (pytest.approx(steepest), pytest.approx(steepest))


def test_smoothing_equals_the_reference() -> None:
    values = [4.0, 3.0, 5.0, 2.0, 2.5, 1.0, 1.2, 0.9]
    expected = [4.0, 3.4949494949, 4.0068017957, 3.4897969699, 3.2837592558, 2.8836529339, 2.6283111721, 2.3966914754]
    assert smooth(values).tolist() == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=50), st.floats(0.1, 0.99))
def test_smoothing_stays_among_the_values_and_keeps_a_constant(values: list[float], beta: float) -> None:
    smoothed = smooth(values, beta)
    assert min(values) - 1e-9 <= smoothed.min()
    assert smoothed.max() <= max(values) + 1e-9
    assert np.allclose(smooth([values[0]] * 20, beta), values[0])


def test_embedding_widths_equal_the_reference() -> None:
    modern = {2: 2, 3: 3, 7: 5, 8: 5, 12: 6, 16: 8, 31: 11, 32: 11, 42: 13, 100: 21, 1115: 81, 10000: 278, 100000: 600}
    lesson = {2: 2, 3: 2, 7: 4, 8: 5, 12: 7, 16: 9, 31: 16, 32: 17, 42: 22, 100: 50, 1115: 50, 10000: 50, 100000: 50}
    assert {n: embedding_width(n) for n in modern} == modern
    assert {n: embedding_width(n, "lesson") for n in lesson} == lesson


def test_sigmoid_range_equals_the_reference() -> None:
    import torch

    values = sigmoid_range(torch.tensor([-2.0, 0.0, 2.0]), 0, 5.5).tolist()
    assert values == pytest.approx([0.655616044998169, 2.75, 4.844383716583252])
    assert math.isclose(values[1], 2.75)
