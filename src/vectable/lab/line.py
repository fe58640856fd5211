"""The lesson's problem in two parameters: find the line y = 2x + 30 from 29 points, a point at a time."""

import numpy as np

from vectable.lab.arrays import Array

SLOPE, INTERCEPT = 2.0, 30.0
# The x of the 29 rows of the lesson's workbook graddesc.xlsm (fast.ai, Apache-2.0).
LESSON_X = np.array(
    [14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9, 38, 44, 99, 13, 21, 28, 20, 8, 64, 99, 70, 27, 17, 8],
    dtype=np.float64,
)


def lesson_points() -> tuple[Array, Array]:
    """The 29 points, x and y = 2x + 30, (29,) each: on the line exactly, so the least error is 0."""
    return LESSON_X.copy(), SLOPE * LESSON_X + INTERCEPT


def line(x: Array, intercept: float, slope: float) -> Array:
    """`slope * x + intercept`."""
    return slope * x + intercept


def line_loss(x: Array, y: Array, intercept: float, slope: float) -> float:
    """Mean squared error of a line."""
    return float(np.mean((line(x, intercept, slope) - y) ** 2))


def line_gradients(x: Array, y: Array, intercept: float, slope: float) -> tuple[float, float]:
    """Gradient of the mean squared error by intercept and slope: the means of `2 (ax + b - y)` and of x times that."""
    error = 2 * (line(x, intercept, slope) - y)
    return float(error.mean()), float((error * x).mean())
