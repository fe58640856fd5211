"""Photographs side by side, each with a line above it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def photograph_grid(pictures: Sequence[NDArray[Any]], titles: Sequence[str], path: str | None = None) -> "Figure":
    """A figure of pictures in a grid about as wide as high; saved where `path` says.

    Args:
        pictures: each (height, width, 3), 0 to 255.
        titles: a line for each.
    """
    from vectable.insight.plots import figure, save

    columns = max(1, math.ceil(math.sqrt(len(pictures))))
    rows = max(1, math.ceil(len(pictures) / columns))
    fig, axes = figure(columns, (3.2, 2.6 * rows), rows=rows)
    places = list(np.atleast_1d(axes).flat)
    for place in places:
        place.set_axis_off()
    for place, picture, title in zip(places, pictures, titles, strict=False):
        place.imshow(picture)
        place.set_title(title, fontsize=8, parse_math=False)
    return save(fig, path)
