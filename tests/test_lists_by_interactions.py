"""Lists of learners of ratings that are ranked by who would take what, and show the rating expected."""

import json
import warnings

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, sentence, vectable
from vectable.factorising.ease import ease
from vectable.factorising.sparse_rows import SparseRows
from vectable.recommending.list_ranker import ListRanker


def tastes(n_users=90, each=9, seed=0) -> pl.DataFrame:
    """Users of three tastes who rate mostly ten of thirty books each; what they rate says nothing of how high."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        own = user % 3 * 10 + rng.permutation(10)[: each - 1]
        others = rng.integers(0, 30, 1)
        rows += [(f"u{user}", f"b{item}", float(rng.integers(1, 6))) for item in np.unique([*own, *others])]
    return pl.DataFrame(rows, schema=["user", "item", "rating"], orient="row").sample(fraction=1, shuffle=True, seed=1)


RATINGS = tastes()
BOOKS = pl.DataFrame({"item": [f"b{at}" for at in range(30)], "label": [f"Book {at}" for at in range(30)]})


def data_of(frame=RATINGS, **how) -> vt.RatingsData:
    return vt.RatingsData.from_df(frame, **{"items": BOOKS, "title": "label", **how})


def gradient(data, **how):
    return vt.collab_learner(data, 4, lists="interactions", progress=False, **how).fit(2)


def drawn(data, **how):
    return vt.bayes_collab_learner(data, 4, 10, 5, lists="interactions", progress=False, **how).fit()


MAKERS = {"gradient": gradient, "ensemble": lambda data: gradient(data, n_models=2), "draws": drawn}


@pytest.fixture(scope="module", params=list(MAKERS))
def learn(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # draws are few
        return MAKERS[request.param](data_of())


def test_lists_are_of_the_users_taste_and_show_the_rating_expected(learn):
    found = learn.recommend_many(n=2)
    assert found.columns == ["user", "item", "title", "rank", "score", "prediction"]
    taste = found["user"].str.slice(1).cast(int) % 3
    assert float((taste == found["item"].str.slice(1).cast(int) // 10).mean()) > 0.8
    one = learn.recommend("u4", 2)
    assert one.columns == ["item", "title", "score", "prediction", "ratings"]
    alike = found.filter(pl.col("user") == "u4")
    assert one["item"].to_list() == alike["item"].to_list()
    assert one["score"].to_list() == alike["score"].to_list()
    expected = learn.predict(pl.DataFrame({"user": ["u4"] * 2, "item": one["item"]}))
    assert one["prediction"].to_numpy() == pytest.approx(expected, abs=1e-5)
    assert one["score"].is_sorted(descending=True)


def test_the_reasons_of_the_place_add_up_to_the_score(learn):
    best = learn.recommend("u4", 1)
    why = learn.explain("u4", best["item"][0], 3)
    assert why["term"].to_list() == ["score", "because", "because", "because", "everything else", "prediction"]
    assert why["points"][0] == pytest.approx(best["score"][0], abs=1e-5)
    assert why["points"][1:5].sum() == pytest.approx(why["points"][0], abs=1e-5)
    assert why["points"][5] == pytest.approx(best["prediction"][0], abs=1e-5)
    given = RATINGS.filter(pl.col("user") == "u4")
    rated = dict(zip(given["item"], given["rating"], strict=True))
    assert [rated[item] for item in why["item"][1:4]] == why["your_rating"][1:4].to_list()
    of_rating = learn.explain("u4", best["item"][0], 3, of="rating")
    assert of_rating["term"].to_list()[:5] == ["prediction", "mean", "user", "item", "taste"]
    assert of_rating["points"][0] == pytest.approx(best["prediction"][0], abs=1e-5)
    with pytest.raises(vt.VectableError, match="of must be 'list' or 'rating'; got 'score'"):
        learn.explain("u4", "b3", of="score")


def test_a_user_folded_in_is_ranked_by_what_they_rated(learn):
    basket = learn.fold_in({"Book 11": 5, "b12": 4, "b13": 5})
    shown = basket.recommend(3)
    assert all(10 <= int(item[1:]) < 20 for item in shown["item"])
    why = basket.explain(shown["item"][0], 2)
    assert why["points"][0] == pytest.approx(shown["score"][0], abs=1e-5)
    assert basket.explain("b15", of="rating")["term"][0] == "prediction"


def test_somebody_of_whom_nothing_is_known_gets_what_most_rated(learn):
    popular = np.argsort(-learn.data.item_counts[1:], kind="stable")[:4] + 1
    with pytest.warns(vt.VectableWarning, match=r"1 unknown user .'nobody'.: the list is what most users took"):
        shown = learn.recommend("nobody", 4)
    assert sorted(shown["ratings"], reverse=True) == learn.data.item_counts[popular].tolist()
    assert learn.fold_in({}).recommend(4)["item"].to_list() == shown["item"].to_list()
    assert learn.fold_in({}).explain(shown["item"][0])["term"].to_list() == ["score", "prediction"]


def test_filters_and_the_confidence_bound():
    learn = gradient(data_of(), n_models=2)
    best = learn.recommend("u4", 5)
    without = learn.recommend("u4", 5, exclude=best["title"][:2].to_list())
    assert without["item"].to_list()[:3] == best["item"].to_list()[2:]
    diverse = learn.recommend("u4", 5, diversity=1.0)
    assert set(diverse["item"]) != set(best["item"])
    safe = learn.recommend("u4", 5, ucb_scale=-1)
    assert safe.columns == ["item", "title", "prediction", "std", "ratings"]
    plain = vt.collab_learner(data_of(), 4, n_models=2, progress=False).fit(2)
    assert safe["item"].to_list() == plain.recommend("u4", 5, ucb_scale=-1)["item"].to_list()


@pytest.mark.parametrize("by", ["ratings", "interactions"])
def test_novelty_lifts_what_few_have_rated(by, tmp_path):
    few = pl.concat(
        [RATINGS, RATINGS.filter(pl.col("item") != "b3").sample(300, seed=2).with_columns(pl.col("user") + "x")]
    )
    learn = vt.collab_learner(data_of(few), 4, lists=by, progress=False).fit(2)
    plain, lifted = learn.recommend("u4", 8), learn.recommend("u4", 8, novelty=2.0)
    assert lifted["ratings"].mean() < plain["ratings"].mean()
    assert lifted.columns == ["item", "title", "score", "prediction", "ratings"]
    every = learn.recommend("u4", 40)
    expected = dict(zip(every["item"], every["prediction"], strict=True))
    assert lifted["prediction"].to_list() == [expected[item] for item in lifted["item"]]
    served = vt.load_answers(learn.save(tmp_path / "model")).recommend("u4", 8, novelty=2.0)["items"]
    assert [one["item"] for one in served] == lifted["item"].to_list()
    assert [one["score"] for one in served] == pytest.approx(lifted["score"].to_list(), rel=1e-5)
    assert learn.fold_in({"b11": 5}).recommend(3, novelty=0.5)["score"].is_sorted(descending=True)
    assert len(learn.recommend_many(["u4", "u5"], 3, novelty=0.5, diversity=0.3)) == 6
    with pytest.raises(vt.VectableError, match="novelty must be a number from 0 on; got -1"):
        learn.recommend("u4", novelty=-1)


def test_lists_beat_those_by_the_predicted_rating_and_popularity():
    found = gradient(data_of(valid_pct=0.2)).ranking(5, relevant=1)
    plain = vt.collab_learner(data_of(valid_pct=0.2), 4, progress=False).fit(2).ranking(5, relevant=1)
    assert found["model"]["ndcg"] > 1.5 * found["popularity"]["ndcg"]
    assert found["model"]["ndcg"] > 1.5 * plain["model"]["ndcg"]


def test_new_ratings_change_the_lists():
    learn = gradient(data_of())
    before = learn.recommend("u4", 3)["item"].to_list()
    learn.update(pl.DataFrame({"user": ["new"] * 5, "item": [f"b{at}" for at in range(20, 25)], "rating": 5.0}), 0)
    assert all(20 <= int(item[1:]) < 30 for item in learn.recommend("new", 4)["item"])
    assert learn.recommend("u4", 3)["item"].to_list() == before


@pytest.mark.filterwarnings("ignore:The draws are too few")
def test_an_added_item_that_nobody_has_rated_is_known_and_comes_last(tmp_path):
    learn = drawn(data_of())
    learn.add_item("b99", ratings={"u4": 5, "u7": 5}, title="New")
    assert learn.recommend("u1", 40)["score"][-1] == pytest.approx(learn.recommend("u1", 40)["score"].min())
    assert learn.recommend("u1", 3, candidates=["New"])["score"].to_list() == [0.0]
    again = vt.load_learner(learn.save(tmp_path / "model"))
    assert again.recommend("u1", 40).equals(learn.recommend("u1", 40))


def test_weights_are_those_of_ease_on_weighted_ratings():
    data = data_of(duplicates="keep")
    ranker = gradient(data).recommender.ranker
    rows = data.train_ratings
    values = (0.5 + (rows.rating - 1) / 4).astype(np.float32)
    order = np.lexsort((rows.item, rows.user))
    pairs = rows.user[order], rows.item[order], values[order]
    wanted = ease(SparseRows.from_pairs(*pairs, n_rows=len(data.user_ids), n_columns=len(data.item_ids)))
    assert ranker.weights.matrix == pytest.approx(wanted.matrix, abs=1e-6)


def test_a_pair_that_was_rated_twice_counts_once_with_the_mean():
    once = data_of(RATINGS, valid_pct=0)
    first = RATINGS[:1].with_columns(rating=pl.lit(6.0) - pl.col("rating"))
    twice = data_of(pl.concat([RATINGS, first]), valid_pct=0)
    mean = data_of(pl.concat([RATINGS, first]), valid_pct=0, duplicates="mean")
    sizes = len(once.user_ids), len(once.item_ids)
    fitted = [ListRanker.fit(one.train_ratings, *sizes, (1, 5)).weights.matrix for one in (twice, mean)]
    assert fitted[0] == pytest.approx(fitted[1], abs=1e-6)


def test_wrong_lists_are_named(tmp_path):
    for make in (vt.collab_learner, vt.bayes_collab_learner):
        with pytest.raises(vt.UnknownNameError, match=r"no lists 'interaction'\. Did you mean 'interactions'"):
            make(data_of(), lists="interaction")
    RATINGS.write_csv(tmp_path / "ratings.csv")
    shown = sentence(vectable("train", "ratings", tmp_path / "ratings.csv", "--lists", "popular"))
    assert "--lists must be 'ratings' or 'interactions'; got 'popular'." in shown


@pytest.mark.slow
def test_the_command_trains_and_answers(tmp_path):
    RATINGS.write_csv(tmp_path / "ratings.csv")
    folder = tmp_path / "model"
    options = ("--lists", "interactions", "--epochs", 1, "-o", folder, "--json")
    made = good(vectable("train", "ratings", tmp_path / "ratings.csv", *options))
    assert json.loads(made.stdout)["ranking"]["model"]["ndcg"] > 0
    assert vt.load_learner(folder).recommend("u4", 2).columns == ["item", "score", "prediction", "ratings"]
    listed = json.loads(good(vectable("recommend", folder, "u4", "-n", 2, "--json")).stdout)
    assert set(listed[0]) == {"item", "score", "prediction", "ratings"}
    why = json.loads(good(vectable("explain", folder, "u4", listed[0]["item"], "--json")).stdout)
    assert why[0]["term"] == "score"
