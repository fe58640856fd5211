"""What the exercises on optimizers share: the line of the lesson's workbook, descended a point at a time."""

from collections.abc import Callable
from typing import Any

from vectable.lab.line import lesson_points


def walk(make: Callable[[], Any], steps: int) -> list[list[float]]:
    """Intercept and slope after each of the first steps over the workbook's 29 points, (steps, 2), from (1, 1).

    Args:
        make: makes an optimizer of one number, whose ``step(parameter, gradient)`` returns the new parameter.
    """
    x, y = lesson_points()
    intercept, slope, way = 1.0, 1.0, []
    for_intercept, for_slope = make(), make()
    for at in range(steps):
        point = at % len(x)
        error = 2 * (slope * x[point] + intercept - y[point])
        intercept, slope = for_intercept.step(intercept, error), for_slope.step(slope, error * x[point])
        way.append([intercept, slope])
    return way
