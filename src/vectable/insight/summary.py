"""Every layer of a model: what comes out of it (activations) and what it holds (parameters), with shapes."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vectable.insight.evaluating import evaluating
from vectable.insight.hooks import hooked


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        name, kind: where it sits in the model, and its class.
        output: shape of its activations for the batch, or None when the batch did not pass through it by a call.
        parameters: shapes by name.
        n_parameters, n_trainable: numbers.
    """

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: dict[str, tuple[int, ...]]
    n_parameters: int
    n_trainable: int


@dataclass(frozen=True)
class Summary:
    """All layers in order, printed as a table, each with its number."""

    model: str
    layers: list[Layer]

    @property
    def n_parameters(self) -> int:
        """Parameters of the whole model."""
        return sum(layer.n_parameters for layer in self.layers)

    def __str__(self) -> str:
        wide = max([27, *(len(layer.name) for layer in self.layers)]) + 1
        lines = [f"{'':>4} {'layer':<{wide}}{'kind':<16}{'activations':<20}{'parameters':<34}{'number':>12}"]
        for number, layer in enumerate(self.layers):
            shapes = ", ".join(f"{name} {_shape(shape)}" for name, shape in layer.parameters.items()) or "-"
            out = "-" if layer.output is None else _shape(layer.output)
            known = f"{layer.name:<{wide}}{layer.kind:<16}{out:<20}{shapes:<34}{layer.n_parameters:>12,}"
            lines.append(f"{number:>4} {known}")
        trainable = sum(layer.n_trainable for layer in self.layers)
        lines.append(f"{self.model}: {self.n_parameters:,} parameters, {trainable:,} of them trainable")
        return "\n".join(lines)

    __repr__ = __str__


def summarize(model: nn.Module, inputs: tuple[Tensor, ...]) -> Summary:
    """Send one batch through `model` and note every layer without layers inside."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Any) -> None:
        if isinstance(output, Tensor):
            shapes[name] = tuple(output.shape)

    leaves = [(name, module) for name, module in model.named_modules() if not any(module.children())]
    with evaluating(model), torch.no_grad(), hooked(leaves, note):
        model(*inputs)
    return Summary(type(model).__name__, [_layer(name, module, shapes.get(name)) for name, module in leaves])


def _layer(name: str, module: nn.Module, output: tuple[int, ...] | None) -> Layer:
    parameters = dict(module.named_parameters())
    return Layer(
        name or "(the model)",
        type(module).__name__,
        output,
        {key: tuple(value.shape) for key, value in parameters.items()},
        sum(value.numel() for value in parameters.values()),
        sum(value.numel() for value in parameters.values() if value.requires_grad),
    )


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape) or "1"
