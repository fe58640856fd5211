"""The options of training: checked once, kept in folders, and read back from folders that lack some."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import vectable as vt
from vectable.training.options import TrainingOptions


def learner(**options: Any) -> vt.Learner:
    x = np.random.default_rng(0).normal(size=(60, 3))
    return vt.Learner(vt.TensorData.from_arrays(x, x.sum(1)), nn.Linear(3, 1), progress=False, **options)


def test_what_a_folder_keeps_comes_back() -> None:
    options = TrainingOptions.of(
        ["rmse"], "sgd", {"wd": [0.1, 0.2], "wd_mode": "l2", "preset": "lesson", "seed": 7, "accumulate": 3}
    )
    assert TrainingOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize("name", list(TrainingOptions().to_json()))
def test_an_older_folder_that_lacks_an_option_gets_its_default(name: str) -> None:
    saved = TrainingOptions(seed=3, wd=0.5, accumulate=2, opt="sgd", metrics=("mae",)).to_json()
    del saved[name]
    default = getattr(TrainingOptions(), name)
    assert getattr(TrainingOptions.from_json(saved), name) == default


def test_threads_belong_to_the_machine_and_are_not_kept() -> None:
    assert "threads" not in TrainingOptions(threads=2).to_json()


def test_functions_have_no_entry_that_brings_them_back() -> None:
    def error(predicted: Any, target: Any) -> float:
        return 0.0

    saved = TrainingOptions.of(["mae", error], torch.optim.Adagrad, {}).to_json()
    assert (saved["metrics"], saved["opt"]) == (["mae"], None)


def test_options_do_not_change_under_a_fit_and_can_be_assigned_between_fits() -> None:
    learn = learner(seed=3)
    with pytest.raises(FrozenInstanceError):
        learn.session.options.seed = 4  # type: ignore[misc]
    learn.wd = 0.3
    learn.threads = 1
    assert (learn.seed, learn.wd, learn.session.options.threads) == (3, 0.3, 1)
    with pytest.raises(vt.VectableError, match=r"weight decay must be .*; got -1"):
        learn.wd = -1
    with pytest.raises(AttributeError, match="epochs_done belongs to the training session"):
        learn.epochs_done = 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sed": 3}, "There is no option 'sed'. Did you mean 'seed'"),
        ({"opt": "adma"}, "There is no optimizer 'adma'. Did you mean 'adam'"),
        ({"metrics": "rmsee"}, "There is no metric 'rmsee'. Did you mean 'rmse'"),
        ({"preset": "moderne"}, "There is no preset 'moderne'. Did you mean 'modern'"),
        ({"engine": "compield"}, r"engine must be one of .*; got 'compield'.*Did you mean 'compiled'"),
        ({"wd": [0.1, float("nan")]}, r"weight decay must be .*; got nan"),
        ({"wd": [0.1, 0.2]}, "2 values of the weight decay .* for 1 layer group"),
        ({"wd_mode": "l3"}, r"wd_mode must be .*; got 'l3'"),
        ({"seed": -1}, r"seed must be .*; got -1"),
        ({"threads": 0}, "threads must be .*; got 0"),
        ({"precision": "fp8"}, "precision must be .*; got 'fp8'"),
        ({"accumulate": True}, r"accumulate must be .*; got True"),
    ],
)
def test_wrong_options_get_a_sentence_when_the_learner_is_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(vt.VectableError, match=message):
        learner(**options)
