"""The order in which training rows are visited: which rows make up which step's batch.

A plan is made before an epoch and handed to whichever engine trains, so the same seed gives the same
batches everywhere. Two kinds exist: `shuffled_batches`, one random order; and `block_batches`, for two
tables of embeddings, in which two threads can work at once without ever touching the same row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class BatchPlan:
    """One epoch: the batch of step t is ``order[starts[t]:stops[t]]``.

    Attributes:
        order: every training row once, (rows,) int32.
        starts, stops: where each step's batch begins and ends in `order`, (steps,) int64.
        lanes: the lane (0 or 1) a step belongs to, (steps,) int8. Steps of one stage that are in different
            lanes share no user and no item, so they may run at the same time in any order.
        stages: half-open ranges of steps; a stage begins when the one before it is done.
    """

    order: Rows
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    lanes: NDArray[np.int8]
    stages: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Rows]:
        for start, stop in zip(self.starts, self.stops, strict=True):
            yield self.order[start:stop]


def cut(n_rows: int, batch_size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and stops of batches over `n_rows` rows. A lone last row joins the batch before it."""
    starts = np.arange(0, n_rows, batch_size, dtype=np.int64)
    if len(starts) > 1 and n_rows - starts[-1] == 1:
        starts = starts[:-1]
    return starts, np.append(starts[1:], n_rows)


def ordered_batches(n_rows: int, batch_size: int) -> BatchPlan:
    """Rows as they stand: for validation and prediction."""
    return _one_lane(np.arange(n_rows, dtype=np.int32), batch_size)


def shuffled_batches(n_rows: int, batch_size: int, rng: np.random.Generator) -> BatchPlan:
    """Rows in one random order."""
    return _one_lane(rng.permutation(np.arange(n_rows, dtype=np.int32)), batch_size)


def _one_lane(order: Rows, batch_size: int) -> BatchPlan:
    starts, stops = cut(len(order), batch_size)
    return BatchPlan(order, starts, stops, np.zeros(len(starts), dtype=np.int8), ((0, len(starts)),))


def block_batches(
    users: NDArray[np.int32], items: NDArray[np.int32], batch_size: int, rng: np.random.Generator
) -> BatchPlan:
    """Two stages of two blocks that share no user and no item, so that two threads can train at once.

    Users and items are split in halves at random. The first stage trains (users A, items A) in lane 0 beside
    (users B, items B) in lane 1, the second (A, B) beside (B, A). Step numbers alternate between the lanes
    while both have batches left. The idea is FPSGD's (Zhuang et al. 2013, doi 10.1145/2507157.2507164); the
    fixed step numbers make the result independent of the threads' timing.

    Args:
        users, items: codes of the training rows, (rows,) int32.
    """
    order = rng.permutation(np.arange(len(users), dtype=np.int32))
    user_half = rng.permutation(int(users.max(initial=0)) + 1) % 2 == 0
    item_half = rng.permutation(int(items.max(initial=0)) + 1) % 2 == 0
    block = user_half[users[order]] * np.int8(2) + item_half[items[order]]
    blocks = [order[block == number] for number in range(4)]
    order = np.concatenate([blocks[3], blocks[0], blocks[2], blocks[1]])

    starts, stops, lanes, stages = [], [], [], []
    offset = first = 0
    for pair in ((blocks[3], blocks[0]), (blocks[2], blocks[1])):
        cuts = []
        for rows in pair:
            begin, end = cut(len(rows), batch_size)
            cuts.append((begin + offset, end + offset))
            offset += len(rows)
        turn = np.concatenate([np.arange(len(cuts[0][0])) * 2, np.arange(len(cuts[1][0])) * 2 + 1])
        by_turn = np.argsort(turn, kind="stable")
        starts.append(np.concatenate([c[0] for c in cuts])[by_turn])
        stops.append(np.concatenate([c[1] for c in cuts])[by_turn])
        lanes.append((turn[by_turn] % 2).astype(np.int8))
        stages.append((first, first + len(by_turn)))
        first += len(by_turn)
    return BatchPlan(order, np.concatenate(starts), np.concatenate(stops), np.concatenate(lanes), tuple(stages))
