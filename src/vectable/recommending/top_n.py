"""The best items for users, seen ones left out, in blocks: memory is bounded for any number of users and items."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SCORES_A_BLOCK = 4_000_000  # 16 MB of scores at a time


def top_items(
    score: Callable[[slice], Tensor],
    n_users: int,
    n_items: int,
    n: int,
    seen: Callable[[int], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each of `n_users` users the `n` items with the highest scores.

    Args:
        score: from a range of users to their scores of every item, (users, n_items); may be overwritten.
        n_items: items, the unknown (code 0, never recommended) among them.
        seen: from a user's number to item codes to leave out.
        allowed: which items may come at all, (n_items,).

    Returns:
        Item codes, (n_users, up to n), best first, 0 where there are no more; and their scores.
    """
    n = max(min(n, n_items - 1), 0)
    codes = np.zeros((n_users, n), dtype=np.int32)
    scores = np.full((n_users, n), -np.inf, dtype=np.float32)
    barred = torch.zeros(n_items, dtype=torch.bool) if allowed is None else torch.from_numpy(~allowed)
    barred[0] = True
    block = max(1, SCORES_A_BLOCK // n_items)
    for first in range(0, n_users, block):
        part = slice(first, min(first + block, n_users))
        table = score(part)
        table[:, barred.to(table.device)] = -torch.inf
        if seen is not None:
            lists = [seen(user) for user in range(part.start, part.stop)]
            of_user = torch.from_numpy(np.repeat(np.arange(len(lists)), [len(one) for one in lists]))
            table[of_user, torch.from_numpy(np.concatenate(lists)).long()] = -torch.inf
        best, at = table.topk(n, dim=1)
        scores[part] = best.cpu().numpy()
        codes[part] = np.where(np.isfinite(scores[part]), at.cpu().numpy(), 0)
    return codes, scores
