"""A learner goes to other processes and comes back, by what its saved folder holds; its answers are the same."""

import copy
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import killed_training
import vectable as vt
from vectable.models.ensemble import Ensemble


def ratings() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    pairs = rng.permutation(50 * 40)[:900]
    return pl.DataFrame({"u": pairs // 40, "i": pairs % 40, "r": rng.integers(1, 6, 900)})


def collab(**options: Any) -> vt.CollabLearner:
    learn = vt.collab_learner(vt.RatingsData.from_df(ratings()), n_factors=4, progress=False, **options)
    learn.fit_one_cycle(1, 5e-3)
    return learn


def absolute(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (outputs.squeeze() - target).abs().mean()


def halves(net: nn.Sequential) -> list[nn.Module]:
    return [net[0], net[1]]


def off_by(predicted: Any, target: Any) -> float:
    return float(np.abs(predicted.squeeze() - target).max())


def custom() -> vt.Learner:
    x = np.random.default_rng(0).normal(size=(90, 3)).astype(np.float32)
    data = vt.TensorData.from_arrays(x[:60], x[:60].sum(1), x[60:], x[60:].sum(1), bs=16)
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    how: dict[str, Any] = {"splitter": halves, "metrics": [off_by, "mae"], "opt": torch.optim.Adagrad}
    learn = vt.Learner(data, Ensemble([net]), absolute, progress=False, **how)
    return learn.freeze().fit(1, 1e-2)


def test_ratings_answer_and_train_on_as_before() -> None:
    for learn in (collab(), collab(n_models=2), collab(use_nn=True)):
        again = pickle.loads(pickle.dumps(learn))
        assert (again.predict(ratings()) == learn.predict(ratings())).all()
        assert again.recommend(3)["i"].to_list() == learn.recommend(3)["i"].to_list()
        for one in (learn, again):
            one.fit(1, 1e-3)
        assert (again.predict(ratings()) == learn.predict(ratings())).all(), "the optimizer went along"


def test_draws_from_the_posterior_go_along() -> None:
    data = vt.RatingsData.from_df(ratings())
    learn = vt.bayes_collab_learner(data, n_factors=4, n_draws=10, burn_in=2, progress=False).fit()
    again = pickle.loads(pickle.dumps(learn))
    assert (again.predict(ratings()) == learn.predict(ratings())).all()


def test_a_table_goes_along_with_its_encoders() -> None:
    learn = killed_training.table()
    learn.fit(1, 1e-2)
    rows = pl.DataFrame({"c": ["a", "z", None], "x": [0.5, None, -1.0]})
    with pytest.warns(vt.VectableWarning, match="unknown or missing"):
        expected = learn.predict_proba(rows)
    with pytest.warns(vt.VectableWarning, match="unknown or missing"):
        again = pickle.loads(pickle.dumps(learn)).predict_proba(rows)
    assert (again == expected).all()


def test_a_custom_module_goes_along_with_its_data_functions_and_freezing() -> None:
    learn = custom()
    for again in (pickle.loads(pickle.dumps(learn)), copy.deepcopy(learn)):
        assert again.validate() == learn.validate()
        assert (again.frozen, again.opt, again.loss_func) == (1, torch.optim.Adagrad, absolute)
        assert len(again.layer_groups) == 2
        assert set(again.metrics) == {"off_by", "mae"}
    again.fit(1, 1e-2)
    assert learn.epochs_done == 1, "a copy is another learner"


def test_photographs_go_along_also_with_a_custom_backbone() -> None:
    data = vt.datasets.load("fashion").to_data(classes=["Pullover", "Coat"], per_class=4, batch_size=4)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for learn in (
        vt.vision_learner(data, "fashion-small", progress=False),
        vt.vision_learner(data, module, cut=-2, progress=False),
    ):
        again = pickle.loads(pickle.dumps(learn))
        assert again.validate() == learn.validate()
        assert again.frozen == learn.frozen


def first_of(learn: vt.CollabLearner, user: int) -> list[Any]:
    items: list[Any] = learn.recommend(user, 3)["i"].to_list()
    return items


@pytest.mark.slow
def test_a_pool_that_spawns_works(tmp_path: Path) -> None:
    learn = collab()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.starmap(first_of, [(learn, user) for user in (1, 2)])
    assert found == [first_of(learn, user) for user in (1, 2)]
