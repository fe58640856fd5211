"""Learning rate and momentum as pure functions of the step, in both dialects.

Step i of T is at position i/T, in [0, 1): the value is the one in force before the step.
Sources: L. Smith, arXiv 1803.09820 (one cycle); the reference library, releases 1.0.28 and 2.8.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        lrs, moms: learning rate and momentum of each step and layer group, (steps, groups) float64.
    """

    lrs: Numbers
    moms: Numbers

    def __len__(self) -> int:
        return len(self.lrs)


def one_cycle_schedule(cycle: OneCycle, n_steps: int, lr_max: ArrayLike, moms: ArrayLike | None = None) -> Schedule:
    """One cycle over `n_steps` steps.

    Args:
        lr_max: highest rate, a number or one per layer group, (groups,).
        moms: momentum at the start, at the highest rate and at the end, (3,) or one such a group, (groups, 3); the
            cycle's own by default.
    """
    highest = np.atleast_1d(np.asarray(lr_max, dtype=np.float64))
    turns = np.broadcast_to(np.asarray(cycle.moms if moms is None else moms), (len(highest), 3))
    cycles = [replace(cycle, moms=tuple(turn)) for turn in turns.tolist()]
    return Schedule(
        _columns(n_steps, [partial(one.lr, lr_max=lr) for one, lr in zip(cycles, highest.tolist(), strict=True)]),
        _columns(n_steps, [one.mom for one in cycles]),
    )


def constant_schedule(n_steps: int, lr: ArrayLike, mom: ArrayLike = 0.9) -> Schedule:
    """The same learning rate and momentum, each a number or one per layer group, at every step."""
    rates = np.atleast_1d(np.asarray(lr, dtype=np.float64))
    return Schedule(np.tile(rates, (n_steps, 1)), np.tile(np.broadcast_to(mom, rates.shape), (n_steps, 1)))


def finder_schedule(n_steps: int, start: ArrayLike, end: float, mom: float = 0.9) -> Schedule:
    """Learning rates in equal ratios, the last layer group's from its `start` to `end`, both among them.

    The other groups keep their ratio to the last one.
    """
    starts = np.atleast_1d(np.asarray(start, dtype=np.float64))
    last = max(n_steps - 1, 1)
    rates = np.array([exponential(float(starts[-1]), end, i / last) for i in range(n_steps)])
    return Schedule(np.outer(rates, starts / starts[-1]), np.full((n_steps, len(starts)), mom))


def _columns(n_steps: int, functions: list[Callable[[float], float]]) -> Numbers:
    """Functions of the position at every step, (steps, functions)."""
    values = [np.fromiter((one(step / n_steps) for step in range(n_steps)), np.float64, n_steps) for one in functions]
    return np.stack(values, axis=1)
