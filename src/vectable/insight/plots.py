"""The look that all plots share, and saving them. matplotlib without a window: nothing is shown by itself."""

import io
from typing import TYPE_CHECKING, Any

from vectable.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
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
