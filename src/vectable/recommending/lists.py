"""Lists from scores, block by block: filters come before the best are taken, so that a list is as long as it can be."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.compiling import compile_module
from vectable.data.interactions.histories import Histories

SCORES_A_BLOCK = 4_000_000  # 16 MB of scores at a time
Scorer = Callable[[int, int], NDArray[np.float32]]
"""From a range of users to their scores of every item, (users, items); what it returns is written over."""


@cache
def kernels() -> dict[str, Callable[..., Any]]:
    """The compiled functions of `ranking_kernels.py`."""
    return compile_module("vectable.recommending.ranking_kernels")


def best_lists(
    score: Scorer, seen: Histories, n: int, allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each user the `n` items with the highest scores among those allowed and not seen.

    Args:
        score: from a range of users to scores.
        seen: what each user has seen.
        n: length of the lists.
        allowed: which items may be listed, (items,); the unknown, item 0, never is.

    Returns:
        Item codes, (users, up to n), best first, of equal scores the first code first, 0 where there are no more; and
        their scores.
    """
    n_items = len(allowed)
    n = max(0, min(n, n_items - 1))
    lists = np.zeros((len(seen), n), dtype=np.int32)
    scores = np.full((len(seen), n), -np.inf, dtype=np.float32)
    usable = allowed.astype(np.uint8)
    usable[0] = 0
    block = max(1, SCORES_A_BLOCK // n_items)
    for first in range(0, len(seen) if n else 0, block):
        last = min(first + block, len(seen))
        starts = seen.starts[first : last + 1]
        table = np.ascontiguousarray(score(first, last), dtype=np.float32)
        kernels()["best_items"](
            table, starts - starts[0], seen.items[starts[0] : starts[-1]], usable, lists[first:last], scores[first:last]
        )
    return lists, scores
