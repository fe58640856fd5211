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
    """The 29 points, x and y = 2x + 30, (29,) each: on the line exactly, so the least error is 0.

    Examples:
        >>> from vectable import lab
        >>> x, y = lab.lesson_points()
        >>> len(x), bool((y == 2 * x + 30).all())
        (29, True)
    """
    return LESSON_X.copy(), SLOPE * LESSON_X + INTERCEPT


def line(x: Array, intercept: float, slope: float) -> Array:
    """`slope * x + intercept`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.line(np.array([0.0, 1.0]), intercept=30.0, slope=2.0).tolist()
        [30.0, 32.0]
    """
    return slope * x + intercept


def line_loss(x: Array, y: Array, intercept: float, slope: float) -> float:
    """Mean squared error of a line.

    Examples:
        >>> from vectable import lab
        >>> float(lab.line_loss(*lab.lesson_points(), intercept=30.0, slope=2.0))
        0.0
    """
    return float(np.mean((line(x, intercept, slope) - y) ** 2))


def line_gradients(x: Array, y: Array, intercept: float, slope: float) -> tuple[float, float]:
    """Gradient of the mean squared error by intercept and slope: the means of `2 (ax + b - y)` and of x times that.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> [round(one, 4) for one in lab.line_gradients(np.array([3.0]), np.array([36.0]), 1.0, 1.0)]
        [-64.0, -192.0]
    """
    error = 2 * (line(x, intercept, slope) - y)
    return float(error.mean()), float((error * x).mean())
