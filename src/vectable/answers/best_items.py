"""The best items of one user by score, some of them barred, chosen as a `Selection` says."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vectable.recommending.selection import Selection

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]


def best_items(
    sums: Floats,
    squash: Callable[[Floats], Floats],
    n: int,
    seen: Codes,
    allowed: NDArray[np.bool_] | None,
    selection: Selection,
) -> tuple[Codes, Floats]:
    """Codes of up to `n` items, best first, of equal ones the lower code first, and their scores.

    Args:
        sums: what ranks the items, (items + 1,); written over. Item 0, the unknown, is never listed.
        squash: from sums to scores; it keeps their order.
        seen: codes to leave out.
        allowed: which items may come at all, (items + 1,); None for all.
        selection: how the list is chosen among the best.
    """
    sums[0] = -np.inf
    sums[seen] = -np.inf
    if allowed is not None:
        sums[~allowed] = -np.inf
    found = _highest(sums, selection.candidates(n))
    scores = squash(sums[found])
    if selection.is_plain:
        return found, scores
    listed = selection.choose(found, scores, n)
    if len(listed) < n:  # the limits leave too few of the best: look at all
        found = _highest(sums, len(sums))
        scores = squash(sums[found])
        listed = selection.choose(found, scores, n)
    return found[listed], scores[listed]


def best_of(
    items: Codes, sums: Floats, squash: Callable[[Floats], Floats], n: int, selection: Selection
) -> tuple[Codes, Floats]:
    """As `best_items`, of some items alone.

    Args:
        items: their codes, rising, (items,).
        sums: what ranks them, (items,).
    """
    order = np.argsort(-sums, kind="stable")[: selection.candidates(n)]
    found, scores = items[order], squash(sums[order])
    listed = slice(None) if selection.is_plain else selection.choose(found, scores, n)
    return found[listed], scores[listed]


def _highest(sums: Floats, k: int) -> Codes:
    """Places of the up to `k` highest finite sums, falling."""
    if k < len(sums):
        places = np.flatnonzero(sums >= np.partition(sums, len(sums) - k)[len(sums) - k])
    else:
        places = np.arange(len(sums))
    best = places[np.argsort(-sums[places], kind="stable")[:k]]
    return best[np.isfinite(sums[best])].astype(np.int32)
