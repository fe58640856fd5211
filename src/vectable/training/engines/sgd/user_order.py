"""The order of an epoch: users in random order, each one's ratings together, in blocks for two threads.

A user's row then stays in the processor's nearest memory while all of its ratings are trained, so that only the item's
row of a rating must be fetched. Stages and lanes are those of `data.batches.block_batches`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, count_steps, one_lane, two_lanes

Codes = NDArray[np.int32]

LEAST_STEPS = 4  # for blocks: one each
ROWS_A_LINE = 16
"""Rows whose sums of squares lie in one line of memory. They go into the same half: two threads that write to one line
wait for each other."""


def user_order(
    users: Codes,
    items: Codes,
    n_users: int,
    n_items: int,
    batch_size: int,
    rng: np.random.Generator,
    kernels: dict[str, Callable[..., Any]],
) -> BatchPlan:
    """The batches of one epoch.

    Args:
        users, items: codes of the training rows, (rows,).
        n_users, n_items: what the codes are below.
        kernels: the compiled functions of `kernels.py`.
    """
    blocks = count_steps(len(users), batch_size) >= LEAST_STEPS
    user_half, item_half = (_halves(n, rng) if blocks else np.zeros(n, dtype=np.uint8) for n in (n_users, n_items))
    turn = rng.permutation(n_users)
    first, second = turn[user_half[turn] == 0], turn[user_half[turn] == 1]
    # In the order of the plan: both lanes of the first stage, then both of the second.
    parts = (2 * first, 2 * second + 1, 2 * first + 1, 2 * second)
    counts, places = np.zeros(2 * n_users, dtype=np.int64), np.empty(2 * n_users, dtype=np.int64)
    kernels["count_ratings"](users, items, item_half, counts)
    groups = np.concatenate(parts)
    places[groups] = np.cumsum(counts[groups]) - counts[groups]
    order = np.empty(len(users), dtype=np.int32)
    kernels["place_ratings"](users, items, item_half, places, order)
    if not blocks:
        return one_lane(order, batch_size)
    return two_lanes(order, [int(counts[part].sum()) for part in parts], batch_size)


def _halves(n_rows: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """0 or 1 for each row, at random; of a large table for each line of them."""
    together = ROWS_A_LINE if n_rows > 100 * ROWS_A_LINE else 1
    halves = (rng.permutation(-(-n_rows // together)) % 2).astype(np.uint8)
    return np.repeat(halves, together)[:n_rows]
