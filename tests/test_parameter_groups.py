"""Layer groups: how a model splits, a rate and a decay each, in training, finding, recording and saving."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import vectable as vt
from vectable.training.parameter_groups import parameter_groups, spread_rates
from vectable.training.presets import PRESETS


class ThreeStages(nn.Module):
    """A small net that says itself how it splits."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.norm = nn.Linear(2, 8), nn.BatchNorm1d(8)
        self.second, self.head = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.norm(torch.relu(self.first(x)))
        return self.head(torch.relu(self.second(hidden)))  # type: ignore[no-any-return]

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        return [
            [*self.first.parameters(), *self.norm.parameters()],
            list(self.second.parameters()),
            list(self.head.parameters()),
        ]


def toy(rows: int = 200) -> vt.TensorData:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, rows)
    x = rng.normal(size=(rows, 2)) + np.array([[0, 0], [3, 0], [0, 3]])[y]
    return vt.TensorData.from_arrays(x[:-40], y[:-40], x[-40:], y[-40:], bs=32)


def learner(model: nn.Module | None = None, **options: Any) -> vt.Learner:
    options = {"loss_func": nn.CrossEntropyLoss(), "progress": False, **options}
    return vt.Learner(toy(), model or ThreeStages(), **options)


def halves(net: nn.Module) -> list[nn.Module]:
    return [net[:2], net[2:]]  # type: ignore[index]


def sequential(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))


def weights(learn: vt.Learner) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in learn.model.parameters()])


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(
    ("lr", "preset", "expected"),
    [
        (1e-3, "modern", [0.001, 0.001, 0.001]),
        (slice(1e-3), "lesson", [0.0003333333333333333, 0.0003333333333333333, 0.001]),
        (slice(1e-3), "modern", [0.0001, 0.0001, 0.001]),
        (slice(None, 1e-3), "modern", [0.0001, 0.0001, 0.001]),
        (slice(1e-5, 1e-3), "modern", [1e-05, 0.0001, 0.001]),
        (slice(1e-5, 1e-3), "lesson", [1e-05, 0.0001, 0.001]),
        ([1e-5, 2e-4, 1e-3], "modern", [1e-5, 2e-4, 1e-3]),
        (np.array([1e-5, 2e-4, 1e-3]), "lesson", [1e-5, 2e-4, 1e-3]),
    ],
)
def test_rates_are_those_of_the_reference_in_both_dialects(lr: Any, preset: str, expected: list[float]) -> None:
    """The numbers are the reference library's, for three groups."""
    learn = learner(preset=preset)
    learn.fit(1, lr)
    assert learn.recorder.group_lrs[0] == pytest.approx(expected, rel=1e-12)
    learn.fit_one_cycle(1, lr)
    steps, div = len(learn.recorder.group_lrs), PRESETS[preset].cycle.div
    assert learn.recorder.group_lrs.shape == learn.recorder.group_moms.shape == (steps, 3)
    assert learn.recorder.group_lrs[0] == pytest.approx(np.array(expected) / div, rel=1e-12)
    assert np.allclose(learn.recorder.group_lrs, np.outer(learn.recorder.lrs, np.array(expected) / expected[-1]))


@given(st.floats(1e-8, 1.0), st.floats(1e-8, 1.0), st.integers(2, 9))
def test_a_slice_goes_from_end_to_end_in_equal_ratios(low: float, high: float, n_groups: int) -> None:
    rates = spread_rates(slice(low, high), n_groups, 10)
    assert (rates[0], rates[-1]) == (low, high)
    assert np.allclose(rates[1:] / rates[:-1], (high / low) ** (1 / (n_groups - 1)))


def test_of_one_group_a_slice_means_its_end() -> None:
    learn = learner(sequential())
    for lr in (slice(1e-3), slice(1e-5, 1e-3), [1e-3]):
        learn.fit(1, lr)
        assert learn.recorder.group_lrs.tolist() == [[1e-3]] * 5


@pytest.mark.parametrize(
    ("lr", "told"),
    [
        ([1e-5, 1e-4, 1e-3], "There are 3 values of the learning rate .* for 2 layer groups"),
        ([1e-3], "There are 1 values of the learning rate .* for 2 layer groups"),
        (slice(0, 1e-3), r"a slice is slice\(hi\) or slice\(lo, hi\), of numbers above 0"),
        (slice(1e-5, 1e-3, 2), r"a slice is slice\(hi\) or slice\(lo, hi\)"),
        (slice(1e-5, None), r"a slice is slice\(hi\)"),
        (slice(1e-5, float("nan")), r"a slice is slice\(hi\)"),
        ([1e-3, -1e-3], "The learning rate must be a positive number, .*; got -0.001"),
        ("1e-3", "The learning rate must be a positive number, .*; got '1e-3'"),
        (True, "The learning rate must be a positive number, .*; got True"),
        (float("inf"), "The learning rate must be a positive number, .*; got inf"),
    ],
)
def test_rates_that_do_not_fit_get_a_sentence(lr: Any, told: str) -> None:
    learn = learner(sequential(), splitter=halves)
    for call in (learn.fit, learn.fit_one_cycle):
        with pytest.raises(vt.VectableError, match=told):
            call(1, lr)
    with pytest.raises(vt.VectableError, match=told):
        learn.lr_find(start_lr=lr)


@pytest.mark.parametrize(
    ("moms", "told"),
    [
        ((0.9, 0.8), "must be three numbers"),
        (((0.9, 0.8, 0.9),) * 3, "three for each of the 2 layer groups"),
        ([(0.9, 0.8, 0.9), 0.9], "must be three numbers"),
        ((0.9, 0.8, 1.0), r"The momentum must be in \[0, 1\); got 1.0"),
        (0.9, "must be three numbers"),
    ],
)
def test_momenta_that_do_not_fit_get_a_sentence(moms: Any, told: str) -> None:
    with pytest.raises(vt.VectableError, match=told):
        learner(sequential(), splitter=halves).fit_one_cycle(1, 1e-3, moms=moms)


def test_decays_that_do_not_fit_get_a_sentence() -> None:
    with pytest.raises(vt.VectableError, match=r"There are 3 values of the weight decay .* for 2 layer groups"):
        learner(sequential(), splitter=halves, wd=[0.1, 0.1, 0.1])
    with pytest.raises(vt.VectableError, match=r"The weight decay must be a non-negative number; got -0.1"):
        learner(sequential(), splitter=halves, wd=[0.1, -0.1])


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("wd_mode", ["decoupled", "l2"])
def test_each_group_trains_as_one_of_torchs_with_its_rate_momentum_and_decay(wd_mode: str) -> None:
    """The loop, written out with torch's own optimizer and its parameter groups, ends at the same weights."""
    lrs, moms, wds = [1e-3, 3e-2], [0.8, 0.95], [0.3, 0.05]
    learn = learner(sequential(), splitter=halves, wd=wds, wd_mode=wd_mode, preset="lesson")
    by_hand, data = sequential(), learn.data
    make = torch.optim.AdamW if wd_mode == "decoupled" else torch.optim.Adam
    optimizer = make(
        [
            {"params": list(part.parameters()), "lr": lr, "betas": (mom, 0.99), "weight_decay": wd}
            for part, lr, mom, wd in zip(halves(by_hand), lrs, moms, wds, strict=True)
        ],
        eps=1e-8,
    )
    with learn.session.seeded(0, 0) as rng:
        plan = data.plan(rng)
    for rows in plan:
        (x,), y = data.train.batch(rows)
        nn.functional.cross_entropy(by_hand(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
    learn.fit(1, lrs, mom=moms)
    expected = torch.cat([p.detach().flatten() for p in by_hand.parameters()])
    assert torch.allclose(weights(learn), expected, atol=1e-6)


@pytest.mark.parametrize("preset", ["modern", "lesson"])
def test_one_rate_for_three_groups_trains_as_one_group_does(preset: str) -> None:
    """Splitting alone changes nothing: the same bits, with batch norm and biases sorted as before."""
    split, whole = learner(preset=preset), learner(preset=preset, splitter=lambda net: [net])
    assert (len(split.layer_groups), len(whole.layer_groups)) == (3, 1)
    for learn in (split, whole):
        learn.fit_one_cycle(2, 0.01)
    assert torch.equal(weights(split), weights(whole))


def test_biases_and_batch_norm_are_spared_in_every_group_unless_the_lesson_says_otherwise() -> None:
    def decaying(preset: str) -> list[int]:
        learn = learner(preset=preset)
        return [len(group) for group in learn.session.make_engine(learn.model).decaying]  # type: ignore[attr-defined]

    assert decaying("modern") == [1, 1, 1]
    assert decaying("lesson") == [4, 2, 2]


def test_a_group_of_rate_0_stays_where_it_is() -> None:
    learn = learner()
    before = [p.detach().clone() for p in learn.model.second.parameters()]  # type: ignore[union-attr, operator]
    learn.fit(1, [1e-2, 0, 1e-2])
    after = list(learn.model.second.parameters())  # type: ignore[union-attr, operator]
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_an_optimizer_of_your_own_is_driven_group_by_group() -> None:
    made: list[torch.optim.Optimizer] = []

    def make(groups: Any) -> torch.optim.Optimizer:
        made.append(torch.optim.NAdam(groups))
        return made[-1]

    learner(opt=make).fit(1, [1e-4, 1e-3, 1e-2])
    assert sorted(group["lr"] for group in made[-1].param_groups) == [1e-4, 1e-4, 1e-3, 1e-3, 1e-2, 1e-2]


# ---------------------------------------------------------------- how models split


def test_tables_split_into_embeddings_and_layers_and_ratings_not_at_all() -> None:
    frame = pl.DataFrame({"c": ["a", "b"] * 30, "x": np.arange(60.0), "y": ["no", "yes"] * 30})
    table = vt.tabular_learner(vt.TableData.from_df(frame, "y"), progress=False)
    first, last = table.layer_groups
    assert all(name.startswith("embeddings.") for name in first.names)
    assert {name.split(".")[0] for name in last.names} == {"numbers_norm", "layers"}
    numbers = vt.tabular_learner(vt.TableData.from_df(frame.drop("c"), "y", cat_names=[]), progress=False)
    assert len(numbers.layer_groups) == 1, "no embeddings, so no group of them"

    pairs = pl.DataFrame(
        [(u, i, float(1 + (u + i) % 5)) for u in range(9) for i in range(9)],
        schema=["user", "item", "rating"],
        orient="row",
    )
    ratings = vt.RatingsData.from_df(pairs)
    assert len(vt.collab_learner(ratings, progress=False).layer_groups) == 1
    net = vt.collab_learner(ratings, use_nn=True, n_models=2, progress=False)
    assert [group.names[0] for group in net.layer_groups] == ["users.weight", "layers.0.weight"]


def test_layer_groups_can_be_read() -> None:
    learn = learner(train_bn=False).freeze()
    assert [group.size for group in learn.layer_groups] == [8 * 2 + 8 + 8 + 8, 8 * 8 + 8, 3 * 8 + 3]
    assert [group.trainable for group in learn.layer_groups] == [0, 0, 27]
    lines = repr(learn.layer_groups).splitlines()
    assert lines[0].split() == ["group", "parameters", "trainable", "tensors"]
    assert lines[1].split() == ["0", "40", "0", "first.weight", "...", "norm.bias"]


@pytest.mark.parametrize(
    ("splitter", "told"),
    [
        (lambda net: [net[:1]], r"The parameter '2.weight' is in 0 of the layer groups; each belongs in one"),
        (lambda net: [net, net[2:]], r"The parameter '2.weight' is in 2 of the layer groups"),
        (lambda net: [net, nn.Linear(1, 1)], "2 parameters in the layer groups are not the model's"),
        (lambda net: [net, "head"], "A splitter gave 'head'; a group is a module"),
        (lambda net: None, r"The parameter '0.weight' is in 0 of the layer groups"),
        (5, "splitter must be a function from model to layer groups; got 5"),
    ],
)
def test_a_splitter_that_leaves_out_or_repeats_gets_a_sentence(splitter: Callable[..., Any], told: str) -> None:
    with pytest.raises(vt.VectableError, match=told):
        learner(sequential(), splitter=splitter)


def test_a_group_is_a_module_or_any_list_of_modules_and_parameters() -> None:
    net = sequential()
    groups = parameter_groups(net, lambda net: [[net[0].weight], [net[0].bias, [net[1], net[2]]], []])
    assert [[id(one) for one in group] for group in groups] == [
        [id(net[0].weight)],
        [id(net[0].bias), id(net[2].weight), id(net[2].bias)],
    ]


def test_of_ratings_in_groups_torch_is_the_engine_and_the_reason_is_told() -> None:
    pairs = pl.DataFrame(
        [(u, i, float(1 + (u + i) % 5)) for u in range(9) for i in range(9)],
        schema=["user", "item", "rating"],
        orient="row",
    )
    data = vt.RatingsData.from_df(pairs)

    def sides(model: Any) -> list[Any]:
        return [[model.user_factors, model.user_bias], [model.item_factors, model.item_bias]]

    learn = vt.collab_learner(data, splitter=sides, progress=False)
    learn.fit(1, slice(1e-2))
    assert learn.session.engines[0].name == "torch"
    with pytest.raises(vt.VectableError, match="it trains one layer group, and there are 2"):
        vt.collab_learner(data, splitter=sides, engine="compiled", progress=False).fit(1, 1e-2)


# ---------------------------------------------------------------- finding, recording, saving


def test_the_finder_keeps_the_ratios_of_the_groups_and_shows_the_last() -> None:
    tried: list[list[float]] = []

    class Watched(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:
            tried.append([group["lr"] for group in self.param_groups if group["params"][0].ndim > 1])
            super().step(closure)

    learn = learner(opt=lambda groups: Watched(groups, lr=0.0))
    found = learn.lr_find(start_lr=[1e-9, 1e-8, 1e-7], end_lr=1.0)
    rates = np.array([rates for rates in tried if any(rates)])[: len(found.lrs)]  # first a run at a rate of zero
    assert np.allclose(rates / rates[:, -1:], [0.01, 0.1, 1])
    assert np.allclose(found.lrs, rates[:, -1])
    assert found.lrs[0] == pytest.approx(1e-7)
    with pytest.raises(vt.VectableError, match="give 0 < start_lr < end_lr"):
        learn.lr_find(start_lr=slice(1e-3), end_lr=1e-4)


def test_plot_lr_draws_a_line_a_group_where_they_differ() -> None:
    learn = learner()
    learn.fit_one_cycle(1, 1e-3)
    assert [len(ax.lines) for ax in learn.recorder.plot_lr(show_moms=True).axes] == [1, 1]
    learn.fit_one_cycle(1, slice(1e-3))
    left, right = learn.recorder.plot_lr(show_moms=True).axes
    assert [len(left.lines), len(right.lines)] == [3, 1]
    assert [text.get_text() for text in left.get_legend().get_texts()] == [f"layer group {at}" for at in range(3)]
    learn.fit_one_cycle(1, 1e-3, moms=[(0.9, 0.8, 0.9), (0.9, 0.8, 0.9), (0.9, 0.7, 0.9)])
    assert [len(ax.lines) for ax in learn.recorder.plot_lr(show_moms=True).axes] == [1, 3]


def test_groups_are_saved_and_training_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    learn = learner(sequential(), splitter=halves, wd=[0.1, 0.2])
    learn.fit(1, slice(1e-3, 1e-2))
    learn.save(tmp_path / "model")
    with pytest.raises(vt.ArtifactError, match=r"split into 2 layer groups, and here there are 1: .*splitter="):
        vt.load_learner(tmp_path / "model", model=sequential(1), data=toy(), wd=0.1)
    back = vt.load_learner(tmp_path / "model", model=sequential(1), data=toy(), splitter=halves, progress=False)
    assert back.wd == (0.1, 0.2)
    assert np.array_equal(back.recorder.group_lrs, learn.recorder.group_lrs)
    for one in (learn, back):
        one.fit_one_cycle(1, slice(1e-3, 1e-2))
    assert torch.equal(weights(learn), weights(back))
