"""Categories as vectors: what comes out, how folds are aligned, and what leaks without them."""

import pickle

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

import vectable as vt
from vectable.estimators.entity_embedding import align


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def shops() -> tuple[pl.DataFrame, np.ndarray]:
    """Eighty sales by town (a hole among them) and weekday."""
    rng = np.random.default_rng(0)
    town = rng.choice(["Ulm", "Bonn", "Köln"], 80).tolist()
    town[3] = None
    frame = pl.DataFrame({"town": town, "weekday": rng.integers(1, 8, 80)})
    return frame, rng.normal(size=80) + (frame["weekday"].to_numpy() == 7) * 3


def encoder(**more):
    return vt.EntityEmbeddingEncoder(**{"layers": (8,), "n_epochs": 3, "random_state": 0, **more})


def test_vectors_are_those_that_the_net_learned(shops):
    frame, y = shops
    fitted = encoder().fit(frame, y)
    out = fitted.transform(frame)
    towns, days = fitted.learner_.weight("town"), fitted.learner_.weight("weekday")
    assert fitted.learner_.categories("town") == ["Bonn", "Köln", "Ulm"]
    row = frame.row(0)
    np.testing.assert_array_equal(out[0, : towns.shape[1]], towns[["Bonn", "Köln", "Ulm"].index(row[0])])
    np.testing.assert_array_equal(out[0, towns.shape[1] :], days[row[1] - 1])
    assert out.shape == (80, towns.shape[1] + days.shape[1])


def test_the_missing_and_the_unknown_have_vectors_of_their_own(shops):
    frame, y = shops
    fitted = encoder().fit(frame, y)
    new = pl.DataFrame({"town": ["Rom", None, "Ulm", "Oslo"], "weekday": [1, 1, 1, 1]})
    rome, missing, ulm, oslo = fitted.transform(new)
    np.testing.assert_array_equal(rome, oslo)
    assert not np.array_equal(rome, missing)
    assert not np.array_equal(missing, ulm)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_names_and_frames_that_come_out(shops, kind):
    frame, y = shops
    fitted = encoder().set_output(transform=kind).fit(frame, y)
    names = [*(f"town_{at}" for at in range(3)), *(f"weekday_{at}" for at in range(5))]
    assert fitted.get_feature_names_out().tolist() == names
    out = fitted.transform(frame)
    assert type(out).__module__.startswith(kind)
    assert list(out.columns) == names


def test_arrays_of_texts_are_taken():
    X = np.array([["a", "x"], ["b", "y"], ["a", None], ["c", "x"]] * 5, dtype=object)
    out = encoder().fit_transform(X, np.tile(["no", "yes"], 10))
    np.testing.assert_array_equal(out[:4], out[4:8])
    assert encoder().fit(X, np.tile([0, 1], 10)).get_feature_names_out()[0] == "x0_0"


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.arange(80) % 2, "classes"),
        (np.arange(80) % 21, "numbers"),
        (np.arange(80) % 2 + 0.5, "numbers"),
        (np.array(["a", "b"] * 40), "classes"),
        (np.array([f"{at % 25}" for at in range(80)]), "classes"),
    ],
)
def test_the_kind_of_target(shops, y, kind):
    assert encoder().fit(shops[0], y).learner_.data.target.kind == kind


def test_the_kind_of_target_can_be_said(shops):
    frame, _ = shops
    assert encoder(task="classes").fit(frame, np.arange(80) % 21).learner_.data.target.kind == "classes"
    with pytest.raises(vt.VectableError, match=r"task must be one of .*; got 'ranks'"):
        encoder(task="ranks").fit(frame, np.arange(80))


def test_weights_mean_repetition(shops):
    frame, y = shops
    weights = np.arange(80) % 3
    rows = np.repeat(np.arange(80), weights)[::-1]
    weighted, repeated = encoder().fit(frame, y, weights), encoder().fit(frame[rows], y[rows])
    np.testing.assert_array_equal(weighted.transform(frame), repeated.transform(frame))


def test_without_folds_the_same_rows_give_the_same_vectors(shops):
    frame, y = shops
    fitted = encoder()
    np.testing.assert_array_equal(fitted.fit_transform(frame, y), fitted.transform(frame))


# ---------------------------------------------------------------- folds


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(0, 2**31 - 1))
def test_alignment_undoes_a_rotation_and_a_shift(width, seed):
    rng = np.random.default_rng(seed)
    goal, weights = rng.normal(size=(20, width)), rng.uniform(0.1, 2, 20)
    source = goal @ ortho_group.rvs(width, random_state=seed) + rng.normal(size=width)
    np.testing.assert_allclose(align(source, source, goal, weights), goal, atol=1e-10)


def test_alignment_takes_a_narrower_space_into_a_wider_one():
    rng = np.random.default_rng(0)
    goal = np.column_stack([rng.normal(size=(9, 2)), np.zeros(9)])
    narrow = goal[:, 1::-1] + 1.0
    np.testing.assert_allclose(align(narrow, narrow, goal, np.ones(9)), goal, atol=1e-12)


def test_folds_give_vectors_near_those_of_the_net_of_all_rows():
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 6, 3000)
    frame, y = pl.DataFrame({"level": levels.astype(str)}), levels**2 + rng.normal(size=3000)
    fitted = vt.EntityEmbeddingEncoder(cv=3, random_state=0)
    crossed = fitted.fit_transform(frame, y)
    whole = fitted.transform(frame)
    spread = np.sqrt(((whole - whole.mean(axis=0)) ** 2).sum(axis=1).mean())
    assert np.sqrt(((crossed - whole) ** 2).sum(axis=1).mean()) < 0.25 * spread


def noise(seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    """A thousand rows of four hundred categories that say nothing about the class."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"place": rng.integers(0, 400, 1000).astype(str)}), rng.integers(0, 2, 1000)


@pytest.mark.slow
def test_noise_tells_the_answer_without_folds_and_nothing_with_them():
    frame, y = noise(0)

    def auc_on_its_own_rows(vectors):
        return roc_auc_score(y, LogisticRegression().fit(vectors, y).predict_proba(vectors)[:, 1])

    assert auc_on_its_own_rows(vt.EntityEmbeddingEncoder(random_state=0).fit_transform(frame, y)) > 0.8
    assert auc_on_its_own_rows(vt.EntityEmbeddingEncoder(cv=5, random_state=0).fit_transform(frame, y)) < 0.65


def test_in_a_pipeline_with_folds(shops):
    frame, y = shops
    sunday = y > 1.5
    pipe = make_pipeline(
        make_column_transformer((encoder(cv=2, n_epochs=40, lr=1e-2), ["town", "weekday"])),
        LogisticRegression(C=100),
    )
    model = pipe.fit(frame.to_pandas(), sunday)
    assert model.predict(frame.to_pandas()).shape == (80,)
    assert model.score(frame.to_pandas(), sunday) > 0.85


@pytest.mark.parametrize("cv", [[(np.arange(40), np.arange(40, 80)), (np.arange(40, 80), np.arange(40))], 4])
def test_folds_can_be_given(shops, cv):
    frame, y = shops
    out = encoder(cv=cv).fit_transform(frame, y)
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out, encoder(cv=cv).fit_transform(frame, y))


# ---------------------------------------------------------------- keeping


def test_saving_and_pickling_keep_every_bit(shops, tmp_path):
    frame, y = shops
    fitted = encoder(cv=3).fit(frame, y)
    fitted.save(tmp_path / "encoder")
    for back in (vt.load_estimator(tmp_path / "encoder"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(back.transform(frame), fitted.transform(frame))
        assert back.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()
        assert back.cv == 3
