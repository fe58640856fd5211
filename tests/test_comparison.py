"""Comparing models on the same rows, and knowing whether the rows are the same."""

import warnings

import numpy as np
import polars as pl
import pytest

import vectable as vt


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((80, 50)) < 0.4)
    truth = 3 + rng.normal(size=80)[user] + 0.5 * rng.normal(size=50)[item]
    rating = np.clip(np.round(truth + 0.4 * rng.normal(size=len(user))), 1, 5)
    return pl.DataFrame({"user": user, "item": item, "rating": rating})


def test_a_fingerprint_is_of_the_rows_and_the_split(frame: pl.DataFrame) -> None:
    data = vt.RatingsData.from_df(frame, seed=1)
    assert data.fingerprint == vt.RatingsData.from_df(frame, seed=1).fingerprint
    assert len(data.fingerprint) == 12
    others = [
        vt.RatingsData.from_df(frame, seed=2),
        vt.RatingsData.from_df(frame.head(500), seed=1),
        vt.RatingsData.from_df(frame.with_columns(rating=6 - pl.col("rating")), seed=1),
    ]
    assert data.fingerprint not in {one.fingerprint for one in others}
    halves = frame.head(900), frame.tail(200)
    straight = vt.RatingsData.from_splits(*halves)
    shuffled = vt.RatingsData.from_splits(*(one.sample(fraction=1, shuffle=True, seed=3) for one in halves))
    assert straight.fingerprint == shuffled.fingerprint, "the order of the rows does not matter"


def test_all_models_are_measured_on_the_same_rows(frame: pl.DataFrame) -> None:
    data = vt.RatingsData.from_df(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        found = vt.compare(
            data, seeds=2, n_models=2, gradient={"n_factors": 4}, bayes={"n_factors": 2, "n_draws": 40, "burn_in": 10}
        )
    table = found.table
    assert set(table["model"]) == {"global mean", "biases", "gradient", "ensemble", "bayes"}
    assert table["model"][-1] == "global mean"
    assert table["worse_by"][0] == 0
    assert table["worse_by"].is_sorted()
    assert table["low"][-1] > 0
    assert ((table["low"] <= table["worse_by"]) & (table["worse_by"] <= table["high"])).all()
    assert found.fingerprint == data.fingerprint
    assert found.best in found.conclusion
    assert data.fingerprint in repr(found)
    biases = table.filter(pl.col("model") == "biases")
    recommender = vt.collab_learner(data, progress=False).validate()["baselines"]
    assert biases["rmse"][0] == pytest.approx(recommender["biases"]["rmse"])


def test_paired_differences_have_their_interval(frame: pl.DataFrame) -> None:
    data = vt.RatingsData.from_df(frame)
    found = vt.compare(data, ["global mean", "biases"])
    held_out = data.valid_ratings
    guess = vt.collab_learner(data, progress=False).recommender.baseline.predict(held_out.user, held_out.item)
    gap = (data.mean_rating - held_out.rating) ** 2 - (guess - held_out.rating) ** 2
    row = found.table.row(1, named=True)
    assert row["worse_by"] == pytest.approx(gap.mean())
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * gap.std(ddof=1) / np.sqrt(len(gap)))


def test_what_cannot_be_compared_is_told(frame: pl.DataFrame) -> None:
    data = vt.RatingsData.from_df(frame)
    with pytest.raises(vt.VectableError, match="'bayesian'"):
        vt.compare(data, ["bayesian"])
    with pytest.raises(vt.VectableError, match="valid_pct"):
        vt.compare(vt.RatingsData.from_df(frame, valid_pct=0))
    with pytest.raises(vt.VectableError, match="Did you mean 'bayes'"):
        vt.compare(data, ["baes"])
    with pytest.raises(vt.VectableError, match=r"RatingsData\.from_df"):
        vt.compare("x")  # type: ignore[arg-type]
    for seeds in (0, "ab", [], [0.5]):
        with pytest.raises(vt.VectableError, match="seeds must be a positive integer or a list"):
            vt.compare(data, seeds=seeds)  # type: ignore[arg-type]
    with pytest.raises(vt.VectableError, match=r"has no argument 'draws'\. Did you mean 'n_draws'"):
        vt.compare(data, bayes={"draws": 3})
    with pytest.raises(vt.VectableError, match="'seed', which compare gives itself"):
        vt.compare(data, gradient={"seed": 3})
