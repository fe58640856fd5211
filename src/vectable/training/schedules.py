"""Learning rate and momentum as pure functions of the step, in both dialects.

Step i of T stands at position i/T, from 0 up to (not with) 1: the value is the one in force before the step.
Sources: L. Smith, arXiv 1803.09820 (one cycle); the reference library, releases 1.0.28 and 2.8.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def linear(start: float, end: float, position: float) -> float:
    """A straight line from `start` at position 0 to `end` at 1."""
    return start + (end - start) * position


def cosine(start: float, end: float, position: float) -> float:
    """Half a cosine from `start` at position 0 to `end` at 1: flat at both ends."""
    return start + (end - start) * (1 - math.cos(math.pi * position)) / 2


def exponential(start: float, end: float, position: float) -> float:
    """Equal ratios from `start` at position 0 to `end` at 1."""
    return float(start * (end / start) ** position)


@dataclass(frozen=True)
class OneCycle:
    """One cycle of learning rate (up, then down) and momentum (down, then up).

    Attributes:
        warm_up: `linear` or `cosine`, the shape of the first phase; the second is a cosine always.
        pct_start: share of the steps in the first phase.
        div: the first learning rate is the highest divided by this.
        final_div: the last one is the highest divided by this.
        moms: momentum at the start, at the highest learning rate, at the end.
    """

    warm_up: str
    pct_start: float
    div: float
    final_div: float
    moms: tuple[float, float, float] = (0.95, 0.85, 0.95)

    def lr(self, position: float, lr_max: float) -> float:
        """Learning rate at a position, 0 to 1."""
        return self._two_phases(position, lr_max / self.div, lr_max, lr_max / self.final_div)

    def mom(self, position: float) -> float:
        """Momentum (Adam's first beta) at a position, 0 to 1."""
        return self._two_phases(position, *self.moms)

    def _two_phases(self, position: float, start: float, middle: float, end: float) -> float:
        rise = linear if self.warm_up == "linear" else cosine
        if position < self.pct_start:
            return rise(start, middle, position / self.pct_start)
        return cosine(middle, end, (position - self.pct_start) / (1 - self.pct_start))


@dataclass(frozen=True)
class Schedule:
    """What every step of a fit will use, known before it begins.

    Attributes:
        lrs, moms: learning rate and momentum of each step, (steps,) float64.
    """

    lrs: Numbers
    moms: Numbers

    def __len__(self) -> int:
        return len(self.lrs)


def one_cycle_schedule(cycle: OneCycle, n_steps: int, lr_max: float) -> Schedule:
    """One cycle over `n_steps` steps."""
    lrs = (cycle.lr(step / n_steps, lr_max) for step in range(n_steps))
    moms = (cycle.mom(step / n_steps) for step in range(n_steps))
    return Schedule(np.fromiter(lrs, np.float64, n_steps), np.fromiter(moms, np.float64, n_steps))


def constant_schedule(n_steps: int, lr: float, mom: float = 0.9) -> Schedule:
    """The same learning rate and momentum at every step."""
    return Schedule(np.full(n_steps, lr), np.full(n_steps, mom))


def finder_schedule(n_steps: int, start: float, end: float, mom: float = 0.9) -> Schedule:
    """Learning rates in equal ratios from `start` to `end`, both among them."""
    last = max(n_steps - 1, 1)
    return Schedule(np.array([exponential(start, end, i / last) for i in range(n_steps)]), np.full(n_steps, mom))
