"""Threads are chosen by the size of the net: one seed gives one small net, bit for bit; torch keeps its number."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import vectable as vt
from vectable.training.threads import is_small


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def table() -> vt.TableData:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"c": rng.choice(list("abcde"), 3000), "x": rng.normal(size=3000), "z": rng.normal(size=3000)})
    y = frame["x"] * 2 + frame["z"] ** 2 + (frame["c"] == "a")
    return vt.TableData.from_df(frame.with_columns(y=y), "y", batch_size=512)


def tabular() -> vt.Learner:
    return vt.tabular_learner(table(), layers=[200, 100], progress=False)


def ratings(**options: Any) -> vt.Learner:
    rng = np.random.default_rng(0)
    pairs = rng.permutation(200 * 40)[:4000]
    frame = pl.DataFrame({"u": pairs // 40, "i": pairs % 40, "r": rng.integers(1, 6, 4000)})
    return vt.collab_learner(vt.RatingsData.from_df(frame, batch_size=256), progress=False, **options)


@pytest.mark.parametrize(
    "make",
    [tabular, lambda: ratings(use_nn=True), lambda: ratings(engine="torch"), ratings],
    ids=["table", "net of ratings", "ratings by torch", "ratings"],
)
def test_one_seed_gives_one_model_however_many_threads_torch_has(make: Any) -> None:
    states, found = [], []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        learn = make()
        found.append(learn.lr_find(num_it=30).losses)
        learn.fit_one_cycle(2, 5e-3)
        states.append({**learn.model.state_dict(), "predicted": learn.get_preds()[0]})
        assert torch.get_num_threads() == threads, "as before"
    assert np.array_equal(*found)
    assert [name for name, value in states[0].items() if not torch.equal(value, states[1][name])] == []


class Watch(vt.Callback):
    """Writes down torch's number of threads in each step."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def on_step_end(self, session: Any, model: Any, losses: Any) -> None:
        self.seen.add(torch.get_num_threads())


def threads_of(model: nn.Module, inputs: Any, **options: Any) -> set[int]:
    data = vt.TensorData.from_arrays(inputs, np.zeros(len(inputs)), bs=8)
    watch = Watch()
    vt.Learner(data, model, progress=False, **options).fit(1, 1e-3, callbacks=[watch])
    return watch.seen


def test_small_nets_take_one_thread_large_ones_torchs_and_the_caller_may_say() -> None:
    torch.set_num_threads(2)
    rows = np.zeros((16, 3))
    assert threads_of(nn.Linear(3, 1), rows) == {1}
    assert threads_of(nn.Linear(3, 1), rows, threads=2) == {2}
    picture = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 1))
    assert threads_of(picture, np.zeros((16, 1, 3, 3))) == {2}
    assert threads_of(picture, np.zeros((16, 1, 3, 3)), threads=1) == {1}
    assert torch.get_num_threads() == 2


def test_a_fit_that_fails_gives_the_threads_back() -> None:
    def broken(outputs: Any, target: Any) -> Any:
        raise ZeroDivisionError

    torch.set_num_threads(2)
    data = vt.TensorData.from_arrays(np.zeros((16, 3)), np.zeros(16), bs=8)
    learn = vt.Learner(data, nn.Linear(3, 1), broken, progress=False)
    for train in (lambda: learn.fit(1, 1e-3), learn.lr_find):
        with pytest.raises(ZeroDivisionError):
            train()
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("model", "small"),
    [
        (nn.Sequential(nn.Embedding(100_000, 50), nn.Linear(50, 200), nn.Linear(200, 1)), True),
        (nn.Linear(1000, 1000), True),
        (nn.Linear(1000, 1001), False),
        (nn.Conv2d(1, 1, 1), False),
        (nn.GRU(4, 4), False),
        (nn.TransformerEncoderLayer(8, 2, 8), False),
    ],
    ids=["tables are looked up", "a million", "more than a million", "convolution", "recurrence", "attention"],
)
def test_what_is_small(model: nn.Module, small: bool) -> None:
    assert is_small(model) == small
