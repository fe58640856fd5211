"""Lists for every learner of ratings: requests, answers and their notes, limits per group, diversity, threads."""

import random
import threading
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vectable as vt
from vectable.recommending.request import ListRequest

AUTHORS = 5


def tables(n_users: int = 60, n_items: int = 40) -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(0)
    taste, kind = rng.normal(size=(n_users, 2)), rng.normal(size=(n_items, 2))
    truth = 3 + 0.6 * rng.normal(size=n_items) + 0.8 * taste @ kind.T
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.4)
    rating = np.clip(np.round(2 * (truth[user, item] + 0.3 * rng.normal(size=len(user)))) / 2, 0.5, 5)
    at = np.arange(n_items)
    return {
        "ratings": pl.DataFrame({"user": user + 100, "item": item, "rating": rating}),
        "items": pl.DataFrame(
            {
                "item": at,
                "title": [f"Book {one // 2:02d}" for one in at],
                "author": [None if one % 8 == 7 else f"Author {one % AUTHORS}" for one in at],
                "tags": ["|".join(f"t{tag}" for tag in range(3) if (one + 1) >> tag & 1) for one in at],
                "year": at % 3 + 2000.0,
            }
        ),
    }


def data_of(given: dict[str, pl.DataFrame]) -> vt.RatingsData:
    return vt.RatingsData.from_df(given["ratings"], title="title", items=given["items"])


@pytest.fixture(scope="module")
def learners() -> dict[str, Any]:
    data = data_of(tables())
    gradient = {"n_factors": 5, "progress": False}
    made = {
        "gradient": vt.collab_learner(data, **gradient),
        "ensemble": vt.collab_learner(data, n_models=2, **gradient),
        "net": vt.collab_learner(data, use_nn=True, layers=[10], **gradient),
    }
    for learn in made.values():
        learn.fit_one_cycle(4, 0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        made["draws"] = vt.bayes_collab_learner(data, 3, 20, 5, progress=False).fit()
    return made


@pytest.fixture(params=["gradient", "ensemble", "net", "draws"])
def learn(request: pytest.FixtureRequest, learners: dict[str, Any]) -> Any:
    return learners[request.param]


# ---------------------------------------------------------------- at most so many per group


def greedy(ranked: list[int], groups: dict[int, list[Any]], most: int, n: int) -> list[int]:
    """The list by brute force: down the ranking, whatever has no full group."""
    taken: dict[Any, int] = {}
    found = []
    for item in ranked:
        if len(found) < n and all(taken.get(group, 0) < most for group in groups[item]):
            found.append(item)
            for group in groups[item]:
                taken[group] = taken.get(group, 0) + 1
    return found


@pytest.mark.parametrize(("column", "most"), [("author", 1), ("author", 2), ("title", 1), ("tags", 4), ("year", 3)])
def test_a_list_has_at_most_so_many_items_per_group(learn: Any, column: str, most: int) -> None:
    items = tables()["items"]
    values = items["tags"].str.split("|").to_list() if column == "tags" else [[one] for one in items[column]]
    groups = {
        item: [one for one in group if one is not None] for item, group in zip(items["item"], values, strict=True)
    }
    ranked = learn.recommend(107, n=40)["item"].to_list()
    for n in (1, 4, 12, 40):
        found = learn.recommend(107, n=n, max_per={column: most})
        assert found["item"].to_list() == greedy(ranked, groups, most, n)
        assert found["prediction"].is_sorted(descending=True)


def test_several_limits_hold_together_and_in_many_lists(learn: Any) -> None:
    limits = {"author": 2, "year": 3}
    many = learn.recommend_many(n=6, max_per=limits)
    for (user,), mine in many.group_by("user", maintain_order=True):
        alone = learn.recommend(user, n=6, max_per=limits)
        assert mine["item"].to_list() == alone["item"].to_list()
        assert mine["rank"].to_list() == list(range(1, len(mine) + 1))
        joined = mine.join(tables()["items"], on="item")
        assert joined["author"].drop_nulls().value_counts()["count"].max() <= 2
        assert joined["year"].value_counts()["count"].max() <= 3


def test_a_limit_that_leaves_room_still_fills_the_list(learn: Any) -> None:
    """Two books of each author and five without one: the list of eleven is found far down the ranking."""
    assert len(learn.recommend(107, n=11, exclude_seen=False, max_per={"author": 1})) == 10
    assert len(learn.recommend(107, n=9, exclude_seen=False, max_per={"author": 1})) == 9


def test_limits_and_filters_work_for_a_folded_user_too(learn: Any) -> None:
    folded = learn.fold_in({"Book 01": 5, "Book 09": 1})
    found = folded.recommend(8, max_per={"author": 1}, exclude=["Book 03"], min_ratings=1)
    authors = found.join(tables()["items"], on="item")["author"].drop_nulls()
    assert authors.n_unique() == len(authors)
    assert "Book 03" not in found["title"]


# ---------------------------------------------------------------- diversity


def test_diversity_is_maximal_marginal_relevance(learn: Any) -> None:
    """Against the formula, step by step."""
    recommender = learn.recommender
    request = ListRequest(8, diversity=0.4)
    everything = recommender.answer(107, ListRequest(40))
    scores = (everything.scores - everything.scores.min()) / np.ptp(everything.scores)
    directions = recommender.directions[everything.items]
    chosen: list[int] = []
    while len(chosen) < 8:
        like = (directions @ directions[chosen].T).max(axis=1) if chosen else np.zeros(len(scores))
        value = 0.6 * scores - 0.4 * like
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
    answer = recommender.answer(107, request)
    assert answer.items.tolist() == everything.items[chosen].tolist()
    assert answer.scores.tolist() == everything.scores[chosen].tolist()


def test_more_diversity_makes_items_of_a_list_less_alike(learn: Any) -> None:
    def likeness(diversity: float) -> float:
        found = []
        for user in range(100, 130):
            items = learn.recommender.answer(user, ListRequest(5, diversity=diversity)).items
            directions = learn.recommender.directions[items]
            found.append((directions @ directions.T)[np.triu_indices(5, 1)].mean())
        return float(np.mean(found))

    plain, some, much = (likeness(diversity) for diversity in (0.0, 0.3, 0.9))
    assert plain > some > much
    assert learn.recommend(107, n=5, diversity=0)["item"].to_list() == learn.recommend(107, n=5)["item"].to_list()


def test_diversity_keeps_to_limits_and_filters(learn: Any) -> None:
    found = learn.recommend(107, n=20, diversity=0.5, max_per={"author": 2}, exclude=[3])
    seen = learn.recommend(107, n=40)["item"]
    assert set(found["item"]) <= set(seen) - {3}
    authors = found.join(tables()["items"], on="item")["author"].drop_nulls()
    assert authors.value_counts()["count"].max() == 2
    assert len(found) == len(learn.recommend(107, n=20, max_per={"author": 2}, exclude=[3]))


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"n": 0}, r"n must be a positive integer; got 0"),
        ({"n": 2.5}, r"n must be a positive integer; got 2\.5"),
        ({"diversity": 1.2}, r"diversity must be in \[0, 1\], 0 for none; got 1\.2"),
        ({"diversity": "much"}, "diversity must be"),
        ({"max_per": 2}, r"max_per must be a mapping from columns to numbers, \{'author': 2\}; got 2"),
        ({"max_per": {"author": 0}}, "max_per of 'author' must be a positive integer; got 0"),
        ({"max_per": {"auther": 2}}, r"max_per names 'auther'.*Did you mean 'author'\?"),
        ({"min_ratings": "many"}, "min_ratings must be a number of ratings; got 'many'"),
        ({"ucb_scale": float("nan")}, "ucb_scale must be a number of standard deviations; got nan"),
        ({"minratings": 3}, r"Lists have no argument 'minratings'\. Did you mean 'min_ratings'\?"),
    ],
)
def test_what_a_list_cannot_be_is_a_sentence(learn: Any, wrong: dict[str, Any], sentence: str) -> None:
    folded = learn.fold_in({"Book 01": 5})
    for ask in (lambda **how: learn.recommend(107, **how), learn.recommend_many, folded.recommend):
        with pytest.raises(vt.VectableError, match=sentence):
            ask(**wrong)


def test_an_upper_confidence_bound_needs_a_model_that_knows_how_sure_it_is(learners: dict[str, Any]) -> None:
    for name in ("ensemble", "draws"):
        found = learners[name].recommend(107, n=40, exclude_seen=False, ucb_scale=3)
        pairs = pl.DataFrame({"user": [107] * 40, "item": found["item"]})
        mean, std = learners[name].predict(pairs, return_std=True, raw=True)
        assert found["std"].to_numpy() == pytest.approx(std, abs=1e-4)
        assert found["prediction"].to_numpy() == pytest.approx(mean.clip(0.5, 5), abs=1e-4)
        assert (np.diff(mean + 3 * std) < 1e-4).all()
    with pytest.raises(vt.VectableError, match=r"knows how sure it is: bayes_collab_learner, or .* n_models"):
        learners["gradient"].recommend(107, ucb_scale=1)
    with pytest.raises(vt.VectableError, match="knows how sure it is"):
        learners["net"].fold_in({"Book 01": 5}).predict(["Book 02"], return_std=True)


def test_optimism_is_the_old_name(learners: dict[str, Any]) -> None:
    with pytest.warns(DeprecationWarning, match="optimism is now called ucb_scale"):
        old = learners["draws"].recommend(107, optimism=2)
    assert old.equals(learners["draws"].recommend(107, ucb_scale=2))
    with (
        pytest.warns(DeprecationWarning, match="ucb_scale"),
        pytest.raises(vt.VectableError, match="the same argument"),
    ):
        learners["draws"].recommend(107, optimism=2, ucb_scale=2)


def test_candidates_come_in_any_form_and_may_be_read_twice(learners: dict[str, Any]) -> None:
    learn = learners["gradient"]
    want = learn.recommend(107, candidates=[3, 4, 5], exclude_seen=False)["item"].to_list()
    assert sorted(want) == [3, 4, 5]
    forms: list[Any] = [(3, 4, 5), {3, 4, 5}, iter([3, 4, 5]), np.array([3, 4, 5]), pl.Series([3, 4, 5])]
    for form in [*forms, pd.Series([3, 4, 5]), range(3, 6)]:
        assert learn.recommend(107, candidates=form, exclude_seen=False)["item"].to_list() == want
    request = ListRequest(candidates=iter([3, 4, 5]), exclude_seen=False)
    first, again = (learn.recommender.answer(107, request).items.tolist() for _ in range(2))
    assert first == again
    assert learn.recommend(107, candidates="Book 01", exclude_seen=False)["title"].unique().to_list() == ["Book 01"]


def test_users_come_as_any_column_missing_ones_among_them(learners: dict[str, Any]) -> None:
    learn = learners["gradient"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        want = learn.recommend_many([105, None], n=3)["item"].to_list()
        for users in (
            pd.Series([105, pd.NA], dtype="Int64"),
            pd.Series([105, None]),
            np.array([105, np.nan]),
            pl.Series([105, None]),
            (105, pd.NA),
            iter([105, None]),
        ):
            assert learn.recommend_many(users, n=3)["item"].to_list() == want


# ---------------------------------------------------------------- answers and notes


def test_predictions_are_shown_on_the_scale_and_ranked_beyond_it() -> None:
    given = tables()
    data = data_of({**given, "ratings": given["ratings"].with_columns(pl.col("rating").clip(3, 5))})
    learn = vt.collab_learner(data, n_factors=5, y_range=(-20, 30), wd=0.0, progress=False)
    learn.fit_one_cycle(10, 0.1)
    shown = learn.recommend_many(n=40, exclude_seen=False)
    raw = learn.recommend_many(n=40, exclude_seen=False, raw=True)
    assert shown["prediction"].max() == 5
    assert raw["prediction"].max() > 5
    assert shown["item"].to_list() == raw["item"].to_list()
    for (_,), mine in raw.group_by("user"):
        assert mine["prediction"].is_sorted(descending=True)
    assert shown["prediction"].to_list() == raw["prediction"].clip(3, 5).to_list()
    pairs = raw.select("user", "item")
    assert learn.predict(pairs, raw=True) == pytest.approx(raw["prediction"].to_numpy(), abs=1e-4)
    assert learn.predict(pairs) == pytest.approx(shown["prediction"].to_numpy(), abs=1e-4)
    user, item = raw.filter(pl.col("prediction") > 5.1).row(0)[:2]
    terms = dict(learn.explain(user, item).select("term", "points").rows())
    assert terms["prediction"] == 5
    assert terms["end of scale"] < 0
    parts = [terms[name] for name in ("mean", "user", "item", "taste", "end of scale")]
    assert sum(parts) == pytest.approx(5, abs=1e-4)
    folded = learn.fold_in({0: 5, 1: 5, 2: 5})
    assert folded.predict(list(range(40)), raw=True).max() > folded.predict(list(range(40))).max() == 5


def test_an_answer_carries_codes_scores_and_notes(learn: Any) -> None:
    recommender = learn.recommender
    request = ListRequest(5, candidates=["Book 01", "No such book", 3, 7, "Book 05"], exclude=["Nor this"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = recommender.answer("nobody", request)
    assert [(note.kind, note.count) for note in answer.notes] == [
        ("unknown_user", 1),
        ("unknown_item", 1),
        ("unknown_item", 1),
    ]
    assert answer.notes.count("unknown_item") == 2
    assert "average user" in next(iter(answer.notes)).message
    assert answer.scores.tolist() == sorted(answer.scores.tolist(), reverse=True)
    assert answer.std is None
    with pytest.warns(vt.VectableWarning) as told:
        learn.recommend("nobody", 5, candidates=request.candidates, exclude=request.exclude)
    assert [str(one.message) for one in told] == [note.message for note in answer.notes]
    many = recommender.answer_many([100, "nobody", 101], ListRequest(3))
    assert len(many) == 3
    assert many.notes.count("unknown_user") == 1
    assert many[0].items.tolist() == recommender.answer(100, ListRequest(3)).items.tolist()


def test_threads_never_see_each_others_notes(learners: dict[str, Any]) -> None:
    """Sixteen threads ask for known and unknown users; each gets the list and the notes of its own question."""
    recommender = learners["gradient"].recommender
    known, unknown = list(range(100, 160)), [f"stranger {at}" for at in range(60)]
    single = {user: recommender.answer(user, ListRequest(4)).items.tolist() for user in known}
    wrong: list[Any] = []

    def ask(seed: int) -> None:
        order = random.Random(seed)
        for user in order.sample(known + unknown, 120):
            answer = recommender.answer(
                user, ListRequest(4, candidates=None if seed % 2 else [*range(40), f"not {seed}"])
            )
            noted = [note.message.split(":")[0] for note in answer.notes]
            want = [] if user in single else [f"1 unknown user ({user!r})"]
            want += [] if seed % 2 else [f"1 unknown item ('not {seed}')"]
            if noted != want or (user in single and answer.items.tolist() != single[user]):
                wrong.append((user, noted, want))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# ---------------------------------------------------------------- neighbours


def test_the_nearest_are_those_of_a_brute_force_search_and_never_the_unknown() -> None:
    from vectable.insight.neighbours import directions_of, nearest

    vectors = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    vectors[0] = vectors[3]  # the unknown's row is the most alike of all
    middle = vectors[1:].mean(axis=0)
    want = {}
    for other in range(1, 9):
        one, two = vectors[3] - middle, vectors[other] - middle
        want[other] = float(one @ two / np.sqrt((one @ one) * (two @ two)))
    del want[3]
    ranked = sorted(want, key=lambda other: -want[other])
    for n in (1, 4, 7, 8, 100):
        found, cosines = nearest(directions_of(vectors), 3, n)
        assert found.tolist() == ranked[:n]
        assert cosines == pytest.approx([want[other] for other in ranked[:n]], abs=1e-6)


def test_similar_shows_how_many_ratings_each_item_has(learn: Any) -> None:
    found = learn.similar("Book 03", n=5)
    counts = learn.data.item_counts[learn.data.item_ids.encode(found["item"])]
    assert found["ratings"].to_list() == counts.tolist()


# ---------------------------------------------------------------- new users against other means


def test_folding_in_is_what_scipys_optimizer_finds(learners: dict[str, Any]) -> None:
    import torch
    from scipy.optimize import minimize

    from vectable.recommending.fold_in import solve_row

    recommender = learners["gradient"].recommender
    (prior,), model = recommender.priors, recommender.model
    items, ratings = np.array([3, 9, 27, 30], dtype=np.int32), np.array([5, 1, 4, 2.5], dtype=np.float32)

    def minimized(row: np.ndarray) -> float:
        """-2 log of N(row; mean, covariance) times that of each rating about its prediction, without the constants."""
        errors = ratings - recommender.scores_of_row(torch.from_numpy(row).float())[items].astype(np.float64)
        off = row - prior.mean
        return float((errors**2).sum() / prior.noise + off @ prior.precision @ off)

    best = minimize(minimized, prior.mean, method="Powell", options={"xtol": 1e-6, "ftol": 1e-10, "maxiter": 200})
    found = solve_row(model, prior, items, ratings).double().numpy()
    assert minimized(found) == pytest.approx(best.fun, rel=1e-3)
    rng = np.random.default_rng(0)
    assert all(minimized(found) <= minimized(found + 0.02 * rng.normal(size=len(found))) + 1e-4 for _ in range(50))
    predicted = [recommender.scores_of_row(torch.from_numpy(row).float()) for row in (found, best.x)]
    assert predicted[0] == pytest.approx(predicted[1], abs=0.02)


def test_a_reasons_points_are_what_the_prediction_loses_without_that_rating() -> None:
    """Where the model is linear in the row: put the mean user's rating in its place, fold in again, and compare."""
    import torch

    from vectable.recommending.fold_in import contributions, solve_row

    learn = vt.collab_learner(data_of(tables()), n_factors=4, y_range=None, progress=False)
    learn.fit_one_cycle(4, 0.02)
    recommender = learn.recommender
    (prior,), model = recommender.priors, recommender.model
    items, ratings = np.array([4, 11, 20], dtype=np.int32), np.array([5, 1, 3.5], dtype=np.float32)
    row = solve_row(model, prior, items, ratings)
    points = contributions(model, prior, row, items, ratings, 7)
    of_mean = recommender.scores_of_row(torch.from_numpy(prior.mean).float())

    def above_average(row: torch.Tensor) -> float:
        scores = recommender.scores_of_row(row)
        return float(scores[7] - scores[0])

    for at in range(3):
        other = ratings.copy()
        other[at] = of_mean[items[at]]
        assert points[at] == pytest.approx(
            above_average(row) - above_average(solve_row(model, prior, items, other)), abs=2e-3
        )
