"""What a layer makes of one photograph: its activations, and the gradient of a class there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.errors import is_whole, require
from vectable.insight.evaluating import evaluating
from vectable.insight.layers import find_layer
from vectable.insight.watch import watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vectable.data.images.image_decoding import Picture


@dataclass(repr=False)
class Activations:
    """A layer's activations for one photograph.

    Attributes:
        layer: its full name.
        values: (channels, rows, columns) where the layer makes maps, else (features,) or what shape it has.
        gradients: of one output by those values, in the same shape; None unless asked for.
        outputs: of the net, before the loss's activation, (outputs,).
        picture: as the net saw it, (side, side, 3) bytes.
    """

    layer: str
    values: NDArray[np.float32]
    gradients: NDArray[np.float32] | None
    outputs: NDArray[np.float32]
    picture: "Picture"

    def strongest(self, n: int = 15) -> list[int]:
        """The channels with the largest activations anywhere, the largest first."""
        peaks = self.values.reshape(len(self.values), -1).max(axis=1)
        return [int(at) for at in np.argsort(-peaks, kind="stable")[:n]]

    def plot(self, channels: list[int] | None = None, path: str | None = None) -> "Figure":
        """The photograph and the maps of some channels, by default the 15 strongest, on one scale of colours.

        A layer without maps is drawn as bars.
        """
        from vectable.plotting import figure, photograph_grid, save

        if self.values.ndim != 3:
            fig, ax = figure()
            flat = self.values.ravel()
            ax.bar(np.arange(len(flat)), flat, width=1.0)
            ax.set(xlabel="feature", ylabel="activation", title=self.layer)
            return save(fig, path)
        chosen = self.strongest() if channels is None else channels
        for at in chosen:
            check_channel(at, len(self.values), self.layer)
        maps = [self.values[at] for at in chosen]
        titles = [self.layer, *(f"channel {at}, up to {map.max():.2g}" for at, map in zip(chosen, maps, strict=True))]
        return photograph_grid([self.picture, *maps], titles, path)

    def __repr__(self) -> str:
        """Layer, shape and the strongest channels."""
        shape = " x ".join(str(size) for size in self.values.shape)
        return f"Activations({self.layer}: {shape}; strongest {self.strongest(5)})"


def activations_of(model: nn.Module, picture: Tensor, layer: str | int, output: int | None = None) -> Activations:
    """What `layer` makes of one photograph.

    Args:
        model: in evaluation mode while it is asked.
        picture: (3, side, side) bytes.
        layer: its name or number; see `find_layer`.
        output: number of the output whose gradient to take too.

    Raises:
        UnknownNameError: no such layer; with the closest names.
        VectableError: the layer took no part.
    """
    name, _ = find_layer(model, layer)
    inputs = picture[None].to(next(model.parameters()).device)
    with (
        evaluating(model),
        torch.set_grad_enabled(output is not None),
        watch(model, [name], output is not None) as seen,
    ):
        outputs = model(inputs)[0]
    require(name in seen.activations, f"The layer {name!r} was not called as a module, or puts out no tensor.")
    values = seen.activations[name]
    slope = None if output is None else torch.autograd.grad(outputs[output], values, allow_unused=True)[0]
    require(output is None or slope is not None, f"The outputs do not depend on the layer {name!r}.")
    return Activations(
        name,
        _one(values),
        None if slope is None else _one(slope),
        outputs.detach().cpu().numpy(),
        picture.permute(1, 2, 0).cpu().numpy(),
    )


def _one(values: Tensor) -> NDArray[np.float32]:
    """The values for the one photograph of a batch."""
    return values[0].detach().float().cpu().numpy()


def check_channel(channel: object, count: int, layer: str) -> None:
    """Raise a sentence unless a layer of `count` channels has this one."""
    require(
        is_whole(channel, 0) and channel < count,
        f"There is no channel {channel!r} in {layer!r}: they go from 0 to {count - 1}.",
    )
