"""The rows of items, wherever they live: some of them fetched, all of them in turn, and their mean."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from vectable.distributed.world import World
from vectable.models.sharded_dot_bias import ShardedDotBias

Floats = NDArray[np.float32]
TOGETHER = 1 << 16  # rows of one process that travel at a time


def packed(model: ShardedDotBias, of_items: bool) -> Floats:
    """Factors, then bias, of each row here, (rows, n_factors + 1); row 0 is nobody's."""
    return torch.cat([model.vectors(of_items), model.biases(of_items)[:, None]], dim=1).numpy()


def fetched(world: World, rows: Floats, codes: NDArray[np.int32], n_items: int) -> Floats:
    """The rows of some items, (codes, n_factors + 1). All processes ask together, each for its own.

    Args:
        rows: those that live here, after row 0.
        codes: from 1 on, each once, in rising order.
    """
    block = -(-n_items // world.size)
    counts = np.bincount((codes - 1) // block, minlength=world.size).astype(np.int64)
    coming = world.exchange_counts(counts)
    asked = world.exchange((codes - 1) % block + 1, counts, coming)
    return world.exchange(rows[asked], coming, counts)


def in_turn(world: World, rows: Floats, n_items: int) -> Iterator[tuple[int, Floats]]:
    """All items' rows, a part at a time, with the code before the first of each part. All processes go together."""
    block = -(-n_items // world.size)
    for owner in range(world.size):
        n_rows = min(block, n_items - owner * block)
        for first in range(0, n_rows, TOGETHER):
            part = np.empty((min(TOGETHER, n_rows - first), rows.shape[1]), dtype=np.float32)
            if world.rank == owner:
                part[:] = rows[1 + first : 1 + first + len(part)]
            yield owner * block + first, world.from_rank(owner, part)


def mean_known(world: World, rows: Floats, known: NDArray[np.bool_]) -> Floats:
    """The mean row of all that have a training rating, (n_factors + 1,), over all processes.

    Args:
        known: which of the rows here have, (rows,).
    """
    sums = np.append(rows[known].sum(axis=0, dtype=np.float64), known.sum())
    total = world.total(sums)
    return np.asarray(total[:-1] / max(total[-1], 1), dtype=np.float32)
