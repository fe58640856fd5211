"""Which rows train and which validate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vectable as vt
from vectable.data.splits import random_split, time_split

shares = st.floats(0, 1, exclude_max=True)


@given(n_rows=st.integers(1, 500), valid_pct=shares, seed=st.integers(0, 3))
def test_a_random_split_parts_the_rows(n_rows, valid_pct, seed):
    train, valid = random_split(n_rows, valid_pct, seed)
    assert sorted([*train, *valid]) == list(range(n_rows))
    assert len(train) >= 1
    assert len(valid) == min(int(n_rows * valid_pct), n_rows - 1)
    assert (np.diff(train) > 0).all()
    assert (np.diff(valid) > 0).all()


def test_the_seed_decides_the_random_split():
    first, again, other = (random_split(1000, 0.1, seed)[1].tolist() for seed in (42, 42, 43))
    assert first == again
    assert first != other
    assert 2 < len(set(first) & set(other)) < 25  # 10 by chance


def test_every_row_validates_equally_often():
    times = np.zeros(20)
    for seed in range(2000):
        times[random_split(20, 0.25, seed)[1]] += 1
    assert times.min() > 420
    assert times.max() < 580


@given(times=st.lists(st.integers(-5, 5), min_size=1, max_size=100), valid_pct=shares)
def test_a_split_by_time_holds_out_the_latest(times, valid_pct):
    times = np.array(times, dtype=np.float64)
    train, valid = time_split(times, valid_pct)
    assert sorted([*train, *valid]) == list(range(len(times)))
    assert len(valid) == min(int(len(times) * valid_pct), len(times) - 1)
    if len(valid):
        assert times[train].max() <= times[valid].min()


def test_of_equal_times_the_last_in_the_file_validate():
    train, valid = time_split(np.zeros(1000), 0.25)
    assert train.tolist() == list(range(750))
    assert valid.tolist() == list(range(750, 1000))


@pytest.mark.parametrize("valid_pct", [-0.1, 1, 1.5, 20, float("nan"), "0.1", None])
@pytest.mark.parametrize("split", [lambda pct: random_split(10, pct, 1), lambda pct: time_split(np.zeros(10), pct)])
def test_a_share_that_is_none(split, valid_pct):
    with pytest.raises(vt.VectableError, match=r"valid_pct must be a share of the rows in \[0, 1\)"):
        split(valid_pct)


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None])
def test_a_seed_that_is_none(seed):
    with pytest.raises(vt.VectableError, match="seed must be a non-negative integer"):
        random_split(10, 0.1, seed)
