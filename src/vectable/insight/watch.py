"""Listening in on a net: what layers put out, and the gradients that come back to there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vectable.insight.hooks import hooked
from vectable.insight.layers import find_layer


class Watched:
    """What was heard, by the layer's full name; the last call of a layer counts.

    Attributes:
        activations: the layers' outputs, as they were before any later layer changed them in place. With gradients
            they hang on the graph, for `torch.autograd.grad` and for going back from them.
    """

    def __init__(self) -> None:
        self.activations: dict[str, Tensor] = {}

    @property
    def gradients(self) -> dict[str, Tensor]:
        """What ``backward()`` brought to those outputs; empty before."""
        return {name: one.grad for name, one in self.activations.items() if one.grad is not None}


@contextmanager
def watch(model: nn.Module, layers: Sequence[str | int], gradients: bool = False) -> Iterator[Watched]:
    """Keep what some layers put out while the block runs.

    ``with watch(model, ["body"], gradients=True) as seen: model(x)[0, 3].backward()``, and then `seen` has both. The
    hooks are gone when the block is left, by an exception too.

    Args:
        model: called in the block as usual.
        layers: names or numbers, as for `find_layer`.
        gradients: whether gradients are wanted too. They come also where all that lies before the layer is frozen.

    Raises:
        UnknownNameError: no such layer; with the closest names.

    Examples:
        >>> import torch, vectable as vt
        >>> net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
        >>> with vt.watch(net, ["0", "1"]) as seen:
        ...     _ = net(torch.ones(4, 3))
        >>> tuple(seen.activations["1"].shape)
        (4, 2)
    """
    seen = Watched()

    def hear(name: str, output: Any) -> Any:
        if not isinstance(output, Tensor):
            return None
        if not (gradients and torch.is_grad_enabled()):
            seen.activations[name] = output.detach()
        else:
            kept = output if output.requires_grad else output.detach().requires_grad_()
            kept.retain_grad()
            seen.activations[name] = output = kept
        return output.clone()  # which later layers may change in place

    with hooked([find_layer(model, layer) for layer in layers], hear):
        yield seen
