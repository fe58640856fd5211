"""The best items for users, seen ones left out, in blocks: memory is bounded for any number of users and items."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.recommending.selection import Selection

SCORES_PER_BLOCK = 4_000_000  # 16 MB of scores at a time
SEGMENT = 128  # scores whose largest is found first
BY_SCORE = Selection()

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]


def top_items(
    score: Callable[[slice], Tensor],
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
        score: from a range of users to their scores of every item, (users, n_items); may be overwritten.
        n_items: items, the unknown (code 0, never recommended) among them.
        seen: from a user's number to item codes to leave out.
        allowed: which items may come at all, (n_items,); None for all.
        selection: how the list is chosen among the best.

    Returns:
        Item codes, (n_users, up to n), best first, 0 where there are no more; and their scores, minus infinity there.
    """
    n = max(min(n, n_items - 1), 0)
    codes = np.zeros((n_users, n), dtype=np.int32)
    scores = np.full((n_users, n), -np.inf, dtype=np.float32)
    block = max(1, SCORES_PER_BLOCK // n_items)
    for first in range(0, n_users, block):
        part = slice(first, min(first + block, n_users))
        table = score(part)
        _bar(table, allowed, [] if seen is None else [seen(user) for user in range(part.start, part.stop)])
        best, at = _highest(table, min(selection.candidates(n), n_items - 1))
        if selection.is_plain:
            scores[part], codes[part] = best, np.where(np.isfinite(best), at, 0)
            continue
        for row, user in enumerate(range(part.start, part.stop)):
            listed, values = _chosen(table[row], at[row], best[row], selection, n)
            codes[user, : len(listed)], scores[user, : len(listed)] = listed, values
    return codes, scores


def _bar(table: Tensor, allowed: NDArray[np.bool_] | None, seen: list[Codes]) -> None:
    """Give what may not be in a list a score of minus infinity."""
    table[:, 0] = -torch.inf
    if allowed is not None:
        table.masked_fill_(torch.from_numpy(~allowed).to(table.device), -torch.inf)
    if seen:
        of_user = torch.from_numpy(np.repeat(np.arange(len(seen)), [len(one) for one in seen]))
        table[of_user, torch.from_numpy(np.concatenate(seen)).long()] = -torch.inf


def _highest(table: Tensor, k: int) -> tuple[Floats, Codes]:
    """The `k` highest scores of each row, falling, and where they are, (users, k) each.

    In wide tables first the segments whose largest scores are the highest: the k best scores are in k segments, and to
    find the largest of each takes one pass through memory, where sorting takes several.
    """
    n_users, n_items = table.shape
    n_segments = n_items // SEGMENT
    if n_segments < 4 * k:
        best, at = table.topk(k, dim=1)
        return best.cpu().numpy(), at.cpu().numpy().astype(np.int32)
    segments = table[:, : n_segments * SEGMENT].view(n_users, n_segments, SEGMENT)
    top = segments.amax(dim=2).topk(k, dim=1).indices
    inside = segments.gather(1, top[:, :, None].expand(-1, -1, SEGMENT))
    places = top[:, :, None] * SEGMENT + torch.arange(SEGMENT, device=table.device)
    behind = torch.arange(n_segments * SEGMENT, n_items, device=table.device).expand(n_users, -1)
    pool = torch.cat([inside.flatten(1), table[:, n_segments * SEGMENT :]], dim=1)
    best, at = pool.topk(k, dim=1)
    at = torch.cat([places.flatten(1), behind], dim=1).gather(1, at)
    return best.cpu().numpy(), at.cpu().numpy().astype(np.int32)


def _chosen(row: Tensor, at: Codes, best: Floats, selection: Selection, n: int) -> tuple[Codes, Floats]:
    """One user's list among the best items, or among all where limits leave too few of those."""
    possible = np.isfinite(best)
    items, values = at[possible], best[possible]
    listed = selection.choose(items, values, n)
    if len(listed) < n and possible.all():
        best, at = _sorted(row)
        possible = np.isfinite(best)
        items, values = at[possible], best[possible]
        listed = selection.choose(items, values, n)
    return items[listed], values[listed]


def _sorted(row: Tensor) -> tuple[Floats, Codes]:
    """All scores of one user, falling, and their items."""
    best, at = row.sort(descending=True)
    return best.cpu().numpy(), at.cpu().numpy().astype(np.int32)
