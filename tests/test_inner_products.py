"""Lists by inner products in tiles: those of a full sort, whatever the order, the bounds and the threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vectable as vt
from vectable.data.interactions.histories import Histories
from vectable.recommending import inner_products, recommender
from vectable.recommending.inner_products import RankedItems
from vectable.recommending.rough_scores import RoughTiles, room_for


@contextmanager
def scored(roughly: bool) -> Iterator[None]:
    """Rough scores first, on any processor and of any number; or never."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inner_products, "ROUGH_FROM", 0)
        patch.setattr(inner_products, "may_score_roughly", lambda: roughly)
        yield


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(2, 300),
    st.integers(1, 40),
    st.integers(1, 20),
    st.integers(1, 3),
    st.booleans(),
)
def test_the_lists_are_those_of_a_full_sort(
    seed: int, n_items: int, n: int, n_users: int, threads: int, roughly: bool
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (n_items, 3)).astype(np.float32)  # whole numbers: exact sums, and many ties
    biases = rng.integers(-3, 4, n_items).astype(np.float32)
    users = rng.integers(-2, 3, (n_users, 3)).astype(np.float32)
    allowed = rng.random(n_items) < 0.8
    seen = [rng.permutation(n_items)[: rng.integers(0, n_items)].astype(np.int32) for _ in range(n_users)]
    with scored(roughly):
        lists, scores = RankedItems.of(vectors, biases, allowed).best(users, Histories.of_lists(seen), n, threads)
    sums = users @ vectors.T + biases
    for user in range(n_users):
        usable = [at for at in range(1, n_items) if allowed[at] and at not in seen[user]]
        wanted = sorted(usable, key=lambda at: (-sums[user, at], at))[:n]
        assert lists[user][lists[user] > 0].tolist() == wanted
        assert scores[user][: len(wanted)].tolist() == sums[user, wanted].tolist()
        assert np.isneginf(scores[user][len(wanted) :]).all()


@pytest.mark.parametrize("roughly", [False, True])
@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_many_tiles_and_bounds_change_nothing(spread: float, roughly: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    lengths = np.exp(spread * rng.standard_normal((5_000, 1)))  # where they differ, most items are never looked at
    vectors = (lengths * rng.standard_normal((5_000, 8))).astype(np.float32)
    users, biases = rng.standard_normal((70, 8)).astype(np.float32), rng.standard_normal(5_000).astype(np.float32)
    monkeypatch.setattr(inner_products, "ITEMS_A_TILE", 96)
    monkeypatch.setattr(inner_products, "USERS_A_TILE", 16)
    with scored(roughly):
        lists, scores = RankedItems.of(vectors, biases).best(users, None, 10)
    exact = users.astype(np.float64) @ vectors.T + biases
    exact[:, 0] = -np.inf
    assert lists.tolist() == np.argsort(-exact, axis=1, kind="stable")[:, :10].tolist()
    assert scores == pytest.approx(np.take_along_axis(exact, lists, axis=1), rel=1e-6)


@pytest.mark.parametrize(("scale", "bias", "bias_spread"), [(1, 0, 0.3), (1e-3, -50, 1), (100, 5, 0), (1, -9, 1e-4)])
def test_rough_scores_come_to_the_same_lists(scale: float, bias: float, bias_spread: float) -> None:
    rng = np.random.default_rng(3)
    vectors = (scale * rng.standard_normal((3_000, 37))).astype(np.float32)
    biases = (bias + bias_spread * rng.standard_normal(3_000)).astype(np.float32)
    users = rng.standard_normal((300, 37)).astype(np.float32)
    users[7] = 0.0  # of whom nothing is known: the biases alone rank
    lists, scores = RankedItems.of(vectors, biases).best(users, None, 20, 2)
    with scored(True):
        others, same = RankedItems.of(vectors, biases).best(users, None, 20, 2)
    exact = users.astype(np.float64) @ vectors.T.astype(np.float64) + biases
    last = np.sort(exact[:, 1:], axis=1)[:, -20]
    found = np.take_along_axis(exact, others.astype(np.int64), axis=1)
    assert (found.min(axis=1) >= last - 1e-6 * np.abs(last)).all()  # nothing better was left out
    assert (lists != others).mean() < 0.01  # by rounding alone
    assert same == pytest.approx(scores, rel=1e-5)


def test_rough_scores_are_as_near_as_they_say() -> None:
    import torch

    rng = np.random.default_rng(4)
    tile = rng.standard_normal((41, 500)).astype(np.float32)
    tile[0] = 30 + rng.standard_normal(500)
    users = (3 * rng.standard_normal((60, 40))).astype(np.float32)
    rough = RoughTiles.of([tile])
    found, offs = rough.scores(rough.users(users), 0, room_for(60 * 500))
    near = torch.from_numpy(found.copy()).view(torch.bfloat16).double().numpy()
    exact = users.astype(np.float64) @ tile[1:].astype(np.float64) + tile[0]
    assert (np.abs(near - exact) <= offs[:, None] + np.abs(near) / 256).all()
    assert offs.mean() < 0.05 * exact.std()


def test_lists_for_many_users_are_those_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    frame = pl.DataFrame({"user": np.repeat(np.arange(200), 9), "item": rng.integers(0, 150, 1800)})
    frame = frame.unique(maintain_order=True)
    frame = frame.with_columns(rating=pl.Series(rng.integers(1, 6, len(frame)) * 1.0))
    learn = vt.collab_learner(vt.RatingsData.from_df(frame), 6, progress=False, seed=0).fit_one_cycle(2, 5e-3)
    for how in (
        {},
        {"exclude_seen": False},
        {"min_ratings": 12, "exclude": [3]},
        {"candidates": [1, 2, 4]},
        {"novelty": 0.5},
    ):
        fast = learn.recommend_many(n=7, **how)
        with monkeypatch.context() as patch:
            patch.setattr(recommender, "MANY_USERS", 10**9)
            slow = learn.recommend_many(n=7, **how)
        assert fast.select("user", "rank").equals(slow.select("user", "rank"))
        assert len(fast) > 200
        others = (fast["item"] != slow["item"]).sum()  # items whose scores differ by rounding alone may change places
        assert others <= len(fast) // 100
        assert fast["prediction"].to_numpy() == pytest.approx(slow["prediction"].to_numpy(), rel=1e-6)
