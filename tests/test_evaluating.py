"""Lists of learners of ratings and of interactions, measured on the same held-out users."""

import numpy as np
import polars as pl
import pytest

import vectable as vt
from test_lists_by_interactions import data_of, gradient, tastes

RATINGS = tastes(120, 11).with_columns(when=pl.int_range(pl.len()))


@pytest.fixture(scope="module")
def data():
    return data_of(RATINGS, valid_pct=0.25, timestamp="when")


@pytest.fixture(scope="module")
def learners(data):
    likes = data.to_interactions()
    return {
        "by rating": vt.collab_learner(data, 4, progress=False).fit(2),
        "by interactions": gradient(data),
        "interactions": vt.implicit_learner(likes, "ease", progress=False).fit(),
    }


def test_learners_of_both_kinds_stand_beside_popularity(data, learners):
    found = vt.evaluate(learners, data, k=(5, 10), by="activity")
    assert [*found.figures] == [*learners, "popularity", "recent popularity"]
    for name in ("by interactions", "interactions"):
        assert found.mean(name, "ndcg@5") > 1.5 * found.mean("popularity", "ndcg@5")
    apart = found.differences("ndcg@5", to="popularity")
    assert apart.filter(model="by interactions")["low"].item() > 0
    assert set(found.to_frame().columns) >= {
        "ndcg@5",
        "recall@10",
        "mrr@5",
        "map@5",
        "coverage@10",
        "novelty@5",
        "gini@5",
    }
    assert found.by_group()["users"].sum() == found.n_users
    assert "validation ratings of at least" in repr(found)


def test_the_figures_are_those_of_ranking(data, learners):
    for relevant in (None, 4):
        found = vt.evaluate(learners["by rating"], k=10, relevant=relevant)
        wanted = learners["by rating"].ranking(10, relevant)
        assert found.n_users == wanted["users"]
        assert found.mean("CollabLearner", "ndcg@10") == pytest.approx(wanted["model"]["ndcg"])
        assert found.mean("CollabLearner", "recall@10") == pytest.approx(wanted["model"]["recall"])
        assert found.mean("CollabLearner", "hit_rate@10") == pytest.approx(wanted["model"]["hit_rate"])


@pytest.mark.filterwarnings("ignore:The draws are too few")
def test_draws_are_measured_too(data):
    learn = vt.bayes_collab_learner(data, 2, 10, 5, lists="interactions", progress=False).fit()
    found = vt.evaluate(learn, k=5)
    assert found.mean("BayesLearner", "ndcg@5") > 1.5 * found.mean("popularity", "ndcg@5")


def test_who_was_trained_on_what_is_to_be_found_is_not_measured(data, learners):
    knowing = vt.implicit_learner(data.to_interactions(), "ease", progress=False).fit(refit=True)
    with pytest.raises(vt.VectableError, match=r"'ease' was trained on \d+ of the \d+ interactions"):
        vt.evaluate([knowing], data)
    with pytest.raises(vt.VectableError, match=r"'ease' was trained on \d+ of the \d+ interactions"):
        vt.evaluate([knowing], data.to_interactions(), part="valid")
    other = data.to_interactions(split="random", test_pct=0.3, valid_pct=0.0)
    with pytest.raises(vt.VectableError, match="'CollabLearner' was trained on"):
        vt.evaluate([learners["by rating"]], other)


def test_a_pair_rated_in_training_is_nothing_to_find():
    train = pl.DataFrame({"user": [1, 1, 2, 2], "item": [1, 2, 1, 3], "rating": [1.0, 5, 5, 2]})
    valid = pl.DataFrame({"user": [1, 1, 2, 9], "item": [1, 3, 2, 1], "rating": [5.0, 5, 5, 5]})
    learn = vt.collab_learner(vt.RatingsData.from_splits(train, valid), 2, progress=False).fit(1)
    found = vt.evaluate(learn, k=1, relevant=4)
    assert found.n_users == 2
    assert found.figures["popularity"].per_user["ndcg@1"] == pytest.approx(np.ones(2))


def test_what_cannot_be_measured_is_named(data, learners):
    for call, message in (
        (lambda: vt.evaluate(learners["by rating"], relevant=9), "No interaction that could be found"),
        (lambda: vt.evaluate(learners["interactions"], relevant=3, part="valid"), "relevant= belongs to ratings"),
        (lambda: vt.evaluate([3], data), "must be a learner of interactions or of ratings"),
        (lambda: vt.evaluate(learners["by rating"], data_of(RATINGS[:300])), "was fitted on other"),
        (lambda: vt.evaluate(vt.collab_learner(data_of(valid_pct=0), 2, progress=False)), "No interaction that could"),
    ):
        with pytest.raises(vt.VectableError, match=message):
            call()
