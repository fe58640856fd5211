"""The look that all plots share, and saving them. matplotlib without a window: nothing is shown by itself."""

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colors that stay apart for the color-blind (Okabe & Ito 2008), the strongest first."""
STYLE: dict[Any, Any] = {
    "axes.prop_cycle": f"cycler('color', {list(PALETTE)})",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def figure(columns: int = 1, size: tuple[float, float] = (7.0, 4.5), rows: int = 1) -> "tuple[Figure, Any]":
    """A figure and its axes (an array of them for more than one), as wide as `size` a column, as high as it in all."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that a notebook shows by itself."""

        def _repr_png_(self) -> bytes:
            held = io.BytesIO()
            self.savefig(held, format="png", dpi=100)
            return held.getvalue()

    with rc_context(STYLE):
        fig = Picture(figsize=(size[0] * (1 if columns == 1 else 0.75 * columns), size[1]), layout="constrained")
        return fig, fig.subplots(rows, columns)


def save(fig: "Figure", path: str | None) -> "Figure":
    """Save as the format that the path's ending names; the figure is handed on either way."""
    if path is not None:
        try:
            fig.savefig(path, dpi=150)
        except (OSError, ValueError) as problem:
            raise DataError(f"The plot cannot be written to {path!r}: {problem}") from problem
    return fig


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
        columns: images per row; by default about as many as there are rows.
        inches: side of a picture.
    """
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
