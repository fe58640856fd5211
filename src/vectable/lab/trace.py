"""Every number of a descent on the line, row by row: what the sheets of the workbook show."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vectable.lab.arrays import Array
from vectable.lab.line import line, line_gradients
from vectable.lab.optimizers import Optimizer, WorkbookAdam, WorkbookRMSProp

Pair = tuple[float, float]


@dataclass(frozen=True)
class Row:
    """One step on one point; pairs are (intercept, slope).

    Attributes:
        x, y: the point.
        before, after: the parameters.
        predicted: at the parameters before the step.
        error: squared, `(y - predicted)²`.
        gradient: by the parameters.
        average, squares: what the optimizer remembers after the step; (0, 0) where it keeps no such thing.
    """

    x: float
    y: float
    before: Pair
    predicted: float
    error: float
    gradient: Pair
    average: Pair
    squares: Pair
    after: Pair


def trace(optimizer: Optimizer, x: Array, y: Array, epochs: int = 1, start: Pair = (1.0, 1.0)) -> Iterator[Row]:
    """Descend a point at a time and in order, a row after every step. Where it diverges, numbers become infinite."""
    parameters = [np.array(start[0]), np.array(start[1])]
    for _ in range(epochs):
        for at in range(len(x)):
            one = slice(at, at + 1)
            before = _pair(parameters)
            with np.errstate(over="ignore", invalid="ignore"):
                predicted = line(x[one], *before)
                error = (y[one] - predicted) ** 2
                gradient = line_gradients(x[one], y[one], *before)
                optimizer.step(parameters, [np.array(g) for g in gradient])
            average, squares = _remembered(optimizer, "average"), _remembered(optimizer, "squares")
            point = float(x[at]), float(y[at])
            yield Row(
                *point, before, float(predicted[0]), float(error[0]), gradient, average, squares, _pair(parameters)
            )


def by_macro(optimizer: Optimizer, x: Array, y: Array, epochs: int, start: Pair = (1.0, 1.0)) -> list[Pair]:
    """Parameters after each epoch as the macros of the lesson's workbook run it, (epochs,).

    They copy the last row's parameters from *before* its step into the next epoch, so each epoch loses one step of the
    29; what the optimizer remembers is copied from after it. The lab's own sheets lose nothing.
    """
    ways = []
    for _ in range(epochs):
        *_, last = trace(optimizer, x, y, 1, start)
        start = last.before
        ways.append(start)
    return ways


def warmed_up(
    make: type[WorkbookAdam] | type[WorkbookRMSProp],
    lr: float,
    betas: Pair,
    x: Array,
    y: Array,
    start: Pair = (1.0, 1.0),
) -> tuple[Pair, Pair]:
    """The averages, of gradients and of their squares, that the lesson's reset button leaves.

    It sets the average to 0 and the squares to 10000 and runs two epochs, both from the start: only what is remembered
    is carried from the first to the second, and from the second into the descent.
    """
    average, squares = (0.0, 0.0), (10000.0, 10000.0)
    for _ in range(2):
        *_, last = trace(make_from(make, lr, betas, average, squares), x, y, 1, start)
        average, squares = last.average, last.squares
    return average, squares


def make_from(
    make: type[WorkbookAdam] | type[WorkbookRMSProp], lr: float, betas: Pair, average: Pair, squares: Pair
) -> WorkbookAdam | WorkbookRMSProp:
    """One of the workbook's optimizers with averages to begin with; `betas` of average and squares."""
    if make is WorkbookRMSProp:
        return WorkbookRMSProp(lr, betas[1], start=list(squares))
    return WorkbookAdam(lr, betas, start_average=list(average), start_squares=list(squares))


def _pair(parameters: list[Array]) -> Pair:
    return float(parameters[0]), float(parameters[1])


def _remembered(optimizer: Optimizer, what: str) -> Pair:
    memory = getattr(optimizer, what, {})
    return float(memory.get(0, 0.0)), float(memory.get(1, 0.0))
