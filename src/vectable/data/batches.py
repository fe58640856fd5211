"""The order in which training rows are visited: which rows make up which step's batch.

A plan is made before an epoch and handed to whichever engine trains, so the same seed gives the same
batches everywhere. Three kinds exist: `shuffled_batches`, one random order; `windowed_batches`, for a file that is
read block by block; and `block_batches`, for two tables of embeddings, in which two threads can work at once without
ever touching the same row.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]

PART = 1 << 20  # rows looked at together where a long table is gone through


LESSON_BATCH, FEW_USERS = 64, 4_000
SHARE_OF_USERS = 0.068  # of the users in a batch, as in batches of 64 of the 943 users of MovieLens 100k


def batch_size_for(n_users: int) -> int:
    """Ratings a step where nobody names a number: 64, and above 4,000 users the power of two nearest 0.068 times them.

    So a user's chance of being in a batch, between whose steps decay shrinks the user's row, is as in the lesson's run.
    """
    if n_users <= FEW_USERS:
        return LESSON_BATCH
    return int(2 ** round(math.log2(SHARE_OF_USERS * n_users)))


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


def count_steps(n_rows: int, batch_size: int) -> int:
    """Steps of an epoch. A lone last row joins the batch before it: batch norm cannot take one row."""
    full, rest = divmod(n_rows, batch_size)
    return full if full and rest <= 1 else full + (rest > 0)


def shuffled_batches(n_rows: int, batch_size: int, rng: np.random.Generator) -> BatchPlan:
    """Rows in one random order."""
    return one_lane(rng.permutation(np.arange(n_rows, dtype=np.int32)), batch_size)


def windowed_batches(starts: NDArray[np.int64], together: int, batch_size: int, rng: np.random.Generator) -> BatchPlan:
    """Rows of a file in an order that reads it block by block: blocks in random order, `together` of them at a time,
    whose rows are in one random order. Of no more blocks than `together` it is `shuffled_batches`.

    Args:
        starts: where each block's rows begin, and where the last ends, (blocks + 1,).
    """
    n_blocks = len(starts) - 1
    blocks = rng.permutation(n_blocks) if n_blocks > together else np.arange(n_blocks)
    order, done = np.empty(int(starts[-1]), dtype=np.int32), 0
    for first in range(0, n_blocks, together):
        rows = np.concatenate(
            [np.arange(starts[block], starts[block + 1], dtype=np.int32) for block in blocks[first : first + together]]
        )
        order[done : done + len(rows)] = rng.permutation(rows)
        done += len(rows)
    return one_lane(order, batch_size)


def one_lane(order: Rows, batch_size: int) -> BatchPlan:
    """A plan of one lane and one stage, in this order."""
    n_steps = count_steps(len(order), batch_size)
    starts = np.arange(n_steps, dtype=np.int64) * batch_size
    stops = np.append(starts[1:], len(order))
    return BatchPlan(order, starts, stops, np.zeros(n_steps, dtype=np.int8), ((0, n_steps),))


def spread_evenly(plan: BatchPlan) -> BatchPlan:
    """The same rows in the same order and number of steps, in batches whose sizes differ by one row at most.

    Instead of full batches and a rest: 606 rows in batches of at most 200 make 4 steps of 151 or 152, not of 200 and 6.
    A plan of blocks for two threads has even batches already and comes back as it is.
    """
    if len(plan.stages) > 1:
        return plan
    edges = np.arange(len(plan) + 1, dtype=np.int64) * len(plan.order) // max(len(plan), 1)
    return replace(plan, starts=edges[:-1], stops=edges[1:])


def block_batches(
    users: NDArray[np.int32], items: NDArray[np.int32], batch_size: int, rng: np.random.Generator
) -> BatchPlan:
    """Two stages of two blocks that share no user and no item, so that two threads can train at once.

    Users and items are split in halves at random. The first stage trains (users A, items A) in lane 0 beside
    (users B, items B) in lane 1, the second (A, B) beside (B, A). Step numbers alternate between the lanes
    while both have batches left. The idea is FPSGD's (Zhuang et al. 2013, doi 10.1145/2507157.2507164); the
    fixed step numbers make the result independent of the threads' timing.

    Each block is cut into batches of nearly equal size, so that every epoch has as many steps as
    `count_steps` says, whatever the blocks' sizes.

    Args:
        users, items: codes of the training rows, (rows,) int32; at least four batches of them.
    """
    user_half = (rng.permutation(int(users.max()) + 1) % 2).astype(np.uint8)
    item_half = (rng.permutation(int(items.max()) + 1) % 2).astype(np.uint8)
    block = user_half[users]
    block *= 2
    block += item_half[items]
    order, sizes = _gather_blocks(block, (0, 3, 1, 2))  # lanes 0 and 1 of stage one, then of stage two
    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        rng.shuffle(order[end - size : end])
    return two_lanes(order, sizes, batch_size)


def two_lanes(order: Rows, sizes: list[int], batch_size: int) -> BatchPlan:
    """A plan of two stages with two lanes each, in this order.

    Args:
        order: the rows of the first stage's lane 0 and lane 1, then of the second stage's.
        sizes: how many rows each of the four has; in all at least four batches.
    """
    shares = _share_out(count_steps(len(order), batch_size), sizes)
    starts, stops, lanes, stages = [], [], [], []
    offset = first = 0
    for stage in (0, 2):
        edges = []
        for size, n_steps in zip(sizes[stage : stage + 2], shares[stage : stage + 2], strict=True):
            edges.append(offset + (np.arange(n_steps + 1) * size) // max(n_steps, 1))
            offset += size
        turns = np.concatenate([np.arange(len(edge) - 1) * 2 + lane for lane, edge in enumerate(edges)])
        in_turn = np.argsort(turns)
        starts.append(np.concatenate([edge[:-1] for edge in edges])[in_turn])
        stops.append(np.concatenate([edge[1:] for edge in edges])[in_turn])
        lanes.append((turns[in_turn] % 2).astype(np.int8))
        stages.append((first, first + len(in_turn)))
        first += len(in_turn)
    return BatchPlan(
        order,
        np.concatenate(starts),
        np.concatenate(stops),
        np.concatenate(lanes),
        tuple(stages),
    )


def _gather_blocks(block: NDArray[np.uint8], numbers: tuple[int, ...]) -> tuple[Rows, list[int]]:
    """The rows of each block, one block behind the other, and how many each has; a part of the table at a time."""
    counts = np.bincount(block, minlength=len(numbers))
    sizes = [int(counts[number]) for number in numbers]
    ends = np.cumsum(sizes) - sizes
    order = np.empty(len(block), dtype=np.int32)
    for first in range(0, len(block), PART):
        part = block[first : first + PART]
        for at, number in enumerate(numbers):
            rows = np.flatnonzero(part == number)
            order[ends[at] : ends[at] + len(rows)] = rows + first
            ends[at] += len(rows)
    return order, sizes


def _share_out(n_steps: int, sizes: list[int]) -> list[int]:
    """Steps for each block in proportion to its rows: at least one where there are rows, `n_steps` in all."""
    shares = [max(n_steps * size // sum(sizes), 1) if size else 0 for size in sizes]
    while (short := n_steps - sum(shares)) != 0:
        movable = [at for at, share in enumerate(shares) if share > (1 if short < 0 else 0)]
        fullest = max(movable, key=lambda at: short * sizes[at] / shares[at])
        shares[fullest] += 1 if short > 0 else -1
    return shares
