"""Serving folders: each kind of model answers from one bit for bit as before, and says what it can do no more."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, vectable

RNG = np.random.default_rng(0)
USERS = np.repeat([f"u{at}" for at in range(150)], 12)
ITEMS = np.concatenate([RNG.permutation(130)[:12] for _ in range(150)])
RATINGS = pl.DataFrame(
    {"user": USERS, "item": ITEMS, "rating": RNG.integers(1, 6, len(USERS)) * 1.0, "day": np.arange(len(USERS)) // 7}
).sample(fraction=1.0, shuffle=True, seed=0)
FILMS = pl.DataFrame(
    {"item": np.arange(130), "title": [f"Film é {at}" for at in range(130)], "genre": ["a", None] * 65}
)
READERS = pl.DataFrame({"user": [f"u{at}" for at in range(150)], "age": RNG.integers(18, 70, 150)})
ROWS = RATINGS[:30].join(FILMS, on="item")


def ratings(**more: Any) -> vt.RatingsData:
    return vt.RatingsData.from_df(RATINGS, items=FILMS, users=READERS, title="title", timestamp="day", **more)


def trained(**more: Any) -> Any:
    return vt.collab_learner(ratings(), 5, progress=False, seed=0, **more).fit_one_cycle(2, 5e-3)


def sampled(**more: Any) -> Any:
    return vt.bayes_collab_learner(ratings(), 3, 30, burn_in=5, progress=False, **more).fit()


def of_interactions(make: Callable[..., Any], **more: Any) -> Any:
    data = vt.InteractionsData.from_df(RATINGS, "user", "item", timestamp="day", items=FILMS, title="title")
    return make(data, progress=False, **more).fit()


def table(target: str, **more: Any) -> Any:
    frame = RATINGS.join(FILMS, on="item").with_columns(pl.col("rating").cast(pl.String).alias("stars"))
    other = "rating" if target == "stars" else "stars"
    data = vt.TableData.from_df(frame.drop("title", other), target, cat_names=["user", "genre"], seed=0)
    return vt.tabular_learner(data, layers=[8], progress=False, seed=0, **more).fit(1, 1e-2)


PICTURES = RNG.integers(0, 255, (12, 28, 28), dtype=np.uint8)


def photographs() -> Any:
    data = vt.ImageData.from_arrays(PICTURES, list("abababababab"), valid_pct=0.3, batch_size=4)
    return vt.vision_learner(data, "fashion-small", progress=False, seed=0).fit(1, 1e-3)


LEARNERS: dict[str, Callable[[], Any]] = {
    "dot product": trained,
    "ensemble": lambda: trained(n_models=2),
    "net": lambda: trained(use_nn=True, layers=[6]),
    "posterior": sampled,
    "ordinal posterior with histories": lambda: sampled(likelihood="ordinal", history=True),
    "posterior with days": lambda: sampled(user_day_bias=True),
    "ALS": lambda: of_interactions(vt.implicit_learner, model="als"),
    "EASE": lambda: of_interactions(vt.implicit_learner, model="ease"),
    "neighbours": lambda: of_interactions(vt.implicit_learner, model="neighbours"),
    "next item": lambda: of_interactions(vt.next_item_learner),
    "classes": lambda: table("stars", n_models=2),
    "numbers": lambda: table("rating"),
    "images": photographs,
}
WITHOUT_USERS = ("classes", "numbers", "images")
OF_RATINGS = ("dot product", "ensemble", "net", "posterior", "ordinal posterior with histories", "posterior with days")


@pytest.fixture(scope="module", params=LEARNERS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any, Any, Path]:
    """The name of a kind, a learner of it, and what its serving folder makes of it, and the folder."""
    learn = LEARNERS[request.param]()
    folder = tmp_path_factory.mktemp("serving") / "model"
    learn.save(folder, serving=True)
    return request.param, learn, vt.load_learner(folder, progress=False), folder


def same(one: Any, other: Any) -> bool:
    if isinstance(one, pl.DataFrame):
        return one.equals(other)
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


def rows_asked(name: str) -> Callable[[Any], Any]:
    if name == "images":
        return lambda one: [found.probabilities["a"] for found in one.predict(list(PICTURES[:3]))]
    return lambda one: one.predict(ROWS)


def test_it_answers_bit_for_bit_as_before(pair: tuple[str, Any, Any, Path]) -> None:
    name, learn, served, _ = pair
    asked: list[Callable[[Any], Any]] = [rows_asked(name)]
    if name not in WITHOUT_USERS:
        basket = {"Film é 3": 5, 7: 1} if name in OF_RATINGS else ["Film é 3", 7]
        asked = [
            lambda one: one.recommend("u7", 5),
            lambda one: one.recommend("u7", 5, max_per={"genre": 2}, diversity=0.3, min_ratings=3),
            lambda one: one.recommend_many(["u3", "u5"], 4),
            lambda one: one.similar("Film é 3", 5),
            lambda one: one.explain("u7", 9),
            lambda one: one.fold_in(basket).recommend(5),
        ]
    if name in OF_RATINGS:
        asked += [
            lambda one: one.predict(ROWS),
            lambda one: one.recommend_many(n=3),
            lambda one: one.fold_in(basket).explain(9),
        ]
    if name.endswith("posterior"):
        asked.append(lambda one: one.predict_interval(ROWS))
    for at, ask in enumerate(asked):
        assert same(ask(learn), ask(served)), f"question {at}"


def test_it_says_what_it_cannot_do(pair: tuple[str, Any, Any, Path]) -> None:
    name, _, served, folder = pair
    for ask in (lambda: served.fit(1), *((served.validate,) if hasattr(served, "validate") else ())):
        with pytest.raises(vt.VectableError, match=r"needs training data, and this model was loaded from a serving"):
            ask()
    if name in ("dot product", "ALS"):
        with pytest.raises(vt.VectableError, match=r"update\(\) needs training data"):
            served.update(RATINGS)
    if name == "dot product":
        with pytest.raises(vt.ArtifactError, match="a serving folder, which holds no optimizer"):
            vt.collab_learner(ratings(), 5, progress=False).load(folder)
        with pytest.raises(vt.VectableError, match=r"ranking\(\) needs"):
            served.ranking()


def test_it_holds_no_optimizer_no_held_out_rows_and_no_names_in_json(pair: tuple[str, Any, Any, Path]) -> None:
    name, learn, _, folder = pair
    files = {file.name.partition("-")[0] for file in folder.iterdir()}
    assert files.isdisjoint({"optimizer", "history", "chains", "rows"})
    if name not in WITHOUT_USERS:
        assert "u149" not in "".join(file.read_text() for file in folder.glob("*.json"))
    whole = learn.save(folder.parent / "whole")
    sizes = [sum(file.stat().st_size for file in one.iterdir()) for one in (folder, whole)]
    assert sizes[0] < sizes[1]


def test_saved_again_and_pickled_it_is_the_same(pair: tuple[str, Any, Any, Path], tmp_path: Path) -> None:
    name, learn, served, _ = pair
    again = vt.load_learner(served.save(tmp_path / "again"), progress=False)
    for one in (again, pickle.loads(pickle.dumps(served))):
        assert one.serving
        if name in WITHOUT_USERS:
            assert same(rows_asked(name)(one), rows_asked(name)(learn))
        else:
            assert same(one.recommend("u7", 5), learn.recommend("u7", 5))
            assert same(one.explain("u7", 9), learn.explain("u7", 9))


def test_the_command_writes_one_and_the_others_ask_it(tmp_path: Path) -> None:
    learn = trained()
    learn.save(tmp_path / "whole")
    done = json.loads(good(vectable("slim", tmp_path / "whole", tmp_path / "small", "--json")).stdout)
    assert done["written"] == str(tmp_path / "small")
    assert 0 < done["bytes"]["after"] < done["bytes"]["before"]
    assert vt.load_learner(tmp_path / "small", progress=False).recommend("u7", 3).equals(learn.recommend("u7", 3))
    good(vectable("info", tmp_path / "small"))
    assert json.loads(good(vectable("recommend", tmp_path / "small", "u7", "-n", "3", "--json")).stdout)


def test_codes_out_of_range_in_one_are_refused(tmp_path: Path) -> None:
    from vectable.artifact import read_folder, write_folder

    trained().save(tmp_path / "model", serving=True)
    for name, wrong in (("items", 500), ("values", 77), ("counts", -1), ("counts", 2**30)):
        contents = read_folder(tmp_path / "model")
        contents.tensors["ratings"][name][3] = wrong if name != "values" else 77
        write_folder(tmp_path / "wrong", contents)
        with pytest.raises(vt.ArtifactError, match="is damaged"):
            vt.load_learner(tmp_path / "wrong", progress=False)
