"""The filters of a convolution as pictures: what each looks for, where its inputs are colours."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import nn

from vectable.errors import VectableError
from vectable.insight.layers import find_layer, first_convolution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_DRAWN = 16  # filters and inputs of a layer whose inputs are not colours


@dataclass(repr=False)
class Filters:
    """The filters of one convolution.

    Attributes:
        layer: its full name.
        weights: (filters, inputs, height, width).
    """

    layer: str
    weights: NDArray[np.float32]

    def plot(self, path: str | None = None) -> "Figure":
        """Every filter as a picture: grey is 0, and the largest weight of a filter is as bright or dark as can be.

        In colours where there are three inputs, in grey where there is one. Otherwise a row a filter and a column an
        input, the first 16 of each.
        """
        from vectable.plotting import photograph_grid

        count, inputs = self.weights.shape[:2]
        if inputs in (1, 3):
            tiles = [as_picture(one) for one in self.weights]
            return photograph_grid(tiles, [str(at) for at in range(count)], path, columns=8, inches=1.0)
        shown = self.weights[:MOST_DRAWN, :MOST_DRAWN]
        tiles = [as_picture(one[None]) for row in shown for one in row]
        titles = [f"{at} of {number}" for number in range(len(shown)) for at in range(shown.shape[1])]
        return photograph_grid(tiles, titles, path, columns=shown.shape[1], inches=0.8)

    def __repr__(self) -> str:
        """Layer and shape."""
        count, inputs, height, width = self.weights.shape
        return f"Filters({self.layer}: {count} of {height} x {width} pixels over {inputs} inputs)"


def filters_of(model: nn.Module, layer: str | int | None = None) -> Filters:
    """The filters of a convolution over pictures, by default the first.

    Raises:
        UnknownNameError: no such layer; with the closest names.
        VectableError: the layer is not a convolution over pictures.
    """
    name, module = find_layer(model, first_convolution(model) if layer is None else layer)
    if not isinstance(module, nn.Conv2d):
        raise VectableError(
            f"The layer {name!r} is a {type(module).__name__}, no convolution over pictures; the first one is "
            f"{first_convolution(model)!r}."
        )
    return Filters(name, module.weight.detach().float().cpu().numpy())


def as_picture(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """A filter, (1 or 3, height, width), as a picture, (height, width, 3), 0 to 1, with 0.5 where the weight is 0."""
    largest = float(np.abs(weights).max()) or 1.0
    return np.broadcast_to(weights, (3, *weights.shape[1:])).transpose(1, 2, 0) / (2 * largest) + 0.5
