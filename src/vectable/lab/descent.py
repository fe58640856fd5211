"""Rolling down the loss surface of a line: where an optimizer goes, step by step, and whether it gets anywhere."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vectable.errors import UnknownNameError, did_you_mean, is_finite, is_whole, quote_some, require
from vectable.lab.arrays import Array
from vectable.lab.line import lesson_points, line_gradients, line_loss
from vectable.lab.optimizers import SGD, Adam, DampedMomentum, Momentum, Optimizer, RMSProp, WorkbookAdam

OPTIMIZERS: dict[str, tuple[Callable[[float], Optimizer], float]] = {
    "sgd": (SGD, 1e-4),
    "momentum": (Momentum, 1e-5),
    "damped-momentum": (DampedMomentum, 1e-4),
    "rmsprop": (RMSProp, 0.1),
    "adam": (Adam, 0.3),
    "workbook-adam": (WorkbookAdam, 0.3),
}
"""The optimizers by name, each with a learning rate that suits the line."""

LOST = 1e6  # times the error at the start: it will not come back


@dataclass(frozen=True)
class Descent:
    """The way of one optimizer.

    Attributes:
        name, lr: of the optimizer.
        intercepts, slopes: before the first step and after every one, (steps + 1,).
        errors: root mean squared error over all points, before the first epoch and after every one, (epochs + 1,).
        steps_an_epoch: how many steps make an epoch.
        diverged: the step (from 1) after which the error had no bounds; None where that did not happen.

    Examples:
        >>> from vectable import lab
        >>> way = lab.descend("adam", epochs=2)
        >>> bool(way.errors[-1] < way.errors[0])
        True
    """

    name: str
    lr: float
    intercepts: Array
    slopes: Array
    errors: Array
    steps_an_epoch: int
    diverged: int | None = None

    def in_words(self) -> str:
        """How it went, in a sentence or two."""
        who = f"{self.name} at {self.lr:g}"
        start, end = self.errors[0], self.errors[-1]
        if self.diverged is not None:
            return (
                f"{who} diverges: by step {self.diverged} the error is over {LOST:,.0f} times that of the start. Each "
                "step overshoots the valley by more than the one before; try a rate ten times smaller."
            )
        if end > start:
            return f"{who} ends worse than it began, error {start:.3g} -> {end:.3g}: the rate is too large to settle."
        bumps = int((np.diff(self.errors) > 0).sum())
        way = f"error {start:.3g} -> {end:.3g} in {len(self.errors) - 1} epochs"
        b = self.intercepts[-1]
        where = f"at y = {self.slopes[-1]:.3g}x {'-' if b < 0 else '+'} {abs(b):.3g}"
        if end > 0.5 * start:
            return f"{who} hardly moves: {way}, {where}. Try a rate ten times larger."
        return f"{who} gets down: {way}, {where}" + (f"; {bumps} of them went up." if bumps else ", down in every one.")


def make_optimizer(name: str, lr: float | None = None) -> tuple[Optimizer, float]:
    """An optimizer by its name in `OPTIMIZERS`, with a rate or the one that suits the line.

    Raises:
        UnknownNameError: no such name; the message names the closest.
        VectableError: a rate that is not a number above 0.
    """
    if name not in OPTIMIZERS:
        known = quote_some(OPTIMIZERS)
        raise UnknownNameError(f"There is no optimizer {name!r}.{did_you_mean(name, OPTIMIZERS)} There are {known}.")
    make, suits = OPTIMIZERS[name]
    rate = suits if lr is None else lr
    require(is_finite(rate) and rate > 0, f"The learning rate must be a positive number; got {rate!r}.")
    return make(rate), rate


def descend(
    name: str,
    lr: float | None = None,
    epochs: int = 10,
    start: tuple[float, float] = (1.0, 1.0),
    points: tuple[Array, Array] | None = None,
) -> Descent:
    """Let an optimizer look for the line, a point at a time and in order, as the lesson's workbook does.

    Args:
        name: in `OPTIMIZERS`.
        lr: learning rate; by default one that suits.
        epochs: times through the points.
        start: intercept and slope to begin with.
        points: x and y; by default the lesson's 29.

    Raises:
        UnknownNameError: no such optimizer.
        VectableError: another argument out of range.

    Examples:
        >>> from vectable import lab
        >>> print(lab.descend("sgd", lr=1e-4, epochs=5).in_words())
        sgd at 0.0001 gets down: error 76.1 -> 16.9 in 5 epochs, at y = 2.61x + 1.3, down in every one.
    """
    optimizer, rate = make_optimizer(name, lr)
    require(is_whole(epochs, 1), f"epochs must be a positive integer; got {epochs!r}.")
    x, y = lesson_points() if points is None else points
    require(
        len(x) == len(y) > 0, f"There are {len(x)} x and {len(y)} y; give as many of one as of the other, 1 or more."
    )
    parameters = [np.array(float(one)) for one in start]
    path, errors, diverged = [tuple(float(p) for p in parameters)], [_error(x, y, parameters)], None
    for _ in range(epochs):
        for row in range(len(x)):
            gradients = line_gradients(x[row : row + 1], y[row : row + 1], float(parameters[0]), float(parameters[1]))
            optimizer.step(parameters, [np.array(g) for g in gradients])
            path.append((float(parameters[0]), float(parameters[1])))
            if not _error(x, y, parameters) <= LOST * max(errors[0], 1.0):
                diverged = len(path) - 1
                break
        errors.append(_error(x, y, parameters))
        if diverged is not None:
            break
    way = np.array(path)
    return Descent(name, rate, way[:, 0], way[:, 1], np.array(errors), len(x), diverged)


def _error(x: Array, y: Array, parameters: list[Array]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(line_loss(x, y, float(parameters[0]), float(parameters[1]))))
