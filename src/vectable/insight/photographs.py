"""Photographs side by side, each with a line above it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def photograph_grid(
    pictures: Sequence[NDArray[Any]],
    titles: Sequence[str],
    path: str | None = None,
    *,
    columns: int | None = None,
    inches: float = 2.4,
) -> "Figure":
    """A figure of pictures in a grid; saved where `path` says.

    Args:
        pictures: each (height, width, 3), 0 to 255 or 0 to 1; or numbers, (height, width), all on one scale of colours.
        titles: a line for each.
        columns: pictures a row; by default about as many as there are rows.
        inches: side of a picture.
    """
    from vectable.insight.plots import figure, save

    columns = columns or max(1, math.ceil(math.sqrt(len(pictures))))
    rows = max(1, math.ceil(len(pictures) / columns))
    fig, axes = figure(columns, (inches / 0.75, (inches + 0.2) * rows), rows=rows)
    numbers = [one for one in pictures if one.ndim == 2]
    scale = {"vmin": min(one.min() for one in numbers), "vmax": max(one.max() for one in numbers)} if numbers else {}
    places = list(np.atleast_1d(axes).flat)
    for place in places:
        place.set_axis_off()
    for place, picture, title in zip(places, pictures, titles, strict=False):
        place.imshow(picture, **scale)
        place.set_title(title, fontsize=8, parse_math=False)
    return save(fig, path)
