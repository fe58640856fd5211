"""The estimators keep scikit-learn's contract, and weights mean repetition."""

import datetime as dt
import pickle
import warnings

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, make_friedman1
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import vectable as vt
from vectable.estimators.inputs import canonical_rows, held_out_rows
from vectable.tables.defaults import batch_size_for, epochs_for

# The checks that scikit-learn skips for its own estimators too: for want of an environment variable, or of a package.
SKIPPED = {"check_array_api_input"}


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def people() -> tuple[pl.DataFrame, np.ndarray]:
    """Sixty rows of a text column, a whole number, a fraction with holes; the class follows the text."""
    rng = np.random.default_rng(0)
    job = rng.choice(["cook", "judge", "miner"], 60)
    pay = rng.normal(size=60).round(3)
    frame = pl.DataFrame({"job": job, "year": rng.integers(1990, 1995, 60), "pay": pay}).with_columns(
        pl.when(pl.col("pay") > -1).then("pay").alias("pay")
    )
    return frame, np.where(job == "judge", "rich", "poor")


def quick(kind, **more):
    return kind(**{"layers": (8,), "n_epochs": 3, "random_state": 0, **more})


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [vt.TabularClassifier(), vt.TabularRegressor(), vt.RatingRegressor(), vt.EntityEmbeddingEncoder()],
    ids=lambda one: type(one).__name__,
)
def test_keeps_the_contract_of_scikit_learn(estimator):
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert len(results) > 50
    bad = {one["check_name"]: one["exception"] for one in results if one["status"] not in ("passed", "skipped")}
    assert bad == {}
    assert {one["check_name"] for one in results if one["status"] == "skipped"} <= SKIPPED


# ---------------------------------------------------------------- weights


@settings(max_examples=15)
@given(st.lists(st.integers(0, 3), min_size=60, max_size=60), st.randoms())
def test_weights_mean_repetition_whatever_the_order(weights, order):
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"a": rng.choice(["x", "y", "z"], 60), "b": rng.integers(0, 3, 60) / 2})
    y = np.where(rng.random(60) < 0.5, "no", "yes")
    counted = np.array(weights)
    if len(set(y[counted > 0])) < 2:
        return
    weighted = quick(vt.TabularClassifier).fit(frame, y, sample_weight=counted)
    rows = np.repeat(np.arange(60), counted)
    order.shuffle(rows)
    repeated = quick(vt.TabularClassifier).fit(frame[rows], y[rows])
    np.testing.assert_array_equal(weighted.predict_proba(frame), repeated.predict_proba(frame))


def test_the_canonical_form_drops_merges_and_sorts():
    frame = pl.DataFrame({"a": ["y", "x", "y", "z", None], "b": [1.0, 2.0, 1.0, 5.0, None]})
    rows, weights = canonical_rows(frame, np.array([0.5, 1.0, 0.25, 0.0, 2.0]))
    assert rows.rows() == [(None, None), ("x", 2.0), ("y", 1.0)]
    assert weights.tolist() == [2.0, 1.0, 0.75]


@pytest.mark.slow
def test_heavier_rows_pull_the_predictions_to_themselves():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 1)), np.tile([0.0, 1.0], 200)
    model = vt.TabularRegressor(layers=(8,), bins=None, random_state=0)
    assert model.fit(x, y).predict(x).mean() == pytest.approx(0.5, abs=0.07)
    assert model.fit(x, y, sample_weight=1 + 2 * y).predict(x).mean() == pytest.approx(0.75, abs=0.07)


def test_early_stopping_judges_by_weighted_rows(people):
    frame, y = people
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    learn = quick(vt.TabularClassifier, early_stopping=True).fit(frame, y, weights).learner_
    held_out = learn.data.valid_rows
    assert set(np.round(held_out.weights, 5)) <= set(np.round(weights.astype(np.float32), 5))
    outputs = learn.model.eval()(*learn.data.valid.inputs).detach()
    each = torch.nn.functional.cross_entropy(outputs, learn.data.valid.target, reduction="none").numpy()
    assert learn.validate()["valid_loss"] == pytest.approx(np.average(each, weights=held_out.weights), rel=1e-5)


# ---------------------------------------------------------------- what goes in


def test_every_kind_of_frame_gives_the_same(people):
    frame, y = people
    models = [
        quick(vt.TabularClassifier).fit(kind, y).predict_proba(kind)
        for kind in (frame, frame.to_pandas(), frame.to_arrow())
    ]
    np.testing.assert_array_equal(models[0], models[1])
    np.testing.assert_array_equal(models[0], models[2])


def test_what_training_never_showed_is_predicted_and_told(people):
    frame, y = people
    model = quick(vt.TabularClassifier).fit(frame, y)
    new = pl.DataFrame({"job": ["pope", None], "year": [1993, None], "pay": [None, 0.5]})
    with pytest.warns(vt.VectableWarning, match="'job'"):
        probabilities = model.predict_proba(new)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)


def test_the_kinds_of_columns_follow_the_rule_or_the_names(people):
    frame, y = people

    def kinds(X, **how):
        learn = quick(vt.TabularClassifier, **how).fit(X, y).learner_
        return {name: kind.kind for name, kind in learn.data.kinds.items()}

    assert kinds(frame) == {"job": "category", "year": "ordinal", "pay": "number"}
    assert kinds(frame, categorical_features=["job"]) == {"job": "category", "year": "number", "pay": "number"}
    numbers = frame.select("year", "pay").to_numpy()
    assert kinds(numbers) == {"x0": "number", "x1": "number"}
    assert kinds(numbers, categorical_features=[0]) == {"x0": "category", "x1": "number"}


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a"],
        [True, False],
        [3.0, -1.0],
        [7, 2],
        [0.5, -0.25],
        np.array([9, 2**63 + 1], dtype="uint64"),
        [1.2e18, 9.3e15],
        np.array(["2024-02-01", "2024-01-01"], dtype="datetime64[D]"),
        np.array(["2024-02-01T03", "2024-01-01T00"], dtype="datetime64[ns]"),
    ],
    ids=str,
)
def test_classes_come_back_as_they_were(people, labels, tmp_path):
    frame, y = people
    named = np.where(y == "rich", labels[0], labels[1])
    model = quick(vt.TabularClassifier, n_epochs=40, layers=(32,), lr=1e-2).fit(frame, named)
    assert model.classes_.tolist() == sorted(np.asarray(labels).tolist())
    assert model.classes_.dtype == named.dtype
    assert (model.predict(frame) == named).mean() > 0.95
    assert model.score(frame, named) == (model.predict(frame) == named).mean()
    model.save(tmp_path / "m")
    for again in (vt.load_estimator(tmp_path / "m"), pickle.loads(pickle.dumps(model))):
        assert again.classes_.dtype == model.classes_.dtype
        assert (again.predict(frame) == model.predict(frame)).all()


def test_many_fractions_are_no_classes(people):
    frame, _ = people
    with pytest.raises(ValueError, match="Unknown label type"):
        quick(vt.TabularClassifier).fit(frame, np.arange(60) / 7)


def test_weights_of_classes_of_any_type_come_back(people, tmp_path):
    frame, y = people
    days = np.where(y == "rich", np.datetime64("2024-02-01"), np.datetime64("2024-01-01"))
    weights = {np.datetime64("2024-02-01"): 2.0, dt.date(2024, 1, 1): 1.0}
    model = quick(vt.TabularClassifier, class_weight=weights).fit(frame, days)
    model.save(tmp_path / "m")
    assert vt.load_estimator(tmp_path / "m").class_weight == weights


@pytest.mark.slow
def test_several_numbers_at_once():
    X, y = make_friedman1(200, random_state=0)
    both = np.column_stack([y, -2 * y])
    predicted = vt.TabularRegressor(random_state=0).fit(X, both).predict(X)
    assert predicted.shape == both.shape
    assert np.corrcoef(predicted[:, 1], -2 * y)[0, 1] > 0.9


@pytest.mark.parametrize(
    ("how", "X", "sentence"),
    [
        ({"categorical_features": ["jobs"]}, None, r"names 'jobs'.* Did you mean 'job'\?"),
        ({"categorical_features": "all"}, None, "categorical_features must be .*; got 'all'"),
        ({"batch_size": "big"}, None, "batch_size must be 'auto' or a number; got 'big'"),
        ({"early_stopping": True, "validation_fraction": 1.0}, None, r"in \(0, 1\)"),
        ({"early_stopping": True, "validation_fraction": 0.001}, None, "too few to hold 0.001"),
        ({}, pl.DataFrame({"a": [1.0, float("inf")] * 30}), "Input X contains infinity: column 'a', row 2"),
        ({"layers": "x"}, None, r"layers is 'x'; give at least one width of 1 or more"),
        ({"layers": 200}, None, r"layers is 200; give"),
        ({}, np.array([[1, "cook"]] * 60, dtype=object), r"X holds 'cook' \(column 2, row 1\).* hand in a table"),
        ({}, pl.DataFrame({"a": []}), r"Found array with 0 sample\(s\)"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(people, how, X, sentence):
    frame, y = people
    with pytest.raises(ValueError, match=sentence):
        quick(vt.TabularClassifier, **how).fit(frame if X is None else X, y)


def test_targets_that_cannot_be_learned_are_named_with_their_row(people):
    frame, y = people
    with pytest.raises(vt.DataError, match=r"y holds 'poor' \(row \d+\).* TabularClassifier predicts classes"):
        quick(vt.TabularRegressor).fit(frame, y)
    for gone in (None, float("nan")):
        with pytest.raises(vt.DataError, match="Input y contains NaN: row 4 has no class"):
            quick(vt.TabularClassifier).fit(frame, np.array([*y[:3], gone, *y[4:]], dtype=object))


def test_an_array_of_objects_that_are_numbers_is_one_of_numbers(people):
    _, y = people
    holed = np.array([[1.5, None, True], [2, "3", False]] * 30, dtype=object)
    assert quick(vt.TabularClassifier).fit(holed, y).predict(holed).shape == (60,)


def test_other_columns_than_in_training_are_refused(people):
    frame, y = people
    model = quick(vt.TabularClassifier).fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename({"job": "work"}))
    assert model.feature_names_in_.tolist() == ["job", "year", "pay"]


# ---------------------------------------------------------------- training


def test_random_state_repeats_exactly_and_another_differs(people):
    frame, y = people
    first, again, other = (quick(vt.TabularClassifier, random_state=seed).fit(frame, y) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.predict_proba(frame), again.predict_proba(frame))
    assert not np.array_equal(first.predict_proba(frame), other.predict_proba(frame))


def test_early_stopping_ends_before_the_last_epoch_and_keeps_the_best():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)  # nothing to learn: it only gets worse
    model = vt.TabularClassifier(n_models=1, n_epochs=50, early_stopping=True, n_iter_no_change=3, random_state=0).fit(
        X, y
    )
    losses = model.learner_.recorder.runs[-1].epochs
    assert model.n_iter_ == len(losses) < 50
    assert model.learner_.validate()["valid_loss"] == pytest.approx(min(row["valid_loss"] for row in losses))


def test_rows_are_held_out_class_by_class():
    classes = np.array([0] * 50 + [1] * 10 + [2])
    held_out = held_out_rows(classes, 0.2, seed=0)
    assert np.bincount(classes[held_out], minlength=3).tolist() == [10, 2, 0]
    np.testing.assert_array_equal(held_out, np.unique(held_out))


@pytest.mark.parametrize(
    ("rows", "batch"), [(0, 16), (1, 16), (300, 16), (1000, 32), (4095, 128), (4096, 256), (10**7, 256)]
)
def test_auto_batch_size(rows, batch):
    assert batch_size_for(rows) == batch


def test_auto_epochs_make_enough_steps():
    assert [epochs_for(n_steps, 10) for n_steps in (1, 3, 20, 1000)] == [200, 67, 10, 10]


def test_a_net_begins_at_the_shares_of_the_classes():
    frame = pl.DataFrame({"a": [float(at) for at in range(10)], "t": ["x"] * 9 + ["y"], "w": [1.0] * 9 + [3.0]})
    learn = vt.tabular_learner(vt.TableData.from_df(frame, "t", valid_pct=0.0, weights="w"), progress=False)
    np.testing.assert_allclose(learn.model.layers[-1].bias.softmax(dim=0).detach(), [0.75, 0.25], rtol=1e-6)


def test_an_ensemble_is_its_members_mean(people):
    frame, y = people
    model = quick(vt.TabularClassifier, n_models=3).fit(frame, y)
    data = model.learner_.data
    each = [net.double().eval()(data.train.inputs[0], data.train.inputs[1].double()) for net in model.learner_.members]
    mean = torch.stack(each).softmax(dim=2).mean(dim=0).detach().numpy()
    rows = data.decode(data.train_rows).select(frame.columns)
    np.testing.assert_allclose(model.predict_proba(rows.with_columns(pl.col("year").cast(pl.Int64))), mean, atol=1e-6)


# ---------------------------------------------------------------- beside the rest of scikit-learn


@pytest.mark.slow
def test_in_a_pipeline_a_search_and_cross_validation():
    X, y = load_iris(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), vt.TabularClassifier(random_state=0, layers=(16,)))
    search = GridSearchCV(pipe, {"tabularclassifier__dropout": [0.0, 0.2]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.85
    assert cross_val_score(clone(search.best_estimator_), X, y, cv=3).mean() > 0.85


def test_columns_of_a_frame_can_be_transformed_first(people):
    frame, y = people
    scaled = make_column_transformer((StandardScaler(), ["pay"]), remainder="passthrough").set_output(
        transform="pandas"
    )
    model = make_pipeline(scaled, quick(vt.TabularClassifier, n_epochs=40, layers=(16,), lr=1e-2))
    assert model.fit(frame.to_pandas(), y).score(frame.to_pandas(), y) > 0.9


def test_permutation_importance_partial_dependence_and_calibration(people):
    frame, y = people
    frame = frame.to_pandas()
    model = quick(vt.TabularClassifier, n_epochs=40, layers=(16,), lr=1e-2).fit(frame, y)
    importance = permutation_importance(model, frame, y, n_repeats=2, random_state=0).importances_mean
    assert importance.argmax() == 0
    averages = partial_dependence(model, frame, ["job"], categorical_features=["job"])["average"]
    assert averages.shape == (1, 3)
    assert averages[0].argmax() == 1  # the judge
    calibrated = CalibratedClassifierCV(quick(vt.TabularClassifier, n_epochs=40), cv=2).fit(frame, y)
    np.testing.assert_allclose(calibrated.predict_proba(frame).sum(axis=1), 1)


# ---------------------------------------------------------------- keeping


@pytest.mark.parametrize(
    "estimator",
    [
        quick(vt.TabularClassifier, class_weight={"rich": 2.0}),
        quick(vt.TabularClassifier, n_models=2, early_stopping=True),
    ],
)
def test_saving_and_pickling_keep_every_bit(people, tmp_path, estimator):
    frame, y = people
    estimator.fit(frame, y)
    estimator.save(tmp_path / "model")
    for back in (vt.load_estimator(tmp_path / "model"), pickle.loads(pickle.dumps(estimator))):
        np.testing.assert_array_equal(back.predict_proba(frame), estimator.predict_proba(frame))
        assert back.predict(frame).tolist() == estimator.predict(frame).tolist()
        assert back.get_params() == estimator.get_params()
        assert back.n_iter_ == estimator.n_iter_
        assert back.feature_names_in_.tolist() == frame.columns
    learner = vt.load_learner(tmp_path / "model")
    np.testing.assert_allclose(learner.predict_proba(frame), estimator.predict_proba(frame), atol=1e-6)


def test_a_regressor_comes_back(tmp_path):
    X, y = make_friedman1(60, random_state=0)
    model = quick(vt.TabularRegressor).fit(X, y)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(vt.load_estimator(tmp_path / "model").predict(X), model.predict(X))


def test_a_folder_of_a_learner_is_told_from_one_of_an_estimator(tmp_path, people):
    frame, y = people
    model = quick(vt.TabularClassifier).fit(frame, y)
    model.learner_.save(tmp_path / "learner")
    with pytest.raises(vt.ArtifactError, match="use load_learner"):
        vt.load_estimator(tmp_path / "learner")


def test_the_folder_holds_no_pickle_and_no_code(tmp_path, people):
    frame, y = people
    quick(vt.TabularClassifier).fit(frame, y).save(tmp_path / "model")
    assert {one.suffix for one in (tmp_path / "model").iterdir()} == {".json", ".safetensors"}


def test_an_unfitted_estimator_cannot_be_saved(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        vt.TabularClassifier().save(tmp_path / "model")


def test_a_row_is_predicted_alike_whatever_stands_beside_it():
    X, y = make_friedman1(300, random_state=0)
    model = quick(vt.TabularRegressor).fit(X, y)
    alone = np.concatenate([model.predict(row[None]) for row in X[:20]])
    np.testing.assert_allclose(model.predict(X)[:20], alone, rtol=1e-12)


def test_the_estimators_are_quiet(people):
    frame, y = people
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(vt.TabularClassifier).fit(frame, y).predict(frame)
