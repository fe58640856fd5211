"""Approximate search: scores and filters are exact, and what is found is nearly all of what a full search finds."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, sentence
from every_kind import EveryKind
from serving import Asked
from vectable.artifact import read_folder, write_folder
from vectable.recommending.item_search import AT, RECALL, ItemSearch
from vectable.serving.app import make_serving
from vectable.serving.shelf import Shelf


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


def test_a_saved_index_finds_the_same_and_is_not_made_again(
    folder: Path, pair: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pair[1]
    learn = vt.load_learner(folder, progress=False)
    whole = learn.save(tmp_path / "whole", search=True)
    slim = vt.slim(folder, tmp_path / "slim", search=True)
    monkeypatch.setattr(ItemSearch, "of", None)
    for path in (whole, slim):
        answers = vt.load_answers(path, search="approximate")
        assert answers.search.recall == made.search.recall
        assert answers.search.index.nprobe == made.search.index.nprobe
        for user in range(0, 300, 7):
            assert answers.recommend(user) == made.recommend(user)
        assert vt.load_answers(path).search is None
    again = vt.load_learner(whole, progress=False)
    assert again.recommend(5).equals(learn.recommend(5))
    with pytest.raises(TypeError):
        vt.load_answers(again.save(tmp_path / "again"), search="approximate")


def test_a_damaged_index_is_refused(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    slim = vt.slim(folder, tmp_path / "slim", search=True)
    for name, change in (
        ("group", lambda one: one[:-1]),
        ("group", lambda one: one + 1_000),
        ("centres", lambda one: one[:, :-1]),
        ("centres", lambda one: one * np.float32(np.inf)),
    ):
        contents = read_folder(slim)
        contents.tensors["search"][name] = change(contents.tensors["search"][name]).contiguous()
        with pytest.raises(vt.ArtifactError, match="is damaged"):
            vt.load_answers(write_folder(tmp_path / "bad", contents), search="approximate")


def test_auto_searches_where_there_are_many_items(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    assert vt.load_answers(folder, search="auto").search is None
    monkeypatch.setattr("vectable.answers.loading.SEARCHED_FROM", 6_000)
    assert vt.load_answers(folder, search="auto").search.recall >= RECALL


def test_other_models_have_no_index(tmp_path: Path) -> None:
    kinds = EveryKind()
    for kind in ("dot product with lists by interactions", "net", "EASE"):
        learn = kinds.make(kind)
        with pytest.raises(vt.VectableError, match=r"has no approximate search; a dot-product.*leave search=True out"):
            learn.save(tmp_path / "model", search=True)
        path = learn.save(tmp_path / kind)
        assert getattr(vt.load_answers(path, search="auto"), "search", None) is None
        with pytest.raises(vt.VectableError, match=r"for which (search is exact|alone there is approximate search)\.$"):
            vt.load_answers(path, search="approximate")


def test_a_server_says_how_well_it_searches(folder: Path, pair: tuple[Any, Any]) -> None:
    shop = Asked({"shop": folder})
    assert shop.get("/v1/models/shop").json()["search"] is None
    searched = make_serving(Shelf({"shop": folder}, "approximate"))
    shop.serving = searched
    assert shop.get("/v1/models/shop").json()["search"] == {"recall": pair[1].search.recall}
    found = shop.get("/v1/models/shop/users/5/recommendations").json()["items"]
    assert found == pair[1].recommend(5)["items"]


def test_commands_make_and_use_an_index(folder: Path, tmp_path: Path, inside: Any) -> None:
    pytest.importorskip("faiss")
    assert json.loads(good(inside("slim", folder, tmp_path / "slim", "--search", "--json")).stdout)["written"]
    assert vt.load_answers(tmp_path / "slim", search="approximate").search.recall >= RECALL
    assert "--search must be 'exact', 'approximate', 'auto'; got 'fast'" in sentence(
        inside("serve", tmp_path / "slim", "--search", "fast")
    )


def test_seen_items_stay_out_and_new_users_are_searched_for_too(pair: tuple[Any, Any]) -> None:
    exact, approximate = pair
    seen = set(range(7, 6000, 300))
    assert not seen & {one["item"] for one in approximate.recommend(7, 50)["items"]}
    wanted = {one["item"] for one in exact.fold_in({3: 5, 4: 1})["items"]}
    found = {one["item"] for one in approximate.fold_in({3: 5, 4: 1})["items"]}
    assert len(found & wanted) >= 8
    assert not found & {3, 4}


def test_what_cannot_be_searched_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(vt.VectableError, match="search must be 'exact', 'approximate', 'auto'; got 'fast'"):
        vt.load_answers(folder, search="fast")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(vt.VectableError, match=r"pip install 'vectable\[search\]'"):
        vt.load_answers(folder, search="approximate")


def test_few_items_and_equal_ones_are_found() -> None:
    pytest.importorskip("faiss")
    items = np.ones((30, 4), dtype=np.float32)
    search = ItemSearch.of(items, np.zeros(30, dtype=np.float32), np.ones((5, 4), dtype=np.float32))
    assert search.find(np.ones(4, dtype=np.float32), 50).tolist() == list(range(1, 30))
