"""Answers from a saved folder without torch: the learner's own, as JSON values, whoever asks at once."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vectable as vt
from every_kind import OF_INTERACTIONS, OF_RATINGS, WITHOUT_REASONS, EveryKind
from vectable.answers.best_items import best_items
from vectable.artifact import read_folder, write_folder
from vectable.recommending.selection import Selection

KINDS = EveryKind()
BASKET: Any = {"Film é 3": 5, 7: 1, 11: 2.5}
MAKERS: dict[str, Callable[[], Any]] = {
    "sigmoid and titles": lambda: KINDS.make("dot product"),
    "plain sum, clipped": lambda: trained(y_range=None, scale=0.02),
    "ids alone": lambda: trained(y_range=(0.4, 5.6), scale=1.0),
    "lists by interactions": lambda: KINDS.make("dot product with lists by interactions"),
}


def trained(y_range: Any, scale: float) -> Any:
    """A model of ratings whose users are numbers and whose items have no titles; predictions reach beyond the scale."""
    ratings = KINDS.ratings.drop("day").with_columns(pl.col("user").str.slice(1).cast(pl.Int64))
    learn = vt.collab_learner(vt.RatingsData.from_df(ratings), 4, y_range, progress=False, seed=1)
    learn.fit_one_cycle(3, scale)
    return learn


@pytest.fixture(scope="module", params=list(MAKERS))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A learner, and what answers from its folder."""
    learn = MAKERS[request.param]()
    return learn, vt.load_answers(learn.save(tmp_path_factory.mktemp("answers") / "model"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved dot-product model with titles."""
    return Path(KINDS.make("dot product").save(tmp_path_factory.mktemp("answers") / "model"))


def assert_same(answer: Any, wanted: Any, within: float = 1e-6) -> None:
    """Rows of an answer are those wanted, floats within 1e-6 and everything else equal; a table lacks what is null."""
    if isinstance(wanted, pl.DataFrame):
        wanted = [{name: value for name, value in row.items() if value is not None} for row in wanted.to_dicts()]
    assert len(answer) == len(wanted)
    for got, row in zip(answer, wanted, strict=True):
        assert got.keys() == row.keys()
        for name, value in row.items():
            close = pytest.approx(value, rel=within, abs=within) if isinstance(value, float) else value
            assert got[name] == close, name


def user_of(learn: Any, at: int) -> Any:
    return learn.data.user_ids.vocabulary[at]


# ---------------------------------------------------------------- the same answers


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"raw": True},
        {"exclude_seen": False, "n": 1000},
        {"candidates": [3, 9, 11], "exclude": [9]},
        {"min_ratings": 14},
        {"diversity": 0.4},
    ],
)
def test_lists_are_the_learners(pair: tuple[Any, Any], filters: dict[str, Any]) -> None:
    learn, answers = pair
    for at in (0, 7, 149):
        user = user_of(learn, at)
        assert_same(answers.recommend(user, **filters)["items"], learn.recommend(user, **filters))
    basket = BASKET if learn.data.titles is not None else {3: 5, 7: 1, 11: 2.5}
    folded = answers.fold_in(basket, **filters)["items"]
    assert_same(folded, learn.fold_in(basket).recommend(**filters), 1e-5)  # its steps add up the rounding of 32 bits


def test_limits_a_value_are_kept(folder: Path) -> None:
    learn, answers = vt.load_learner(folder, progress=False), vt.load_answers(folder)
    how: dict[str, Any] = {"n": 40, "max_per": {"genre": 2}}
    assert_same(answers.recommend("u7", **how)["items"], learn.recommend("u7", **how))
    with pytest.raises(vt.UnknownNameError, match="max_per names 'gerne'"):
        answers.recommend("u7", max_per={"gerne": 1})


def test_lists_for_many_are_the_learners(pair: tuple[Any, Any]) -> None:
    learn, answers = pair
    for users in (None, [user_of(learn, 3), user_of(learn, 5)]):
        answer = answers.recommend_many(users, 4, min_ratings=5)
        rows = [
            {"user": one["user"], "rank": rank, **item}
            for one in answer["users"]
            for rank, item in enumerate(one["items"], start=1)
        ]
        frame = learn.recommend_many(users, 4, min_ratings=5)
        shown = [{name: row[name] for name in frame.columns} for row in rows]
        assert_same(shown, frame)


def test_neighbours_reasons_and_predictions_are_the_learners(pair: tuple[Any, Any]) -> None:
    learn, answers = pair
    user = user_of(learn, 7)
    for item in (0, 9, 129):
        assert_same(answers.similar(item, 6)["items"], learn.similar(item, 6))
        assert_same(answers.similar(item, 200, 12)["items"], learn.similar(item, 200, 12))
        assert_same(answers.explain(user, item, 3)["terms"], learn.explain(user, item, 3))
    rows = [{"user": user_of(learn, at % 150), "item": at % 130} for at in range(300)]
    for raw in (False, True):
        predicted = np.array(answers.predict(rows, raw=raw)["predictions"], dtype=np.float32)
        assert predicted == pytest.approx(learn.predict(pl.DataFrame(rows), raw=raw), rel=1e-6)
    assert answers.predict([]) == {"predictions": [], "notes": []}


def test_a_serving_folder_answers_the_same(folder: Path, tmp_path: Path) -> None:
    whole, slim = vt.load_answers(folder), vt.load_answers(vt.slim(folder, tmp_path / "slim"))
    assert whole.version != slim.version
    for ask in (
        lambda one: one.recommend_many(n=5),
        lambda one: one.predict([{"user": "u7", "item": 3}, {"user": "u8", "item": "Film é 4"}]),
    ):
        assert ask(slim) == ask(whole)
    for ask in (
        lambda one: one.fold_in(BASKET)["items"],
        lambda one: one.similar("Film é 3")["items"],
        lambda one: one.explain("u7", 9)["terms"],
    ):
        assert_same(ask(slim), ask(whole))


# ---------------------------------------------------------------- every kind

KINDS_OF_LISTS = [*OF_RATINGS, *OF_INTERACTIONS]


@pytest.fixture(scope="module", params=KINDS_OF_LISTS)
def any_pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any, Any]:
    """A kind of model of lists, its learner, and what answers from its folder."""
    learn = KINDS.make(request.param)
    return request.param, learn, vt.load_answers(learn.save(tmp_path_factory.mktemp("answers") / "model"))


def shown(answer: Any) -> list[dict[str, Any]]:
    """An answer as the rows of the learner's frame."""
    if "terms" in answer:
        return list(answer["terms"])
    if "users" not in answer:
        return list(answer["items"])
    return [
        {"user": one["user"], "rank": rank, **item}
        for one in answer["users"]
        for rank, item in enumerate(one["items"], start=1)
    ]


def test_every_kind_answers_as_its_learner(any_pair: tuple[str, Any, Any]) -> None:
    kind, learn, answers = any_pair
    basket: Any = {"Film é 3": 5, 7: 1} if kind in OF_RATINGS else ["Film é 3", 7]
    limits: dict[str, Any] = {"max_per": {"genre": 2}, "diversity": 0.3, "min_ratings": 3}
    for ask in (
        lambda one: one.recommend("u7", 5),
        lambda one: one.recommend("u7", 5, False, **limits),
        lambda one: one.recommend("u7", 5, candidates=[3, 9, 11], exclude=[9]),
        lambda one: one.similar("Film é 3", 5),
        *([] if kind in WITHOUT_REASONS else [lambda one: one.explain("u7", 9)]),
    ):
        answer = ask(answers)
        assert json.loads(json.dumps(answer)) == answer
        assert_same(shown(answer), ask(learn))
    assert_same(shown(answers.fold_in(basket, 5)), learn.fold_in(basket).recommend(5), 1e-5)
    if kind in WITHOUT_REASONS:
        with pytest.raises(vt.VectableError, match="no exact reason"):
            answers.explain("u7", 9)
    frame = learn.recommend_many(["u3", "u5"], 4)
    rows = shown(answers.recommend_many(["u3", "u5"], 4))
    assert_same([{name: row[name] for name in frame.columns} for row in rows], frame)
    if kind in OF_RATINGS:
        pairs = answers.predict(KINDS.rows.to_dicts())
        assert pairs["notes"] == []
        assert np.float32(pairs["predictions"]) == pytest.approx(learn.predict(KINDS.rows), rel=1e-6)
    if kind in OF_RATINGS and kind != "net" and not kind.startswith("dot product"):
        assert_same(shown(answers.recommend("u7", 5, ucb_scale=1)), learn.recommend("u7", 5, ucb_scale=1))
        _, std = learn.predict(KINDS.rows, return_std=True)
        assert np.float32(answers.predict(KINDS.rows.to_dicts(), return_std=True)["std"]) == pytest.approx(std)


def test_every_kind_notes_what_it_does_not_know(any_pair: tuple[str, Any, Any]) -> None:
    kind, _, answers = any_pair
    assert [note["code"] for note in answers.recommend("nobody")["notes"]] == ["unknown_user"]
    basket: Any = {"no such film": 5} if kind in OF_RATINGS else ["no such film"]
    assert [note["code"] for note in answers.fold_in(basket)["notes"]] == ["unknown_item"]
    with pytest.raises(vt.UnknownNameError, match="Film é 1300"):
        answers.similar("Film é 1300")
    with pytest.raises(vt.UnknownNameError, match="Lists have no argument 'min_rating'"):
        answers.recommend("u7", min_rating=1)
    users = [f"u{at}" if at % 3 else f"stranger {at}" for at in range(30)]
    alone = [answers.recommend(user, 3) for user in users]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda user: answers.recommend(user, 3), users)) == alone


def test_new_users_of_draws_are_known_by_columns_too(any_pair: tuple[str, Any, Any]) -> None:
    kind, learn, answers = any_pair
    if "posterior" not in kind:
        if kind in OF_RATINGS:
            with pytest.raises(vt.VectableError, match="features"):
                answers.fold_in({7: 1}, features={"age": 30})
        return
    for basket in ({}, {"Film é 3": 5, 7: 1}):
        answer = answers.fold_in(basket, 5, features={"age": 30})
        assert_same(answer["items"], learn.fold_in(basket, {"age": 30}).recommend(5), 1e-5)


@pytest.mark.parametrize("kind", ["posterior", "EASE", "next item"])
def test_a_serving_folder_of_any_kind_answers(kind: str, tmp_path: Path) -> None:
    whole = KINDS.make(kind).save(tmp_path / "whole")
    slim = vt.load_answers(vt.slim(whole, tmp_path / "slim"))
    answer = vt.load_answers(whole).recommend("u7", 5)["items"]
    assert_same(slim.recommend("u7", 5)["items"], answer)


def test_photographs_are_classified_as_by_the_learner(tmp_path: Path) -> None:
    learn = KINDS.make("images")
    answers = vt.load_answers(learn.save(tmp_path / "model"))
    photographs = list(KINDS.pictures[:3])
    answer = answers.classify(photographs)
    assert answer["predictions"] == [one.label for one in learn.predict(photographs)]
    assert np.float32(answer["probabilities"]) == pytest.approx(learn.predict_proba(photographs))
    assert json.loads(json.dumps(answer)) == answer
    assert answers.classify([]) == {"predictions": [], "probabilities": [], "notes": []}
    with pytest.raises(vt.VectableError, match="photographs must be a list"):
        answers.classify("ant.jpg")


def raw_rows() -> list[dict[str, Any]]:
    return KINDS.rows.with_columns(pl.col("rating").cast(pl.String).alias("stars")).to_dicts()


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_rows_are_predicted_as_by_the_learner(kind: str, tmp_path: Path) -> None:
    learn, rows = KINDS.make(kind), raw_rows()
    whole = learn.save(tmp_path / "whole")
    for path in (whole, vt.slim(whole, tmp_path / "slim")):
        answers = vt.load_answers(path)
        answer = answers.predict(rows)
        assert answer["notes"] == []
        assert json.loads(json.dumps(answer)) == answer
        exact = learn.outputs(KINDS.rows, double=True)
        wanted = learn.data.target.decode(exact).to_list() if kind == "classes" else learn.data.target.decode(exact)
        if kind == "classes":
            assert answer["predictions"] == wanted == list(learn.predict(KINDS.rows))
            assert answers.classes == learn.data.target.classes.to_list()
            assert np.array(answer["probabilities"]) == pytest.approx(exact, abs=1e-6)
        else:
            assert answer["predictions"] == pytest.approx(wanted, rel=1e-6)
            assert answer["predictions"] == pytest.approx(learn.predict(KINDS.rows), rel=1e-5)
        alone = [answers.predict([row])["predictions"][0] for row in rows[:5]]
        assert alone == answer["predictions"][:5] or alone == pytest.approx(answer["predictions"][:5], rel=1e-12)


def test_new_values_in_rows_are_noted_and_missing_columns_refused(tmp_path: Path) -> None:
    answers = vt.load_answers(KINDS.make("numbers").save(tmp_path / "model"))
    row = raw_rows()[0]
    for rows in ([{**row, "user": "stranger"}], [{**row, "user": "stranger"}, row]):
        (note,) = answers.predict(rows)["notes"]
        assert (note["code"], note["count"]) == ("new_values", 1)
        assert "1 in 'user'" in note["text"]
    with pytest.raises(vt.DataError, match="Row 1 has no 'user'"):
        answers.predict([row, {name: value for name, value in row.items() if name != "user"}])
    with pytest.raises(vt.VectableError, match="Row 0 is a list"):
        answers.predict([[1, 2]])
    assert answers.predict([]) == {"predictions": [], "notes": []}
    assert answers.classes is None


def test_a_net_whose_parts_do_not_fit_is_refused(tmp_path: Path) -> None:
    whole = KINDS.make("numbers").save(tmp_path / "whole")
    weights = read_folder(whole).tensors["weights"]
    names = [name for name, one in weights.items() if one.dim() and name != "missing"]  # which only training reads
    for at, name in enumerate(names):
        contents = read_folder(whole)
        contents.tensors["weights"][name] = contents.tensors["weights"][name][:-1].clone()
        with pytest.raises(vt.ArtifactError, match="is damaged"):
            vt.load_answers(write_folder(tmp_path / str(at), contents))


# ---------------------------------------------------------------- what is taken in its stride, and what is refused


def test_answers_are_json_and_say_what_was_unknown(folder: Path) -> None:
    answers = vt.load_answers(folder)
    unknown = answers.recommend("nobody", 2)
    assert [note["code"] for note in unknown["notes"]] == ["unknown_user"]
    assert "'nobody'" in unknown["notes"][0]["text"]
    assert "average user likes best" in unknown["notes"][0]["text"]
    basket = answers.fold_in({"Film é 3": 5.2, "no such film": 1})
    assert {note["code"]: note["count"] for note in basket["notes"]} == {"off_scale": 1, "unknown_item": 1}
    many = answers.recommend_many(["u1", "x", "y"], 1)
    assert [(note["code"], note["count"]) for note in many["notes"]] == [("unknown_user", 2)]
    pairs = answers.predict([{"user": "x", "item": "Film é 3"}])
    assert [note["code"] for note in pairs["notes"]] == ["unknown_user"]
    for answer in (unknown, basket, many, pairs, answers.similar(3), answers.explain("x", 3)):
        assert json.loads(json.dumps(answer)) == answer


def test_what_cannot_be_answered_is_a_sentence(folder: Path) -> None:
    answers = vt.load_answers(folder)
    with pytest.raises(vt.UnknownNameError, match=r"1 unknown item \('Film é 1300'\).*Close to"):
        answers.similar("Film é 1300")
    with pytest.raises(vt.VectableError, match="n must be a positive integer"):
        answers.recommend("u7", 0)
    with pytest.raises(vt.VectableError, match="ucb_scale needs a model that knows how sure it is"):
        answers.recommend("u7", ucb_scale=1)
    with pytest.raises(vt.UnknownNameError, match="Lists have no argument 'min_rating'"):
        answers.recommend("u7", min_rating=1)
    with pytest.raises(vt.VectableError, match="Row 1 has not both 'user' and 'item'"):
        answers.predict([{"user": "u7", "item": 3}, {"user": "u7"}])
    with pytest.raises(vt.VectableError, match="go from 1 to 5"):
        answers.fold_in({3: 11})


def test_a_custom_module_is_named(tmp_path: Path) -> None:
    contents = read_folder(KINDS.make("numbers").save(tmp_path / "model"))
    contents.kind = "own module"
    with pytest.raises(vt.VectableError, match=r"holds a model of kind 'own module'.*use load_learner"):
        vt.load_answers(write_folder(tmp_path / "other", contents))


def test_a_damaged_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(vt.ArtifactError, match="There is no saved model"):
        vt.load_answers(tmp_path / "nothing")
    for part in ("weights", "ratings"):
        contents = read_folder(folder)
        name, array = next(iter(contents.tensors[part].items()))
        contents.tensors[part][name] = array[:-1]
        with pytest.raises(vt.ArtifactError, match=r"is damaged: .*entries"):
            vt.load_answers(write_folder(tmp_path / part, contents))
    broken = Path(write_folder(tmp_path / "broken", read_folder(folder)))
    (file,) = broken.glob("weights-*")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(vt.ArtifactError, match="not, byte for byte, what was saved"):
        vt.load_answers(broken)


# ---------------------------------------------------------------- for programs that serve many


def test_it_never_changes_and_threads_keep_their_notes(folder: Path) -> None:
    answers = vt.load_answers(folder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        answers.scale = None
    with pytest.raises(ValueError, match="read-only"):
        answers.model.items[0, 0] = 1
    users = [f"u{at}" if at % 3 else f"stranger {at}" for at in range(150)]
    alone = [answers.recommend(user, 3) for user in users]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda user: answers.recommend(user, 3), users)) == alone
    assert [len(one["notes"]) for one in alone] == [int(at % 3 == 0) for at in range(150)]


def test_torch_is_never_imported(folder: Path, tmp_path: Path) -> None:
    code = """
import sys, vectable as vt
for path in sys.argv[1:]:
    one = vt.load_answers(path)
    one.recommend("u7", max_per={"genre": 2}), one.recommend_many(n=2), one.fold_in({3: 5}), one.similar(3)
    one.explain("u7", 3), one.predict([{"user": "u7", "item": 3}])
vt.load_answers("numbers").predict([{"user": "u7", "genre": None, "item": 3, "day": 3, "stars": "2.0"}])
for path in ("EASE", "ALS", "neighbours", "next item"):
    one = vt.load_answers(path)
    one.recommend("u7", max_per={"genre": 2}), one.recommend_many(n=2), one.fold_in([3, 5]), one.similar(3)
    one.explain("u7", 3)
for path in json.loads(draws):
    one = vt.load_answers(path)
    one.recommend("u7", max_per={"genre": 2}, ucb_scale=1), one.recommend_many(n=2), one.fold_in({3: 5}), one.similar(3)
    one.explain("u7", 3), one.predict([{"user": "u7", "item": 3, "day": 4}], return_std=True)
    one.fold_in({}, features={"age": 30}, ucb_scale=-1)
assert "torch" not in sys.modules
assert "scipy.stats" not in sys.modules  # a second of the start
"""
    draws = [kind for kind in OF_RATINGS if "posterior" in kind]
    code = f"import json\ndraws = {json.dumps(json.dumps(draws))}\n{code}"
    for kind in ("numbers", *draws, "ALS", "EASE", "neighbours", "next item"):
        KINDS.make(kind).save(tmp_path / kind)
    paths = [str(folder), str(vt.slim(folder, tmp_path / "slim"))]
    done = subprocess.run(
        [sys.executable, "-c", code, *paths], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("n", [1, 5, 50, 200])
def test_the_best_items_are_those_of_a_full_sort(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        sums = rng.integers(0, 12, 100).astype(np.float32)  # many are equal
        seen = rng.choice(np.arange(1, 100), 10, replace=False).astype(np.int32)
        allowed = rng.random(100) < 0.7
        possible = [at for at in range(1, 100) if at not in set(seen.tolist()) and allowed[at]]
        wanted = sorted(possible, key=lambda at: (-sums[at], at))[:n]
        codes, scores = best_items(sums.copy(), lambda one: one / 2, n, seen, allowed, Selection())
        assert codes.tolist() == wanted
        assert scores.tolist() == (sums[wanted] / 2).tolist()
