"""Optimizers that roll down the same surface, as numbers to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vectable.lab.descent import Descent, descend
from vectable.lab.line import INTERCEPT, SLOPE, lesson_points
from vectable.lab.surface import limits_around, surface

RACERS = ("sgd", "momentum", "rmsprop", "adam")
POINTS = 60  # of the surface, to each side
EPOCHS = 4


@dataclass(frozen=True)
class Race:
    """The error of a line through the lesson's points, and the ways over it.

    Attributes:
        intercepts, slopes: of the surface's points, (points,) each.
        errors: root mean squared error, (slopes, intercepts).
        ways: of the optimizers.
        bottom: intercept and slope where the error is 0.
    """

    intercepts: np.ndarray
    slopes: np.ndarray
    errors: np.ndarray
    ways: Sequence[Descent]
    bottom: tuple[float, float] = (INTERCEPT, SLOPE)

    def errors_of(self, way: Descent) -> list[float]:
        """The error after each step of a way, as the surface has it, (steps + 1,)."""
        x, y = lesson_points()
        lines = way.slopes[:, None] * x + way.intercepts[:, None]
        found: list[float] = np.sqrt(np.mean((lines - y) ** 2, axis=1)).tolist()
        return found


def race(names: Sequence[str] = RACERS, epochs: int = EPOCHS, start: tuple[float, float] = (1.0, 1.0)) -> Race:
    """Let optimizers look for the lesson's line from the same start.

    Args:
        names: of optimizers; each takes the rate that suits the line.
        epochs: times through the lesson's 29 points, a step a point.
        start: intercept and slope.
    """
    ways = [descend(name, None, epochs, start) for name in names]
    (left, right), (low, high) = limits_around(ways)
    intercepts, slopes = np.linspace(left, right, POINTS), np.linspace(low, high, POINTS)
    return Race(intercepts, slopes, surface(intercepts, slopes), ways)
