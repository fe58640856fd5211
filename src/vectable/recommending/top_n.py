"""The best items for users, seen ones left out, in blocks: memory is bounded for any number of users and items."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.histories import Histories
from vectable.recommending.lists import SCORES_A_BLOCK, kernels
from vectable.recommending.selection import Selection

BY_SCORE = Selection()

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]


def top_items(
    score: Callable[[slice], Floats],
    n_users: int,
    n_items: int,
    n: int,
    *,
    seen: Callable[[int], Codes] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    selection: Selection = BY_SCORE,
) -> tuple[Codes, Floats]:
    """For each of `n_users` users the `n` items with the highest scores.

    Args:
        score: from a range of users to their scores of every item, (users, n_items), which are written over.
        n_items: items, the unknown (code 0, never recommended) among them.
        seen: from a user's number to item codes to leave out.
        allowed: which items may come at all, (n_items,); None for all.
        selection: how the list is chosen among the best.

    Returns:
        Item codes, (n_users, up to n), best first, of equal scores the lower code first, 0 where there are no more; and
        their scores, minus infinity there.
    """
    n = max(min(n, n_items - 1), 0)
    codes = np.zeros((n_users, n), dtype=np.int32)
    scores = np.full((n_users, n), -np.inf, dtype=np.float32)
    usable = np.ones(n_items, dtype=np.uint8) if allowed is None else allowed.astype(np.uint8)
    usable[0] = 0
    block = max(1, SCORES_A_BLOCK // n_items)
    for first in range(0, n_users if n else 0, block):
        part = slice(first, min(first + block, n_users))
        table = np.ascontiguousarray(score(part), dtype=np.float32)
        left_out = Histories.of_lists([] if seen is None else [seen(user) for user in range(part.start, part.stop)])
        starts = left_out.starts if seen is not None else np.zeros(len(table) + 1, dtype=np.int64)
        most = min(selection.candidates(n), n_items - 1)
        at, best = np.zeros((len(table), most), dtype=np.int32), np.empty((len(table), most), dtype=np.float32)
        kernels()["best_items"](table, starts, left_out.items, usable, at, best)
        if selection.is_plain:
            codes[part], scores[part] = at, best
            continue
        for row, user in enumerate(range(part.start, part.stop)):
            listed, values = _chosen(table[row], usable, at[row], best[row], selection, n)
            codes[user, : len(listed)], scores[user, : len(listed)] = listed, values
    return codes, scores


def _chosen(
    row: Floats, usable: NDArray[np.uint8], at: Codes, best: Floats, selection: Selection, n: int
) -> tuple[Codes, Floats]:
    """One user's list among the best items, or among all where limits leave too few of those."""
    possible = at > 0
    items, values = at[possible], best[possible]
    listed = selection.choose(items, values, n)
    if len(listed) < n and possible.all():
        left = np.flatnonzero((usable > 0) & np.isfinite(row))
        items = left[np.argsort(-row[left], kind="stable")].astype(np.int32)
        values = row[items]
        listed = selection.choose(items, values, n)
    return items[listed], values[listed]
