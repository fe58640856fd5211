"""A module made again from what a folder says of it, once that is known to fit the folder's weights."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vectable.errors import ArtifactError
from vectable.folder_schema import PartError, list_of, number, optional

RANGE = optional(list_of(number(), 2, 2))
"""(low, high) of the sigmoid around a prediction, in a saved model's configuration."""


def model_from_saved(make: Callable[[], nn.Module], weights: Mapping[str, Tensor], n_parts: int = 1) -> nn.Module:
    """A module, built only after its shapes, found without any memory, are known to be those of its saved weights.

    The weights are not loaded. Whole numbers among them that say which columns are looked at must be those of the
    module as it is built.

    Args:
        make: builds the module.
        n_parts: how many layers and tables it is made of: no more than there are weights.

    Raises:
        ArtifactError: it cannot be built, or its weights are of another shape.
    """
    if n_parts > len(weights):
        raise PartError(f"settings.config describes {n_parts:,} layers, and there are {len(weights):,} weights")
    with torch.device("meta"):
        check_weights(_built(make).state_dict(), weights)
    model = _built(make)
    for name, value in model.state_dict().items():
        if not value.is_floating_point() and value.dim() and not torch.equal(value, weights[name]):
            raise PartError(f"weights.{name} is not what settings.config makes it")
    return model


def check_weights(here: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    """Raise an `ArtifactError` unless saved weights have the names, shapes and types of a module's."""
    for name in [*saved, *here]:
        old, new = saved.get(name), here.get(name)
        if old is None or new is None or old.shape != new.shape:
            shapes = [None if one is None else tuple(one.shape) for one in (old, new)]
            raise ArtifactError(f"The saved model is another: {name!r} is {shapes[0]} there and {shapes[1]} here.")
        if old.dtype != new.dtype and not (old.is_floating_point() and new.is_floating_point()):
            raise ArtifactError(f"The saved model is another: {name!r} is {old.dtype} there and {new.dtype} here.")


def _built(make: Callable[[], Any]) -> nn.Module:
    try:
        module: nn.Module = make()
    except (ValueError, TypeError, RuntimeError, ArithmeticError, IndexError) as problem:
        raise PartError(f"settings.config describes no model: {problem}") from problem
    return module
