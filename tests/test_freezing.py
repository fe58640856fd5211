"""Freezing: what trains and what does not, what becomes of batch norm and of the optimizer's state."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import vectable as vt


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    body = [nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU()]
    return nn.Sequential(*body, nn.Linear(8, 3))


def three(net: nn.Sequential) -> list[nn.Module]:
    return [net[:3], net[3:6], net[6:]]


def learner(rows: int = 200, **options: Any) -> vt.Learner:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, rows)
    x = rng.normal(size=(rows, 2)) + np.array([[0, 0], [3, 0], [0, 3]])[y]
    data = vt.TensorData.from_arrays(x[:-40], y[:-40], x[-40:], y[-40:], bs=32)
    options = {"model": net(), "splitter": three, "loss_func": nn.CrossEntropyLoss(), "progress": False, **options}
    return vt.Learner(data, **options)


def changed(learn: vt.Learner, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, value in learn.model.state_dict().items() if not torch.equal(before[name], value)}


def copy(learn: vt.Learner) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in learn.model.state_dict().items()}


@contextmanager
def bytes_saved() -> Iterator[list[int]]:
    """Sizes of the tensors that autograd keeps for the backward pass."""
    sizes: list[int] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        sizes.append(tensor.numel() * tensor.element_size())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield sizes


def test_frozen_groups_stay_and_their_batch_norms_train() -> None:
    learn = learner()
    before = copy(learn)
    learn.freeze().fit(1, 0.01)
    norms = {f"{at}.{name}" for at in (1, 4) for name in ("weight", "bias", "running_mean", "running_var")}
    norms |= {"1.num_batches_tracked", "4.num_batches_tracked"}
    assert changed(learn, before) == {"6.weight", "6.bias"} | norms
    assert all(p.grad is None for p in learn.model.parameters())


def test_without_train_bn_nothing_of_the_body_changes_and_its_norms_use_what_they_have() -> None:
    learn = learner(train_bn=False)
    learn.fit(1, 0.01)
    before = copy(learn)
    learn.freeze().fit(2, 0.01)
    assert changed(learn, before) == {"6.weight", "6.bias"}
    modes: list[tuple[bool, bool]] = []
    for norm in learn.model.modules():
        if isinstance(norm, nn.BatchNorm1d):
            norm.register_forward_hook(lambda norm, *_: modes.append((norm.training, torch.is_grad_enabled())))
    learn.fit(1, 0.01)
    assert {training for training, with_gradients in modes if with_gradients} == {False}


def test_thawed_batch_norm_takes_statistics_again() -> None:
    learn = learner(train_bn=False)
    learn.freeze().fit(1, 0.01)
    before = copy(learn)
    learn.unfreeze().fit(1, 0.01)
    assert changed(learn, before) == set(before)


def test_a_frozen_body_without_train_bn_keeps_no_activations() -> None:
    saved = {}
    for name, train_bn, frozen in (("all", True, 0), ("body", True, 2), ("head", False, 2)):
        learn = learner(train_bn=train_bn, engine="torch").freeze_to(frozen)
        with bytes_saved() as sizes:
            learn.fit(1, 0.01)
        saved[name] = sum(sizes)
    assert saved["head"] < 0.5 * saved["body"] < 0.5 * saved["all"]
    learn = learner(train_bn=False).freeze()
    (x,), _ = learn.data.train.batch(slice(0, 32))
    with bytes_saved() as sizes:
        assert not learn.model[:6](x).requires_grad  # type: ignore[index]
    assert sizes == []


def test_freeze_to_counts_from_both_ends() -> None:
    learn = learner(train_bn=False)

    def training() -> list[bool]:
        return [group.trainable > 0 for group in learn.layer_groups]

    assert (learn.frozen, training()) == (0, [True, True, True])
    for n, frozen in ((1, 1), (-1, 2), (-3, 0), (2, 2), (0, 0), (np.int64(1), 1)):
        learn.freeze_to(n)  # type: ignore[arg-type]
        assert learn.frozen == frozen
        assert training() == [at >= frozen for at in range(3)]
    learn.unfreeze()
    assert training() == [True] * 3
    for n in (3, -4, "head", 1.0):
        with pytest.raises(vt.VectableError, match=r"There is no layer group .* the model has 3 layer groups, 0 to 2"):
            learn.freeze_to(n)  # type: ignore[arg-type]


def test_of_one_group_nothing_can_be_frozen() -> None:
    with pytest.raises(vt.VectableError, match=r"one layer group, so there is nothing to freeze. Give .*splitter="):
        learner(splitter=None).freeze()


def test_when_all_is_frozen_by_hand_a_sentence_says_so() -> None:
    learn = learner()
    learn.model.requires_grad_(False)
    with pytest.raises(vt.VectableError, match="Nothing in the model can be trained"):
        learn.fit(1, 0.01)


def steps(learn: vt.Learner) -> dict[str, int]:
    state = learn.session.engines[0].state()
    return {name.removesuffix(".step"): int(value) for name, value in state.items() if name.endswith(".step")}


def test_state_of_what_goes_on_is_kept_and_what_is_thawed_starts_anew() -> None:
    learn = learner(train_bn=False)
    learn.fit(1, 0.01)
    learn.freeze()
    assert steps(learn) == {"6.weight": 5, "6.bias": 5}
    learn.fit(1, 0.01)
    learn.unfreeze()
    learn.fit(1, 0.01)
    assert steps(learn) == {**dict.fromkeys(steps(learn), 5), "6.weight": 15, "6.bias": 15}
    assert len(steps(learn)) == 10


def test_what_goes_on_trains_as_if_nothing_had_been_frozen() -> None:
    """The head alone, after freezing, steps exactly as Adam goes on from its moments."""
    learn = learner(train_bn=False, opt="adam", wd=0.0)
    learn.fit(1, 0.01)
    moments = {name: value.clone() for name, value in learn.session.engines[0].state().items() if name.startswith("6.")}
    learn.freeze()
    kept = learn.session.engines[0].state()
    assert kept.keys() == moments.keys()
    assert all(torch.equal(kept[name], moments[name]) for name in moments)


def test_the_lesson_makes_a_new_optimizer_every_fit_frozen_or_not() -> None:
    learn = learner(preset="lesson", train_bn=False)
    learn.fit(1, 0.01)
    learn.freeze().fit(1, 0.01)
    assert steps(learn) == {"6.weight": 5, "6.bias": 5}


def test_a_lone_last_row_leaves_resting_norms_at_rest() -> None:
    learn = learner(train_bn=False)
    learn.data.batch_size = 1
    learn.freeze()
    before = copy(learn)
    learn.fit(1, 0.01)
    assert changed(learn, before) == {"6.weight", "6.bias"}


def test_every_member_of_an_ensemble_is_frozen() -> None:
    learn = learner(model=_ensemble(), train_bn=False)
    before = copy(learn)
    learn.freeze().fit(1, 0.01)
    assert changed(learn, before) == {f"members.{at}.6.{name}" for at in (0, 1) for name in ("weight", "bias")}


def _ensemble() -> nn.Module:
    from vectable.models.ensemble import Ensemble

    return Ensemble([net(0), net(1)])


def test_freezing_is_saved_and_training_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    learn = learner(train_bn=False)
    learn.freeze().fit(1, 0.01)
    learn.save(tmp_path / "model")
    back = vt.load_learner(tmp_path / "model", model=net(1), data=learn.data, splitter=three, progress=False)
    assert (back.frozen, back.train_bn) == (2, False)
    assert repr(back.layer_groups) == repr(learn.layer_groups)
    for one in (learn, back):
        one.fit_one_cycle(1, 0.01)
        one.unfreeze().fit_one_cycle(1, slice(1e-4, 1e-2))
    first, second = (torch.cat([p.flatten() for p in one.model.state_dict().values()]) for one in (learn, back))
    assert torch.equal(first, second)


def test_embeddings_of_a_table_can_be_frozen() -> None:
    frame = pl.DataFrame({"c": ["a", "b"] * 30, "x": np.arange(60.0), "y": ["no", "yes"] * 30})
    learn = vt.tabular_learner(vt.TableData.from_df(frame, "y"), progress=False)
    before = learn.weight("c").copy()
    learn.freeze().fit(1, 0.01)
    assert np.array_equal(before, learn.weight("c"))
    learn.unfreeze().fit(1, [0.01, 0.001])
    assert not np.array_equal(before, learn.weight("c"))


def test_users_of_ratings_can_be_frozen_with_torch() -> None:
    pairs = pl.DataFrame(
        [(u, i, float(1 + (u + i) % 5)) for u in range(9) for i in range(9)],
        schema=["user", "item", "rating"], orient="row",
    )  # fmt: skip

    def sides(model: Any) -> list[Any]:
        return [[model.user_factors, model.user_bias], [model.item_factors, model.item_bias]]

    learn = vt.collab_learner(vt.RatingsData.from_df(pairs), splitter=sides, progress=False)
    learn.freeze()
    users = learn.model.user_factors.weight[1:].detach().clone()  # type: ignore[union-attr, index]
    items = learn.model.item_factors.weight[1:].detach().clone()  # type: ignore[union-attr, index]
    learn.fit(1, 0.01)
    assert torch.equal(users, learn.model.user_factors.weight[1:])  # type: ignore[union-attr, index]
    assert not torch.equal(items, learn.model.item_factors.weight[1:])  # type: ignore[union-attr, index]
    with pytest.raises(vt.VectableError, match="one layer group"):
        vt.collab_learner(vt.RatingsData.from_df(pairs), progress=False).freeze()
