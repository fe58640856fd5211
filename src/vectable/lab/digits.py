"""The lesson's comparison on digits: one epoch of each optimizer, its loss at every batch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vectable.lab.arrays import Array, Codes
from vectable.lab.averages import ewma
from vectable.lab.nets import Net, accuracy, train_epoch
from vectable.lab.optimizers import SGD, Adam, Forgetful, Momentum, Optimizer


@dataclass(frozen=True)
class Run:
    """One optimizer's epoch.

    Attributes:
        name: optimizer and rate.
        losses: at every batch, (batches,), before the step.
        accuracy: on the validation rows, after the last step.
    """

    name: str
    losses: Array
    accuracy: float

    @property
    def last(self) -> float:
        """The smoothed loss at the end: the debiased average, beta 0.98."""
        return float(ewma(self.losses, 0.98, debias=True)[-1])

    @property
    def diverged(self) -> bool:
        """Whether it ends where guessing would be, or nowhere."""
        return not self.last < self.losses[0]


RUNS: dict[str, Callable[[], Optimizer]] = {
    "SGD 2e-2": lambda: SGD(2e-2),
    "momentum 0.9, 2e-2": lambda: Momentum(2e-2, 0.9),
    "Adam 2e-2": lambda: Adam(2e-2),
    "Adam 1e-3": lambda: Adam(1e-3),
    "new Adam every step, 2e-2": lambda: Forgetful(Adam, 2e-2),
    "new Adam every step, 1e-3": lambda: Forgetful(Adam, 1e-3),
}
"""The lesson's settings; its notebook makes a new Adam in every update, so both kinds of Adam are here."""


def compare_on_digits(
    x: Array, y: Codes, x_valid: Array, y_valid: Codes, hidden: int | None = 50, wd: float = 1e-5, seed: int = 0
) -> list[Run]:
    """Train the lesson's net for one epoch with every one of `RUNS`, from the same start on the same batches of 64.

    Args:
        x, y: pixels (rows, inputs) from 0 to 1, and classes from 0.
        x_valid, y_valid: the same, to validate on.
        hidden: activations of the hidden layer; None for logistic regression.
        wd: the lesson's weight decay, `wd * sum(w²)` added to the loss.
        seed: of start and batches.
    """
    classes = int(y.max()) + 1
    sizes = [x.shape[1], classes] if hidden is None else [x.shape[1], hidden, classes]
    runs = []
    with np.errstate(over="ignore", invalid="ignore"):
        for name, make in RUNS.items():
            net = Net(sizes, seed)
            losses = train_epoch(net, x, y, make(), wd=wd, seed=seed)
            runs.append(Run(name, losses, accuracy(net, x_valid, y_valid)))
    return runs
