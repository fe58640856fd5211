"""The loss surface of the line, and the ways of several optimizers over it, as a map of characters."""

from collections.abc import Sequence

import numpy as np

from vectable.lab.arrays import Array
from vectable.lab.descent import Descent
from vectable.lab.line import INTERCEPT, SLOPE, lesson_points

SHADES = " .:-=+*#%@"
MARKS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
Limits = tuple[tuple[float, float], tuple[float, float]]


def surface(intercepts: Array, slopes: Array) -> Array:
    """Root mean squared error of every pair over the lesson's points, (slopes, intercepts)."""
    x, y = lesson_points()
    b, a = np.meshgrid(intercepts, slopes)
    return np.asarray(np.sqrt(np.mean((a[..., None] * x + b[..., None] - y) ** 2, axis=-1)))


def limits_around(descents: Sequence[Descent]) -> Limits:
    """Intercepts and slopes to look at: the bottom, and all ways up to where they leave the neighbourhood of it."""
    intercepts = np.concatenate([[INTERCEPT], *(one.intercepts for one in descents)])
    slopes = np.concatenate([[SLOPE], *(one.slopes for one in descents)])
    intercepts = intercepts[np.abs(intercepts - INTERCEPT) < 60]
    slopes = slopes[np.abs(slopes - SLOPE) < 6]
    return _widened(intercepts, 2.0), _widened(slopes, 0.25)


def surface_map(descents: Sequence[Descent], width: int = 72, height: int = 20) -> list[str]:
    """Lines of characters: darker is worse, O the bottom, and a letter for each optimizer where each epoch ended.

    Intercepts from left to right, slopes from bottom to top. S is the start of the first.
    """
    (left, right), (low, high) = limits_around(descents)
    errors = np.log(surface(np.linspace(left, right, width), np.linspace(low, high, height)) + 1)
    levels = np.digitize(errors, np.quantile(errors, np.linspace(0, 1, len(SHADES) + 1)[1:-1]))
    cells = [[SHADES[level] for level in row] for row in levels]

    def mark(intercept: float, slope: float, letter: str) -> None:
        if left <= intercept <= right and low <= slope <= high:
            column = round((intercept - left) / (right - left) * (width - 1))
            cells[round((slope - low) / (high - low) * (height - 1))][column] = letter

    for letter, one in zip(MARKS, descents, strict=False):
        for at in range(one.steps_an_epoch, len(one.slopes), one.steps_an_epoch):
            mark(one.intercepts[at], one.slopes[at], letter)
    mark(descents[0].intercepts[0], descents[0].slopes[0], "S")
    mark(INTERCEPT, SLOPE, "O")
    lines = [f"{slope:6.2f} |{''.join(row)}" for slope, row in zip(np.linspace(low, high, height), cells, strict=True)]
    scale = f"{left:<8.1f}{'intercept':^{width - 16}}{right:>8.1f}"
    return [*reversed(lines), " " * 7 + "+" + "-" * width, " " * 8 + scale]


def _widened(values: Array, least: float) -> tuple[float, float]:
    margin = max(least, 0.08 * float(np.ptp(values)))
    return float(values.min()) - margin, float(values.max()) + margin
