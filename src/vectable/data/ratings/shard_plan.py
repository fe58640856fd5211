"""The order of an epoch that several processes train together: which rows of each make up a step's batch.

Each lane's rows are in a random order of their own, and step t of T takes the t-th of T equal parts of every lane.
So the batch of a step is the same rows for any number of processes, whichever of them has a lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, count_steps


@dataclass(frozen=True)
class ShardPlan(BatchPlan):
    """One epoch, as one process sees it: `order` numbers its own rows, and a batch may have none of them.

    Attributes:
        totals: ratings of each step's batch in all processes, (steps,) int64.
        windows: the windows in their order, each with its first step and the one behind its last. The numbers in
            `order` count the rows of a window.
    """

    totals: NDArray[np.int64]
    windows: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class LaneRows:
    """How many rows train, and where.

    Attributes:
        lengths: training rows of every lane, (lanes,) int64.
        here: which lanes this process has.
        together: lanes that make up a window.
        batch_size: rows of a step, in all processes.
    """

    lengths: NDArray[np.int64]
    here: Sequence[int]
    together: int
    batch_size: int

    @property
    def n_windows(self) -> int:
        """Number of windows."""
        return -(-len(self.lengths) // self.together)

    @property
    def n_steps(self) -> int:
        """Steps of an epoch."""
        return sum(self.steps_of(window) for window in range(self.n_windows))

    def lanes_of(self, window: int) -> range:
        """The lanes of a window."""
        return range(window * self.together, min((window + 1) * self.together, len(self.lengths)))

    def steps_of(self, window: int) -> int:
        """Steps of a window."""
        return count_steps(int(self.lengths[self.lanes_of(window)].sum()), self.batch_size)

    def plan(self, rng: np.random.Generator) -> ShardPlan:
        """The batches of an epoch; `rng` is in the same state in all processes, and is used alike by all."""
        entropy = int(rng.integers(2**62))
        orders, sizes, totals, windows, done = [], [], [], [], 0
        for window in rng.permutation(self.n_windows).tolist():
            steps = self.steps_of(window)
            order, its_sizes = self._window(window, steps, entropy)
            orders.append(order)
            sizes.append(its_sizes)
            parts = [_edges(int(self.lengths[lane]), steps) for lane in self.lanes_of(window)]
            totals.append(np.sum([np.diff(edges) for edges in parts], axis=0, dtype=np.int64))
            windows.append((window, done, done + steps))
            done += steps
        stops = np.cumsum(np.concatenate(sizes), dtype=np.int64)
        starts = np.concatenate([[0], stops[:-1]]).astype(np.int64)
        return ShardPlan(
            np.concatenate(orders),
            starts,
            stops,
            np.zeros(done, dtype=np.int8),
            ((0, done),),
            np.concatenate(totals),
            tuple(windows),
        )

    def _window(self, window: int, steps: int, entropy: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The order of a window's rows here, and how many of them each step takes."""
        orders, at, first = [np.empty(0, np.int32)], [np.empty(0, np.int32)], 0
        for lane in (lane for lane in self.lanes_of(window) if lane in self.here):
            length = int(self.lengths[lane])
            shuffled = np.random.default_rng([entropy, lane]).permutation(np.arange(length, dtype=np.int32))
            orders.append(shuffled + np.int32(first))
            at.append(np.repeat(np.arange(steps, dtype=np.int32), np.diff(_edges(length, steps))))
            first += length
        step_of = np.concatenate(at)
        return np.concatenate(orders)[np.argsort(step_of, kind="stable")], np.bincount(step_of, minlength=steps)


def _edges(length: int, steps: int) -> NDArray[np.int64]:
    """Where each step's part of a lane begins, and where the last ends, (steps + 1,)."""
    return np.arange(steps + 1, dtype=np.int64) * length // max(steps, 1)
