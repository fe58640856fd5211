"""The layers of a net by name or number: what can be asked for, and finding what was asked for."""

from typing import Any

import polars as pl
import torch
from torch import Tensor, nn

from vectable.errors import UnknownNameError, VectableError, did_you_mean, is_whole
from vectable.insight.evaluating import evaluating
from vectable.insight.hooks import hooked
from vectable.insight.summary import summarize

MODEL = "(the model)"


def list_layers(model: nn.Module, inputs: tuple[Tensor, ...]) -> pl.DataFrame:
    """The layers without layers inside, in order, measured on one batch.

    Returns:
        number, layer (its name), kind, activations (shape for one row, as "64 x 7 x 7"; null where the batch passes
        through the layer without a call), parameters (how many). Layers with layers inside can be asked for by name.
    """
    rows = [
        {
            "number": number,
            "layer": one.name,
            "kind": one.kind,
            "activations": None if one.output is None else " x ".join(str(size) for size in one.output[1:]) or "1",
            "parameters": one.n_parameters,
        }
        for number, one in enumerate(summarize(model, inputs).layers)
    ]
    return pl.DataFrame(rows, schema_overrides={"activations": pl.String})


def find_layer(model: nn.Module, layer: str | int) -> tuple[str, nn.Module]:
    """A layer's full name and module.

    Args:
        model: whose layer.
        layer: a name as in ``model.named_modules()``, with layers inside or without; the end of one, from a dot on,
            if no other ends like it; or the number of a layer without layers inside, as `list_layers` and `summary`
            count them, from the end where negative.

    Raises:
        UnknownNameError: no such name, with the closest ones; or several end like it.
        VectableError: no such number.
    """
    modules = dict(model.named_modules())
    if isinstance(layer, str):
        if layer in modules and layer:
            return layer, modules[layer]
        ending = [name for name in modules if name.endswith(f".{layer}")]
        if len(ending) == 1:
            return ending[0], modules[ending[0]]
        if ending:
            raise UnknownNameError(f"{len(ending)} layers are called {layer!r}, as {ending[0]!r} and {ending[1]!r}.")
        names = [name for name in modules if name]
        hint = did_you_mean(layer, names)
        raise UnknownNameError(
            f"There is no layer {layer!r}.{hint} The layers are {', '.join(repr(n) for n in names[:6])}, ...; "
            "layers() or summary() lists them."
        )
    leaves = [(name, module) for name, module in modules.items() if not any(module.children())]
    if not (is_whole(layer, -len(leaves)) and layer < len(leaves)):
        raise VectableError(
            f"There is no layer number {layer!r}: they go from 0 ({leaves[0][0] or MODEL}) to {len(leaves) - 1} "
            f"({leaves[-1][0] or MODEL}); or give a name."
        )
    chosen: tuple[str, nn.Module] = leaves[int(layer)]
    return chosen


def first_convolution(model: nn.Module) -> str:
    """The name of the first convolution over pictures.

    Raises:
        VectableError: there is none.
    """
    found: list[str] = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    if found:
        return found[0]
    raise VectableError(f"{type(model).__name__} has no convolution over pictures: there are no filters to look at.")


def last_map(model: nn.Module, pictures: Tensor) -> str:
    """The name of the last layer to put out maps: channels with more than one position each. Of an `ImageNet`: "body".

    Args:
        model: whose layer.
        pictures: as the model takes them, (batch, ...).

    Raises:
        VectableError: no layer does.
    """
    found: list[str] = []

    def note(name: str, output: Any) -> None:
        if name and is_map(output):
            found.append(name)

    with evaluating(model), torch.no_grad(), hooked(model.named_modules(), note):
        model(pictures)
    if not found:
        raise VectableError(f"No layer of {type(model).__name__} puts out maps (batch, channels, rows, columns).")
    return found[-1]


def is_map(output: object) -> bool:
    """Whether a layer's output is (batch, channels, rows, columns) with more than one position."""
    return isinstance(output, Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1
