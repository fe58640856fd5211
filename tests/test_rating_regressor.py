"""Ratings as a scikit-learn estimator: users and items of any kind, side features, weights, and who is unknown."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import vectable as vt
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.factorisation_machine import FactorisationMachine


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def films() -> tuple[pl.DataFrame, np.ndarray]:
    """Nine hundred ratings of thirty films by forty people, whose weekday adds a star on Sundays."""
    rng = np.random.default_rng(0)
    user, item, day = rng.integers(0, 40, 900), rng.integers(0, 30, 900), rng.integers(1, 8, 900)
    stars = 3 + rng.normal(0, 0.8, 40)[user] + rng.normal(0, 0.8, 30)[item] + (day == 7) + rng.normal(0, 0.3, 900)
    frame = pl.DataFrame({"who": [f"u{at}" for at in user], "film": item * 10, "day": day})
    return frame, stars


def quick(**more):
    return vt.RatingRegressor(**{"n_factors": 4, "n_epochs": 3, "random_state": 0, **more})


# ---------------------------------------------------------------- what goes in


def test_two_columns_are_a_recommender(films):
    frame, y = films
    model = quick().fit(frame.select("who", "film"), y)
    assert isinstance(model.learner_, vt.CollabLearner)
    assert model.learner_.recommend("u3", n=5)["film"].len() == 5
    np.testing.assert_array_equal(model.predict(frame.select("who", "film")), model.learner_.predict(frame))


def test_every_kind_of_table_and_array_gives_the_same(films):
    frame, y = films
    for columns in (["who", "film"], ["who", "film", "day"]):
        X = frame.select(columns)
        wanted = quick().fit(X, y).predict(X)
        for other in (X.to_pandas(), X.to_arrow()):
            np.testing.assert_array_equal(quick().fit(other, y).predict(other), wanted)
    pairs = frame.select("who", "film").to_pandas().to_numpy(dtype=object)
    np.testing.assert_array_equal(
        quick().fit(pairs, y).predict(pairs), quick().fit(frame[:, :2], y).predict(frame[:, :2])
    )


def test_side_features_that_matter_are_learned(films):
    frame, y = films
    train, test = slice(0, 700), slice(700, 900)
    without = vt.RatingRegressor(random_state=0).fit(frame[train, :2], y[train]).score(frame[test, :2], y[test])
    with_day = vt.RatingRegressor(random_state=0).fit(frame[train], y[train])
    assert with_day.score(frame[test], y[test]) > without + 0.05
    gain = permutation_importance(with_day, frame[test].to_pandas(), y[test], n_repeats=3, random_state=0)
    assert gain.importances_mean.min() > 0


def test_columns_of_an_array_are_user_item_and_numbers():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 20, 300), rng.integers(0, 20, 300), rng.normal(size=300)])
    kinds = quick().fit(X, X[:, 2]).learner_.data.kinds
    assert {name: one.kind for name, one in kinds.items()} == {"x0": "category", "x1": "category", "x2": "number"}


def test_unknown_and_missing_users_and_items_are_the_average_ones(films):
    frame, y = films
    model = quick().fit(frame[:, :2], y)
    new = pl.DataFrame({"who": ["nobody", None, "u1", "u1"], "film": [10, 10, 99999, None]})
    with pytest.warns(vt.VectableWarning, match="not in the training data"):
        predicted = model.predict(new)
    net = model.learner_.model
    code = int(model.learner_.data.item_ids.encode([10])[0])
    factors = (net.user_factors.weight[1:].mean(dim=0) @ net.item_factors.weight[code]).item()
    sums = factors + net.user_bias.weight[1:].mean().item() + net.item_bias.weight[code].item()
    low, high = net.y_range
    assert predicted[0] == predicted[1] == pytest.approx(low + (high - low) / (1 + np.exp(-sums)), rel=1e-5)
    assert predicted[2] == predicted[3]


@pytest.mark.parametrize("columns", [2, 3])
def test_rows_without_user_or_item_do_not_train(films, columns):
    frame, y = films[0][:, :columns], films[1]
    holes = frame.with_columns(who=pl.when(pl.int_range(900) >= 50).then("who"))
    np.testing.assert_array_equal(quick().fit(holes, y).predict(frame), quick().fit(frame[50:], y[50:]).predict(frame))
    with pytest.raises(vt.DataError, match=r"No row has both a user \('who'\) and an item \('film'\)"):
        quick().fit(frame.with_columns(who=pl.lit(None, dtype=pl.String)), y)


def test_a_side_feature_may_have_holes(films):
    frame, y = films
    hour = frame.with_columns(hour=pl.int_range(900) % 24 + 0.5)
    holes = hour.with_columns(day=pl.when(pl.col("day") > 1).then("day"), hour=pl.when(pl.col("hour") > 3).then("hour"))
    assert np.isfinite(quick().fit(holes, y).predict(holes)).all()
    with pytest.warns(vt.VectableWarning, match="missing values in columns that had none: .* in 'hour'"):
        assert np.isfinite(quick().fit(hour, y).predict(holes)).all()
    with pytest.warns(vt.VectableWarning, match="'empty'"):
        quick().fit(frame.with_columns(empty=pl.lit(None, dtype=pl.Float64)), y)


@pytest.mark.parametrize(
    ("how", "columns", "sentence"),
    [
        ({}, ["who"], r"1 feature\(s\) .* a minimum of 2 is required: a user and an item"),
        ({"batch_size": "big"}, ["who", "film"], "batch_size must be 'auto' or a number; got 'big'"),
        ({"batch_size": 0}, ["who", "film"], "The batch size must be .*; got 0"),
        ({"y_range": (5, 1)}, ["who", "film"], r"y_range must be \(low, high\) .*; got \(5, 1\)"),
        ({"y_range": "wide"}, ["who", "film", "day"], r"y_range must be .*; got 'wide'"),
        ({"n_factors": 0}, ["who", "film", "day"], r"n_factors must be .*; got 0"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(films, how, columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        quick(**how).fit(films[0].select(columns), films[1])


def test_a_range_too_narrow_is_told(films):
    with pytest.warns(vt.VectableWarning, match="cannot reach them all"):
        quick(y_range=(2, 4)).fit(films[0], films[1])


# ---------------------------------------------------------------- weights


@settings(max_examples=10)
@given(st.integers(2, 3), st.lists(st.integers(0, 3), min_size=60, max_size=60), st.randoms())
def test_weights_mean_repetition_whatever_the_order(columns, weights, order):
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({name: rng.integers(0, 5, 60) for name in ("user", "item", "age")})[:, :columns]
    y, counted = rng.integers(1, 6, 60).astype(float), np.array(weights)
    if not counted.any():
        return
    rows = np.repeat(np.arange(60), counted)
    order.shuffle(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        weighted = quick().fit(frame, y, sample_weight=counted).predict(frame)
        np.testing.assert_array_equal(weighted, quick().fit(frame[rows], y[rows]).predict(frame))


def test_heavier_rows_pull_the_predictions_to_themselves():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 10, (600, 2)), np.tile([1.0, 2.0], 300)
    model = vt.RatingRegressor(random_state=0)
    assert model.fit(X, y).predict(X).mean() == pytest.approx(1.5, abs=0.05)
    assert model.fit(X, y, sample_weight=1 + 2 * (y - 1)).predict(X).mean() == pytest.approx(1.75, abs=0.05)


# ---------------------------------------------------------------- beside the rest of scikit-learn


def test_in_a_pipeline_a_search_and_cross_validation(films):
    frame, y = films[0].to_pandas(), films[1]
    pipe = make_pipeline(FunctionTransformer(), vt.RatingRegressor(random_state=0))
    search = GridSearchCV(pipe, {"ratingregressor__n_factors": [2, 8]}, cv=2).fit(frame, y)
    assert search.best_score_ > 0.3
    assert cross_val_score(clone(search.best_estimator_), frame, y, cv=3).mean() > 0.3


def test_random_state_repeats_exactly_and_another_differs(films):
    frame, y = films
    first, again, other = (quick(random_state=seed).fit(frame, y).predict(frame) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_saving_and_pickling_keep_every_bit(films, tmp_path, columns, weighted):
    frame, y = films[0][:, :columns], films[1]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    model = quick(n_models=2, y_range=(-2, 8)).fit(frame, y, weights)
    model.save(tmp_path / "model")
    for back in (vt.load_estimator(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(back.predict(frame), model.predict(frame))
        assert back.get_params() == model.get_params()
        assert back.n_iter_ == model.n_iter_
    learner = vt.load_learner(tmp_path / "model", progress=False)
    if columns == 2:
        np.testing.assert_array_equal(learner.predict(frame), model.predict(frame))
    else:
        exact = learner.data.target.decode(learner.outputs(frame, double=True))
        np.testing.assert_array_equal(exact, model.predict(frame))
        np.testing.assert_allclose(learner.predict(frame), exact, rtol=1e-5)
    kept = learner.data.train.weights
    assert (kept is None) == (not weighted)
    if weighted:
        np.testing.assert_array_equal(kept, model.learner_.data.train.weights)


def test_the_estimator_is_quiet(films):
    frame, y = films
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick().fit(frame, y).predict(pd.DataFrame(frame.to_dict(as_series=False)))


# ---------------------------------------------------------------- the model


def test_on_two_categories_the_machine_is_the_dot_product():
    machine, plain = FactorisationMachine([5, 4], [False, False], n_factors=3), EmbeddingDotBias(5, 4, 3)
    with torch.no_grad():
        for at, side in enumerate(("user", "item")):
            getattr(plain, f"{side}_factors").weight.copy_(machine.embeddings[at].weight)
            getattr(plain, f"{side}_bias").weight.copy_(machine.biases[at].weight)
    users, items = torch.arange(5, dtype=torch.int32), torch.tensor([0, 1, 2, 3, 3], dtype=torch.int32)
    predicted = machine(torch.stack([users, items], dim=1), torch.zeros(5, 0))
    torch.testing.assert_close(predicted[:, 0], plain(users, items))


def test_the_machine_multiplies_every_two():
    machine = FactorisationMachine([3, 4], [False, False], 2, 3, borders=[[], [0.0, 1.0]]).double()
    codes = torch.tensor([[1, 2]], dtype=torch.int32)
    numbers = torch.tensor([[2.0, 0.25]], dtype=torch.float64)
    x = torch.tensor([1.0, 1.0, 2.0, 0.25, 0.25], dtype=torch.float64)  # two categories, two numbers, one bin
    rows = [machine.embeddings[0].weight[1], machine.embeddings[1].weight[2], *machine.number_vectors]
    vectors = torch.stack([*rows]) * x[:, None]
    pairs = sum(vectors[a] @ vectors[b] for a in range(5) for b in range(a))
    singles = machine.biases[0].weight[1] + machine.biases[1].weight[2] + machine.number_weights @ x[2:]
    torch.testing.assert_close(machine(codes, numbers)[0], machine.bias + singles + pairs)


def test_the_unknown_and_a_missing_never_shown_become_the_mean():
    machine = FactorisationMachine([4, 4], [False, True], n_factors=2)
    before = machine.embeddings[1].weight[-1].clone()
    machine.fill_unknown()
    first, second = (table.weight for table in machine.embeddings)
    torch.testing.assert_close(first[0], first[1:3].mean(dim=0))
    torch.testing.assert_close(first[3], first[0])
    torch.testing.assert_close(second[0], second[1:4].mean(dim=0))
    torch.testing.assert_close(second[3], before)


# ---------------------------------------------------------------- draws from the posterior


def test_draws_from_the_posterior_behind_the_same_face(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((60, 40)) < 0.5)
    y = 3 + rng.normal(size=60)[user] + 0.5 * rng.normal(size=40)[item] + 0.3 * rng.normal(size=len(user))
    order = rng.permutation(len(y))
    X, y = np.column_stack([user, item])[order], y[order]
    chosen = {"method": "bayes", "n_factors": 3, "n_draws": 40, "random_state": 0}
    found = vt.RatingRegressor(**chosen).fit(X[:-200], y[:-200])
    assert found.score(X[-200:], y[-200:]) > 0.8
    assert found.n_iter_ == 40
    assert isinstance(found.learner_, vt.BayesLearner)
    again = vt.load_estimator(found.save(tmp_path / "model"))
    assert np.array_equal(again.predict(X), found.predict(X))
    assert np.array_equal(pickle.loads(pickle.dumps(found)).predict(X), found.predict(X))
    mean, doubt = found.predict(X[:9], return_std=True)
    assert np.array_equal(mean, found.predict(X[:9]))
    assert np.array_equal(doubt, found.learner_.predict(pl.DataFrame(X[:9], schema=["x0", "x1"]), return_std=True)[1])
    with pytest.raises(vt.VectableError, match="return_std=True needs method='bayes'"):
        vt.RatingRegressor(n_factors=2, n_epochs=1).fit(X, y).predict(X, return_std=True)
    twice = np.ones(len(y))
    twice[:50] = 2
    weighted = vt.RatingRegressor(**chosen).fit(X, y, sample_weight=twice)
    repeated = vt.RatingRegressor(**chosen).fit(np.vstack([X, X[:50]]), np.concatenate([y, y[:50]]))
    assert np.array_equal(weighted.predict(X), repeated.predict(X))
    with pytest.raises(vt.DataError, match="whole numbers"):
        vt.RatingRegressor(**chosen).fit(X, y, sample_weight=twice / 3)
    with pytest.raises(vt.DataError, match="side tables"):
        vt.RatingRegressor(**chosen).fit(np.column_stack([X, user]), y)
    with pytest.raises(vt.VectableError, match="'mcmc'"):
        vt.RatingRegressor(method="mcmc").fit(X, y)


@pytest.mark.parametrize("columns", [2, 4])
@pytest.mark.parametrize("n_models", [1, 2])
def test_a_rows_prediction_does_not_depend_on_the_rows_beside_it(films, columns, n_models):
    frame, y = films[0][:, :columns], films[1]
    model = quick(n_models=n_models).fit(frame, y)
    together = model.predict(frame[:67])
    order = np.random.default_rng(0).permutation(67)
    np.testing.assert_allclose(model.predict(frame[order]), together[order], rtol=1e-12)
    alone = np.concatenate([model.predict(frame[at : at + 1]) for at in range(67)])
    np.testing.assert_allclose(alone, together, rtol=1e-12)
