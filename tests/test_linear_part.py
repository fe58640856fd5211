"""Nets beside a ridge regression, whichever engine trains them and whatever predicts."""

import numpy as np
import onnxruntime as ort
import polars as pl
import pytest
import torch
from sklearn.linear_model import RidgeCV

import vectable as vt
from vectable.models.losses import compute_loss
from vectable.tables.net_start import SHRINKAGE

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = X @ [1.0, -2, 0.5, 0] + np.sin(2 * X[:, 3]) + 0.3 * RNG.normal(size=300)
TABLE = pl.DataFrame({f"x{at}": X[:, at] for at in range(4)} | {"y": Y})


def data(**how):
    return vt.TableData.from_df(TABLE, "y", valid_pct=0.2, batch_size=32, **how)


def learner(engine="nets", **how):
    return vt.tabular_learner(data(), [16], linear=True, progress=False, engine=engine, **how)


def test_it_begins_as_a_ridge_regression():
    learn = learner(wd=0.0)
    rows = learn.data.train_rows
    ridge = RidgeCV(SHRINKAGE).fit(rows.numbers.astype(float), rows.target.astype(float))
    linear = learn.model.linear
    assert linear.weight.numpy()[0] == pytest.approx(ridge.coef_, abs=1e-6)
    assert float(linear.bias) == pytest.approx(float(ridge.intercept_), abs=1e-6)
    assert not any(name.startswith("linear") for name, _ in learn.model.named_parameters())


def test_the_engines_agree_about_it():
    by = {}
    for engine in ("nets", "torch"):
        learn = learner(engine, masking=0.0).fit_one_cycle(4, 1e-2)
        assert learn.session.engines[0].name == engine
        by[engine] = learn.recorder.losses, learn.predict(TABLE)
    assert by["nets"][0] == pytest.approx(by["torch"][0], abs=1e-4)
    assert by["nets"][1] == pytest.approx(by["torch"][1], abs=1e-2)


def test_the_linear_part_does_not_move_and_the_net_learns_what_it_leaves():
    learn = learner()
    before = learn.model.linear.weight.clone()
    learn.fit_one_cycle(40, 1e-2)
    assert torch.equal(learn.model.linear.weight, before)
    error = np.std(learn.predict(TABLE) - Y)
    numbers = learn.data.train_rows.numbers
    left = RidgeCV(SHRINKAGE).fit(numbers, learn.data.train_rows.target)
    assert error < 0.8 * np.std(left.predict(numbers) - learn.data.train_rows.target) * Y.std()


def test_it_is_saved_served_and_written_as_onnx(tmp_path):
    learn = learner(n_models=2).fit_one_cycle(3, 1e-2)
    asked, expected = TABLE.drop("y"), learn.predict(TABLE)
    again = vt.load_learner(learn.save(tmp_path / "model"))
    assert again.predict(asked).tolist() == expected.tolist()
    served = vt.load_answers(tmp_path / "model").predict(asked.to_dicts())["predictions"]
    assert served == pytest.approx(expected, abs=1e-5)
    session = ort.InferenceSession(learn.export_onnx(tmp_path / "model.onnx"))
    found = session.run(None, {name: asked[name].to_numpy() for name in asked.columns})[0]
    assert found == pytest.approx(expected, abs=1e-4)


def test_losses_other_than_the_squared_error_train_by_torch():
    learn = learner("auto", loss_func=torch.nn.L1Loss()).fit_one_cycle(1, 1e-2)
    assert learn.session.engines[0].name == "torch"
    assert np.isfinite(float(compute_loss(learn.loss_func, *learn.get_preds())))


def test_it_is_for_numbers_from_numbers():
    classes = vt.TableData.from_df(TABLE.with_columns(y=pl.col("y") > 0), "y")
    words = vt.TableData.from_df(TABLE.select("y", a=pl.lit("b")), "y")
    for wrong in (classes, words):
        with pytest.raises(vt.VectableError, match="linear=True is for numbers, predicted from numbers"):
            vt.tabular_learner(wrong, linear=True)
