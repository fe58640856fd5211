"""What the lab says about each sheet of the workbook of gradient descent."""

from dataclasses import dataclass

import numpy as np

from vectable.lab.arrays import Array
from vectable.lab.optimizers import SGD, DampedMomentum, WorkbookAdam, WorkbookRMSProp
from vectable.lab.trace import Pair, Row, make_from, trace, warmed_up


@dataclass(frozen=True)
class Descent:
    """What one sheet shows.

    Attributes:
        name, title: of the sheet.
        lr: learning rate to begin with.
        betas: of the average of gradients and of their squares; None where the sheet keeps no such average.
        average, squares: to begin with.
        rates: learning rate of every epoch, (epochs,).
        rows: every step, epoch after epoch.
    """

    name: str
    title: str
    lr: float
    betas: tuple[float | None, float | None]
    average: Pair
    squares: Pair
    rates: list[float]
    rows: list[Row]


def basic(x: Array, y: Array, epochs: int, start: Pair, lr: float = 1e-4) -> Descent:
    """Plain descent, the gradient also by finite differences."""
    rows = list(trace(SGD(lr), x, y, epochs, start))
    return Descent("basic", "Stochastic gradient descent", lr, (None, None), (0, 0), (0, 0), [lr] * epochs, rows)


def momentum(
    x: Array, y: Array, epochs: int, start: Pair, lr: float = 1e-4, beta: float = 0.9, average: Pair = (0.0, 0.0)
) -> Descent:
    """Momentum in the lesson's damped form."""
    optimizer = DampedMomentum(lr, beta)
    optimizer.average = dict(enumerate(average))
    rows = list(trace(optimizer, x, y, epochs, start))
    return Descent(
        "momentum", "Momentum, the lesson's damped form", lr, (beta, None), average, (0, 0), [lr] * epochs, rows
    )


def rmsprop(
    x: Array, y: Array, epochs: int, start: Pair, lr: float = 0.1, beta: float = 0.9, squares: Pair | None = None
) -> Descent:
    """RMSProp as the lesson's sheet has it; squares from its reset button unless given."""
    if squares is None:
        _, squares = warmed_up(WorkbookRMSProp, lr, (0.0, beta), x, y, start)
    rows = list(trace(make_from(WorkbookRMSProp, lr, (0.0, beta), (0, 0), squares), x, y, epochs, start))
    return Descent("rmsprop", "RMSProp", lr, (None, beta), (0, 0), squares, [lr] * epochs, rows)


def adam(
    x: Array, y: Array, epochs: int, start: Pair, lr: float = 0.3, betas: Pair = (0.9, 0.9),
    *, average: Pair | None = None, squares: Pair | None = None,
) -> Descent:  # fmt: skip
    """Adam as the lesson's sheet has it; the averages from its reset button unless given."""
    if average is None or squares is None:
        average, squares = warmed_up(WorkbookAdam, lr, betas, x, y, start)
    rows = list(trace(make_from(WorkbookAdam, lr, betas, average, squares), x, y, epochs, start))
    return Descent("adam", "Adam", lr, betas, average, squares, [lr] * epochs, rows)


def annealed_adam(x: Array, y: Array, epochs: int, start: Pair, lr: float = 1.0, betas: Pair = (0.9, 0.95)) -> Descent:
    """Adam whose rate is quartered after every epoch that ends with gradients more than twice their smallest size yet.

    The lesson's macro then runs that epoch once more at the lower rate; here the next one gets it.
    """
    average, squares = warmed_up(WorkbookAdam, lr, betas, x, y, start)
    optimizer = make_from(WorkbookAdam, lr, betas, average, squares)
    rows: list[Row] = []
    rates, smallest = [lr], gradient_size(squares)
    for epoch in range(epochs):
        optimizer.lr = rates[-1]
        rows += trace(optimizer, x, y, 1, rows[-1].after if rows else start)
        size = gradient_size(rows[-1].squares)
        if epoch < epochs - 1:
            rates.append(rates[-1] / 4 if size > 2 * smallest else rates[-1])
        smallest = min(size, smallest)
    return Descent("adam annealed", "Adam with an annealed rate", lr, betas, average, squares, rates, rows)


def gradient_size(squares: Pair) -> float:
    """How large gradients are of late: the roots of both averages, added."""
    return float(np.sqrt(squares[0]) + np.sqrt(squares[1]))
