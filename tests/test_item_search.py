"""Approximate search: scores and filters are exact, and what is found is nearly all of what a full search finds."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vectable as vt
from vectable.answers.item_search import AT, RECALL, ItemSearch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 6,000 items whose vectors say something."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"user": np.arange(6000) % 300, "item": np.arange(6000), "rating": rng.integers(1, 6, 6000) * 1.0}
    )
    learn = vt.collab_learner(vt.RatingsData.from_df(frame, valid_pct=0.0), 8, progress=False, seed=0)
    for weight in learn.model.parameters():
        weight.data *= 60
    return Path(learn.save(tmp_path_factory.mktemp("search") / "model"))


@pytest.fixture(scope="module")
def pair(folder: Path) -> tuple[Any, Any]:
    pytest.importorskip("faiss")
    return vt.load_answers(folder), vt.load_answers(folder, search="approximate")


def test_nearly_all_of_the_best_items_are_found_with_exact_scores(pair: tuple[Any, Any]) -> None:
    exact, approximate = pair
    assert exact.search is None
    assert approximate.search.recall >= RECALL
    shares = []
    for user in range(0, 300, 5):
        wanted = {one["item"]: one for one in exact.recommend(user)["items"]}
        found = approximate.recommend(user)["items"]
        scores = [one["prediction"] for one in found]
        assert len(found) == AT
        assert scores == sorted(scores, reverse=True)
        known = [one for one in found if one["item"] in wanted]
        shares.append(len(known) / AT)
        for one in known:
            assert one["prediction"] == pytest.approx(wanted[one["item"]]["prediction"], rel=1e-6)
    assert np.mean(shares) > 0.95


@pytest.mark.parametrize(
    "how",
    [{"candidates": [5, 9, 4000]}, {"exclude": [7], "n": 3}, {"min_ratings": 1, "n": 4}, {"novelty": 0.5}, {"n": 6000}],
)
def test_lists_with_conditions_are_the_exact_ones(pair: tuple[Any, Any], how: dict[str, Any]) -> None:
    exact, approximate = pair
    for user in (3, 250):
        assert approximate.recommend(user, **how) == exact.recommend(user, **how)


def test_seen_items_stay_out_and_new_users_are_searched_for_too(pair: tuple[Any, Any]) -> None:
    exact, approximate = pair
    seen = set(range(7, 6000, 300))
    assert not seen & {one["item"] for one in approximate.recommend(7, 50)["items"]}
    wanted = {one["item"] for one in exact.fold_in({3: 5, 4: 1})["items"]}
    found = {one["item"] for one in approximate.fold_in({3: 5, 4: 1})["items"]}
    assert len(found & wanted) >= 8
    assert not found & {3, 4}


def test_what_cannot_be_searched_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(vt.VectableError, match="search must be 'exact', 'approximate'; got 'fast'"):
        vt.load_answers(folder, search="fast")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(vt.VectableError, match=r"pip install 'vectable\[search\]'"):
        vt.load_answers(folder, search="approximate")


def test_few_items_and_equal_ones_are_found() -> None:
    pytest.importorskip("faiss")
    items = np.ones((30, 4), dtype=np.float32)
    search = ItemSearch.of(items, np.zeros(30, dtype=np.float32), np.ones((5, 4), dtype=np.float32))
    assert search.find(np.ones(4, dtype=np.float32), 50).tolist() == list(range(1, 30))
