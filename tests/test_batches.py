"""The order in which training rows are visited, and the tensors that the batches are cut from."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

import vectable as vt
from vectable.data.batches import (
    BatchPlan,
    batch_size_for,
    block_batches,
    count_steps,
    shuffled_batches,
    spread_evenly,
    two_lanes,
)


def codes(rng, n_rows, n_codes, skew):
    """Codes from 1 on, the more skewed the more rows fall on the first."""
    return (1 + n_codes * rng.random(n_rows) ** skew).astype(np.int32)


def visited(plan: BatchPlan):
    return np.concatenate(list(plan))


# ---------------------------------------------------------------- one random order


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "steps"),
    [
        (1, 64, 1),
        (2, 64, 1),
        (63, 64, 1),
        (64, 64, 1),
        (65, 64, 1),  # the lone last row joins the batch before it
        (66, 64, 2),
        (128, 64, 2),
        (129, 64, 2),
        (130, 64, 3),
        (90_000, 64, 1407),
        (5, 1, 5),
        (1, 1, 1),
        (3, 2, 1),
        (7, 10**9, 1),
    ],
)
def test_steps_of_an_epoch(n_rows, batch_size, steps):
    assert count_steps(n_rows, batch_size) == steps


@given(n_rows=st.integers(1, 2000), batch_size=st.integers(1, 300), seed=st.integers(0, 5))
def test_shuffled_batches_cover_every_row_once_and_leave_no_row_alone(n_rows, batch_size, seed):
    plan = shuffled_batches(n_rows, batch_size, np.random.default_rng(seed))
    sizes = [len(batch) for batch in plan]
    assert sorted(visited(plan)) == list(range(n_rows))
    assert len(plan) == len(sizes) == count_steps(n_rows, batch_size)
    assert all(size == batch_size for size in sizes[:-1])
    if n_rows > 1 and batch_size > 1:
        assert min(sizes) >= 2
    assert max(sizes) <= batch_size + 1
    assert plan.stages == ((0, len(plan)),)
    assert not plan.lanes.any()


def test_the_seed_decides_the_order_and_the_next_epoch_has_another():
    first, again, other = (shuffled_batches(100, 7, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.order, again.order)
    assert (first.order != other.order).any()
    rng = np.random.default_rng(1)
    assert (shuffled_batches(100, 7, rng).order != shuffled_batches(100, 7, rng).order).any()


def test_every_row_is_as_likely_to_come_first():
    rng = np.random.default_rng(0)
    firsts = np.bincount([shuffled_batches(5, 2, rng).order[0] for _ in range(5000)], minlength=5)
    assert firsts.min() > 850
    assert firsts.max() < 1150


@given(n_rows=st.integers(1, 2000), batch_size=st.integers(1, 300), seed=st.integers(0, 5))
@example(n_rows=19_982, batch_size=256, seed=0)  # else 78 batches of 256 and one of 14
def test_batches_spread_evenly_visit_the_same_rows_in_the_same_order_and_number_of_steps(n_rows, batch_size, seed):
    plan = shuffled_batches(n_rows, batch_size, np.random.default_rng(seed))
    even = spread_evenly(plan)
    sizes = [len(batch) for batch in even]
    assert len(even) == len(plan)
    np.testing.assert_array_equal(visited(even), plan.order)
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size + 1


def test_the_sizes_of_even_batches_by_hand():
    plan = shuffled_batches(606, 200, np.random.default_rng(0))
    assert [len(batch) for batch in plan] == [200, 200, 200, 6]
    assert [len(batch) for batch in spread_evenly(plan)] == [151, 152, 151, 152]


def test_blocks_are_even_already():
    rng = np.random.default_rng(3)
    plan = block_batches(codes(rng, 900, 40, 2), codes(rng, 900, 30, 2), 16, rng)
    assert spread_evenly(plan) is plan


def sizes_of(model, preset="modern", **more):
    """The sizes of the batches that a net meets in one epoch over 606 rows, in batches of 200."""
    met = []
    x = np.random.default_rng(0).normal(size=(606, 3))
    model.register_forward_pre_hook(lambda module, inputs: met.append(len(inputs[0])) if module.training else None)
    data = vt.TensorData.from_arrays(x, x.sum(1), bs=200)
    vt.Learner(data, model, preset=preset, progress=False, **more).fit(1, 1e-3)
    return met


def test_nets_with_batch_norm_meet_no_small_last_batch_but_in_the_lesson():
    def normed():
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    assert sizes_of(normed()) == [151, 152, 151, 152]
    assert sizes_of(normed(), preset="lesson") == [200, 200, 200, 6]
    assert sizes_of(nn.Linear(3, 1)) == [200, 200, 200, 6], "without batch norm, as ever"


def test_a_few_rows_more_than_full_batches_do_not_spoil_the_statistics():
    """The running variance is that of all rows, and not largely that of the six outliers of a small last batch."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(606, 1))
    data = vt.TensorData.from_arrays(x, x[:, 0], bs=200)
    spread = []
    for even in (True, False):
        norm = nn.BatchNorm1d(1, momentum=0.5)
        learn = vt.Learner(data, norm, preset="modern" if even else "lesson", progress=False)
        means = []
        for _ in range(20):
            learn.fit(1, 1e-6)
            means.append(float(norm.running_mean))
        spread.append(np.std(means))
    assert spread[0] < 0.6 * spread[1]


# ---------------------------------------------------------------- blocks for two threads


@settings(deadline=None, max_examples=150)
@given(
    n_rows=st.integers(4, 1500),
    batch_size=st.integers(1, 64),
    n_users=st.integers(1, 60),
    n_items=st.integers(1, 60),
    skew=st.sampled_from([1, 3, 12]),
    seed=st.integers(0, 1000),
)
@example(n_rows=1500, batch_size=10, n_users=2, n_items=2, skew=12, seed=0)  # nearly all rows in one block
@example(n_rows=1500, batch_size=10, n_users=1, n_items=1, skew=1, seed=0)  # all rows in one block
def test_blocks_cover_every_row_once_in_lanes_that_share_nothing(n_rows, batch_size, n_users, n_items, skew, seed):
    rng = np.random.default_rng(seed)
    users, items = codes(rng, n_rows, n_users, skew), codes(rng, n_rows, n_items, skew)
    if count_steps(n_rows, batch_size) < 4:
        return
    plan = block_batches(users, items, batch_size, rng)

    assert len(plan) == count_steps(n_rows, batch_size), "every epoch has as many steps"
    assert sorted(visited(plan)) == list(range(n_rows))
    assert all(len(batch) for batch in plan)

    assert plan.stages[0][0] == 0
    assert plan.stages[-1][1] == len(plan)
    assert all(before[1] == after[0] for before, after in pairwise(plan.stages))
    for first, end in plan.stages:
        seen = [{"users": set(), "items": set()} for _ in range(2)]
        for step in range(first, end):
            batch = plan.order[plan.starts[step] : plan.stops[step]]
            seen[plan.lanes[step]]["users"] |= set(users[batch])
            seen[plan.lanes[step]]["items"] |= set(items[batch])
        assert not seen[0]["users"] & seen[1]["users"]
        assert not seen[0]["items"] & seen[1]["items"]


@given(sizes=st.lists(st.integers(0, 3000), min_size=4, max_size=4), batch_size=st.integers(1, 64))
@example(sizes=[1, 1, 1, 300], batch_size=30)
@example(sizes=[0, 0, 0, 300], batch_size=30)
@example(sizes=[3, 3, 3, 0], batch_size=2)
def test_every_block_with_rows_gets_a_step_and_none_more_than_it_has_rows(sizes, batch_size):
    from vectable.data.batches import _share_out

    n_steps = count_steps(sum(sizes), batch_size)
    if n_steps < 4:
        return
    shares = _share_out(n_steps, sizes)
    assert sum(shares) == n_steps
    assert all((share > 0) == (size > 0) and share <= size for share, size in zip(shares, sizes, strict=True))


def test_a_step_that_is_left_over_goes_to_the_block_with_the_largest_batches():
    plan = two_lanes(np.arange(1000, dtype=np.int32), [500, 300, 150, 50], 112)  # 9 steps; in proportion 4, 2, 1 and 1
    ends = [500, 800, 950, 1000]
    assert np.bincount(np.searchsorted(ends, plan.starts, side="right")).tolist() == [4, 3, 1, 1]


def test_with_many_rows_both_lanes_have_half_the_work_and_batches_keep_their_size():
    rng = np.random.default_rng(3)
    users, items = codes(rng, 60_000, 3000, 1), codes(rng, 60_000, 2000, 1)
    plan = block_batches(users, items, 64, rng)
    sizes = plan.stops - plan.starts
    assert sizes.min() >= 62
    assert sizes.max() <= 66
    for first, end in plan.stages:
        in_one = sizes[first:end][plan.lanes[first:end] == 1].sum() / sizes[first:end].sum()
        assert 0.45 < in_one < 0.55
        assert list(plan.lanes[first : first + 20]) == [0, 1] * 10


def test_the_seed_decides_the_blocks():
    rng = np.random.default_rng(4)
    users, items = codes(rng, 900, 40, 2), codes(rng, 900, 30, 2)
    first, again, other = (block_batches(users, items, 16, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name in ("order", "starts", "stops", "lanes"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert (first.order != other.order).any()


# ---------------------------------------------------------------- whose plan it is


def ratings(n_rows, n_users, n_items):
    """Every user with every item, in some order."""
    pairs = np.random.default_rng(0).permutation(n_users * n_items)[:n_rows]
    frame = pl.DataFrame({"user": pairs // n_items, "item": pairs % n_items, "rating": pairs % 5})
    return vt.RatingsData.from_df(frame, valid_pct=0)


def test_small_ratings_come_in_one_order_and_blocks_can_be_asked_for():
    data = ratings(1000, 50, 40)
    assert len(data.plan(np.random.default_rng(0)).stages) == 1
    data.block_order = True
    assert len(data.plan(np.random.default_rng(0)).stages) == 2
    assert len(data.plan(np.random.default_rng(0))) == data.n_steps
    data.batch_size = 400  # three steps: too few for four blocks
    assert len(data.plan(np.random.default_rng(0)).stages) == 1


def test_large_ratings_come_in_blocks():
    data = ratings(500_000, 3000, 2000)
    assert len(data.plan(np.random.default_rng(0)).stages) == 2
    data.block_order = False
    assert len(data.plan(np.random.default_rng(0)).stages) == 1


# ---------------------------------------------------------------- tensors


def test_tensor_data_from_arrays():
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6)
    data = vt.TensorData.from_arrays(x, y, x[:2], y[:2], bs=4)
    assert data.train.inputs[0].dtype == torch.float32
    assert data.train.target.dtype == torch.int64
    assert (len(data.train), len(data.valid), data.n_steps) == (6, 2, 2)
    (picked,), target = data.train.batch(np.array([4, 0], dtype=np.int32))
    assert picked.tolist() == [[8, 9], [0, 1]]
    assert target.tolist() == [4, 0]
    assert sorted(visited(data.plan(np.random.default_rng(0)))) == list(range(6))


def test_tensor_data_without_validation_rows_and_with_several_inputs():
    data = vt.TensorData.from_arrays((np.zeros((5, 2)), np.zeros((5, 3))), np.zeros(5))
    assert [tuple(column.shape) for column in data.valid.inputs] == [(0, 2), (0, 3)]
    assert len(data.valid) == 0


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ((np.zeros((3, 2)), np.zeros(4)), "The training inputs have 3 rows and the targets 4"),
        ((np.zeros((0, 2)), np.zeros(0)), "no training rows"),
        ((np.zeros((3, 2)), np.zeros(3), np.zeros((1, 2))), "both x_valid and y_valid"),
        ((np.zeros((3, 2)), np.zeros(3), np.zeros((1, 2)), np.zeros(2)), "The validation inputs have 1 rows"),
    ],
)
def test_tensor_data_that_does_not_fit_together(arrays, told):
    with pytest.raises(vt.DataError, match=told):
        vt.TensorData.from_arrays(*arrays)


@pytest.mark.parametrize("size", [0, -1, 6.4, "64"])
def test_a_batch_size_that_is_none(size):
    with pytest.raises(vt.VectableError, match="batch size must be a positive integer"):
        vt.TensorData.from_arrays(np.zeros((3, 2)), np.zeros(3), bs=size)


@pytest.mark.parametrize(
    ("n_users", "size"), [(1, 64), (943, 64), (4_000, 64), (4_001, 256), (6_040, 512), (138_000, 8192), (10**6, 65536)]
)
def test_batches_of_many_users_are_larger(n_users: int, size: int) -> None:
    assert batch_size_for(n_users) == size
