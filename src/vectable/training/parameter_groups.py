"""Layer groups: a model's parameters from first layers to last, each group with its own rate, decay and freezing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vectable.errors import VectableError, is_finite, require

Numbers = NDArray[np.float64]
Groups = list[list[nn.Parameter]]
Splitter = Callable[[nn.Module], Iterable[Any]]
Rates = float | slice | Sequence[float] | Numbers
"""One learning rate, ``slice(hi)``, ``slice(lo, hi)``, or one per layer group."""

BATCH_NORM = nn.modules.batchnorm._BatchNorm
A_RATE = "a positive number, usually 1e-4 to 1e-1"
A_MOMENTUM = "in [0, 1)"


def parameter_groups(model: nn.Module, splitter: Splitter | None = None) -> Groups:
    """The parameters of a model in groups, first layers first.

    Args:
        model: its own ``parameter_groups() -> list[list[nn.Parameter]]`` says how it splits; without one, all of it is
            one group.
        splitter: model -> groups, instead of the model's own; a group is a module, or a list of modules and parameters.

    Returns:
        The groups that hold parameters, frozen ones too.

    Raises:
        VectableError: a parameter is in no group or in two.
    """
    if splitter is not None:
        require(callable(splitter), f"splitter must be a function from model to layer groups; got {splitter!r}.")
        groups = [list(_parameters_in(group)) for group in splitter(model) or ()]
    elif hasattr(model, "parameter_groups"):
        own: Any = model.parameter_groups
        groups = [list(group) for group in own()]
    else:
        groups = [list(model.parameters())]
    times = Counter(id(parameter) for group in groups for parameter in group)
    for name, parameter in model.named_parameters():
        require(
            (count := times.pop(id(parameter), 0)) == 1,
            f"The parameter {name!r} is in {count} of the layer groups; each belongs in one.",
        )
    require(not times, f"{len(times)} parameters in the layer groups are not the model's.")
    return [group for group in groups if group] or [[]]


def spread_rates(lr: Any, n_groups: int, share_of_others: float) -> Numbers:
    """The learning rate of each layer group, (groups,).

    A number is everybody's. ``slice(hi)`` gives the last group `hi` and the others ``hi / share_of_others`` (the
    lesson's is 3, the modern one 10). ``slice(lo, hi)`` goes from `lo` to `hi` in equal ratios. A list is one each.

    Raises:
        VectableError: none of these, not numbers, below 0, or as many as there are no groups.
    """
    if isinstance(lr, slice):
        low, high = lr.start, lr.stop
        require(
            lr.step is None and is_finite(high) and high > 0 and (low is None or (is_finite(low) and low > 0)),
            f"The learning rate is {lr!r}; a slice is slice(hi) or slice(lo, hi), of numbers above 0.",
        )
        if n_groups == 1:
            return np.array([float(high)])
        if low is None:
            return np.array([high / share_of_others] * (n_groups - 1) + [float(high)])
        ratio = (high / low) ** (1 / (n_groups - 1))
        return np.array([low * ratio**at for at in range(n_groups - 1)] + [float(high)])
    return one_a_group(lr, n_groups, "learning rate", A_RATE)


def one_a_group(value: Any, n_groups: int, what: str, wanted: str) -> Numbers:
    """A number of at least 0 for each layer group, (groups,), from one for all or a list of them.

    Args:
        what, wanted: the words for it in an error.
    """
    if isinstance(value, Sequence | np.ndarray | torch.Tensor) and not isinstance(value, str) and np.ndim(value) == 1:
        listed = np.asarray(value).tolist()
        require(
            len(listed) == n_groups,
            f"There are {len(listed)} values of the {what} ({listed}) for {_counted(n_groups)}; give one for all, or "
            "one per group. learn.layer_groups shows the groups.",
        )
    else:
        listed = [value] * n_groups
    for one in listed:
        fits = is_finite(one) and one >= 0 and (wanted != A_MOMENTUM or one < 1)
        require(fits, f"The {what} must be {wanted}; got {one!r}.")
    return np.array(listed, dtype=np.float64)


def three_a_group(moms: Any, n_groups: int) -> Numbers:
    """Momentum at the start, at the top and at the end of a cycle for each layer group, (groups, 3).

    Args:
        moms: three numbers for all, or three per group.
    """
    listed = list(moms) if isinstance(moms, Sequence | np.ndarray) else []
    turns = listed if listed and all(np.ndim(one) == 1 for one in listed) else [listed] * n_groups
    require(
        len(turns) == n_groups and all(len(turn) == 3 for turn in turns),
        "moms must be three numbers (at the start, at the highest rate and at the end), or three for each of the "
        f"{_counted(n_groups)}; got {moms!r}.",
    )
    return np.array([one_a_group(turn, 3, "momentum", A_MOMENTUM) for turn in turns])


def freeze_to(groups: Groups, model: nn.Module, n: int, train_bn: bool) -> int:
    """Let the groups from number `n` on train and no others; batch norm in the others still does with `train_bn`.

    Args:
        n: below 0 it counts from the last.

    Returns:
        Number of frozen groups.

    Raises:
        VectableError: no such group, or a model of one group, of which nothing can be frozen.
    """
    count = len(groups)
    require(
        isinstance(n, int | np.integer) and -count <= n < count,
        f"There is no layer group {n!r} to freeze up to: the model has {_counted(count)}, 0 to {count - 1}.",
    )
    n = int(n) % count
    norms = {id(one) for norm in model.modules() if isinstance(norm, BATCH_NORM) for one in norm.parameters()}
    for at, group in enumerate(groups):
        for parameter in group:
            parameter.requires_grad_(at >= n or (train_bn and id(parameter) in norms))
            parameter.grad = None
    return n


def has_batch_norm(model: nn.Module) -> bool:
    """Whether a model has a batch norm anywhere."""
    return any(isinstance(module, BATCH_NORM) for module in model.modules())


def resting_norms(model: nn.Module) -> list[nn.Module]:
    """The batch norms whose own parameters are frozen: they use the statistics that they have, and take none."""
    norms = [module for module in model.modules() if isinstance(module, BATCH_NORM)]
    return [norm for norm in norms if (own := list(norm.parameters())) and not any(one.requires_grad for one in own)]


@dataclass(frozen=True)
class LayerGroup:
    """One group as shown: the names of its parameters, their count, and how many of the numbers in them train."""

    names: tuple[str, ...]
    parameters: tuple[nn.Parameter, ...]

    @property
    def size(self) -> int:
        """Numbers in the group."""
        return sum(parameter.numel() for parameter in self.parameters)

    @property
    def trainable(self) -> int:
        """Numbers in the group that train."""
        return sum(parameter.numel() for parameter in self.parameters if parameter.requires_grad)


class LayerGroups(Sequence[LayerGroup]):
    """The layer groups of a model, first layers first; printed as a table."""

    def __init__(self, groups: Groups, model: nn.Module) -> None:
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        self._groups = [LayerGroup(tuple(names[id(one)] for one in group), tuple(group)) for group in groups]

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, at: Any) -> Any:
        return self._groups[at]

    def __repr__(self) -> str:
        lines = [f"{'group':<6}{'parameters':>14}{'trainable':>14}  tensors"]
        for at, group in enumerate(self._groups):
            ends = dict.fromkeys((*group.names[:1], *group.names[-1:]))
            lines.append(f"{at:<6}{group.size:>14,}{group.trainable:>14,}  {' ... '.join(ends)}")
        return "\n".join(lines)


def _parameters_in(group: Any) -> Iterator[nn.Parameter]:
    """All parameters of a parameter, a module, or any nesting of lists of them."""
    if isinstance(group, nn.Parameter):
        yield group
    elif isinstance(group, nn.Module):
        yield from group.parameters()
    elif isinstance(group, Iterable) and not isinstance(group, str | torch.Tensor):
        for one in group:
            yield from _parameters_in(one)
    else:
        raise VectableError(f"A splitter gave {group!r}; a group is a module, or a list of modules and parameters.")


def _counted(count: int) -> str:
    return f"{count} layer group{'s' if count > 1 else ''}"
