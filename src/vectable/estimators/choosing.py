"""How long a net trains, how fast and how much its weights decay, where nobody says so: as was best on held-out rows.

Tables differ in it more than in anything else. Delays of flights are mostly noise, and a net that trains for long on
10,000 of them learns it; a smooth function of ten numbers wants a long training. `benchmarks/tables.py` shows what is
reached by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vectable.tables.defaults import DECAY, EPOCHS, RATE, STEPS

if TYPE_CHECKING:
    from vectable.tables.tabular import TabularLearner

FEWEST, SMALL, MOST = 100, 5_000, 50_000
"""Rows from which on it is chosen at all; below which by folds and steps, from there by one part and epochs; and from
which on no longer: with so many rows a net does not learn noise."""
LINEAR_BELOW = 1_001
"""Rows below which numbers predicted from numbers alone start as a ridge regression."""
FOLDS, JUDGED = 5, 3
"""Parts of few rows, and how many of them are held out in turn; of many rows one."""


@dataclass(frozen=True)
class Plan:
    """One way to train.

    Attributes:
        steps: at least as many.
        epochs: at least as many.
        wd: weight decay.
        lr: the highest learning rate of the cycle.
    """

    steps: int
    epochs: int
    wd: float
    lr: float

    def n_epochs(self, n_steps: int) -> int:
        """Epochs of so many steps."""
        return max(self.epochs, -(-self.steps // n_steps))


BESIDE_RIDGE = (Plan(200, 1, 10.0, 1e-2), Plan(600, 1, 3.0, 1e-2), Plan(1500, 1, 1.0, 1e-2))
BY_STEPS = (Plan(200, 1, 3.0, 1e-2), Plan(600, 1, 1.0, 1e-2), Plan(1500, 1, 1.0, 1e-2))
USUAL = Plan(STEPS, EPOCHS, DECAY, RATE)
BY_EPOCHS = (replace(USUAL, epochs=4), USUAL, replace(USUAL, epochs=24))


def plans_for(n_rows: int, linear: bool) -> Sequence[Plan]:
    """The plans to choose from: one where rows are too few to choose by, or so many that it does not matter.

    Args:
        n_rows: different rows to train on.
        linear: whether the net is beside a ridge regression.
    """
    if n_rows < FEWEST:
        return BESIDE_RIDGE[1:2] if linear else BY_STEPS[:1]
    if linear:
        return BESIDE_RIDGE
    if n_rows < SMALL:
        return BY_STEPS
    return BY_EPOCHS if n_rows < MOST else (USUAL,)


def parts_held_out(groups: NDArray[np.int64], seed: int) -> list[NDArray[np.int64]]:
    """Numbers of the rows of each part by which plans are judged.

    Args:
        groups: the class of each row, (rows,), each of which is shared out evenly; all alike for numbers.
    """
    rng = np.random.default_rng(seed)
    part = np.empty(len(groups), dtype=np.int64)
    for one in np.unique(groups):
        rows = np.flatnonzero(groups == one)
        part[rng.permutation(rows)] = np.arange(len(rows)) % FOLDS
    return [np.flatnonzero(part == fold) for fold in range(1 if len(groups) >= SMALL else JUDGED)]


def choose(
    plans: Sequence[Plan],
    parts: Sequence[NDArray[np.int64]],
    train: Callable[[NDArray[np.int64]], Callable[[Plan], "TabularLearner"]],
) -> Plan:
    """The plan with the least loss on rows that it did not see.

    Args:
        plans: of which to choose.
        parts: held out in turn.
        train: for rows to hold out, what trains a net on all others by a plan.
    """
    if len(plans) == 1:
        return plans[0]
    losses = np.zeros(len(plans))
    for held_out in parts:
        by = train(held_out)
        losses += [len(held_out) * by(plan).validate()["valid_loss"] for plan in plans]
    return plans[int(np.nanargmin(losses))] if np.isfinite(losses).any() else plans[0]
