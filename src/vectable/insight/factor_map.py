"""A map: points on two axes with their names beside them, no name on top of another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vectable.plotting import figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

LONGEST_LABEL = 28
SPOTS = 32  # directions tried around a point
REACHES = np.geomspace(5, 160, 14)  # distances tried, in points


def labelled_map(
    points: NDArray[np.float64],
    labels: Sequence[str],
    axis_names: tuple[str, str],
    path: str | None = None,
    title: str = "",
) -> "Figure":
    """Draw `points`, (rows, 2), each with its label at the nearest free place and a thin line to it.

    Labels are placed one by one, the most crowded points first, at the nearest spot around their point that touches
    no label placed before, no other point, and lies inside the plot. The figure grows until all fit.
    """
    inches = 9.0
    while True:
        fig, ax = figure(size=(inches * 1.25, inches))
        ax.scatter(points[:, 0], points[:, 1], s=14, zorder=3)
        ax.set(xlabel=axis_names[0], ylabel=axis_names[1], title=title)
        ax.margins(0.08)
        if _place(fig, points, [_short(label) for label in labels]) or inches > 30:
            return save(fig, path)
        inches *= 1.3


def _place(fig: "Figure", points: NDArray[np.float64], labels: list[str]) -> bool:
    fig.draw_without_rendering()  # fixes the layout
    ax = fig.axes[0]
    scale = fig.dpi / 72
    inside = ax.get_window_extent()
    at = ax.transData.transform(points)
    dots = [(x - 3, y - 3, x + 3, y + 3) for x, y in at]
    taken: list[tuple[float, float, float, float]] = []
    distance = np.linalg.norm(at[:, None] - at[None], axis=2)
    for i in np.argsort(np.sort(distance, axis=1)[:, : min(6, len(at))].sum(axis=1)):
        note: Annotation = ax.annotate(
            labels[i],
            points[i],
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "0.6", "shrinkA": 0, "shrinkB": 2},
        )
        extent = note.get_window_extent()
        wide, high = extent.width / 2 + 2, extent.height / 2 + 1
        for reach in REACHES * scale:
            for angle in np.linspace(0, 2 * np.pi, SPOTS, endpoint=False):
                x = at[i, 0] + np.cos(angle) * (reach + wide)
                y = at[i, 1] + np.sin(angle) * (reach + high)
                box = (x - wide, y - high, x + wide, y + high)
                free = inside.x0 <= box[0] and inside.y0 <= box[1] and box[2] <= inside.x1 and box[3] <= inside.y1
                if free and not any(_touch(box, other) for other in taken + dots):
                    note.set_position(((x - at[i, 0]) / scale, (y - at[i, 1]) / scale))
                    taken.append(box)
                    break
            else:
                continue
            break
        else:
            return False
    return True


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…"
