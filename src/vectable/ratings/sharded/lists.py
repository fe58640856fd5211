"""Lists for all users, written by the process that has them while the items pass by."""

from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from vectable.data.io.writing import write_whole
from vectable.data.ratings.ratings_shard import RatingsShard
from vectable.models.sharded_dot_bias import ShardedDotBias
from vectable.ratings.sharded.item_rows import Floats, in_turn
from vectable.ratings.sharded.session import known_items, known_rows

SCORES = 1 << 22  # in memory at a time


def write_lists(shard: RatingsShard, model: ShardedDotBias, folder: Path, n: int, exclude_seen: bool) -> Path:
    """Each user's best items; users and items without a training rating have no list and stand in none.

    The items come by in parts, and each user keeps the best so far, so that a process has no more in memory than its
    own users, their lists and a part of the items.
    """
    world = shard.world
    users, items = known_rows(shard, model)
    items = items.copy()
    items[~known_items(shard), -1] = -np.inf  # last of all
    best = torch.full((len(users), n), -torch.inf)
    which = torch.zeros((len(users), n), dtype=torch.int32)
    seen = _seen(shard) if exclude_seen else None
    for before, part in in_turn(world, items, shard.lanes.n_items):
        stride = max(1, SCORES // len(part))
        for first in range(1, len(users), stride):
            rows = slice(first, min(first + stride, len(users)))
            hidden = None if seen is None else seen.of(rows, before, len(part))
            _improve(best[rows], which[rows], users[rows], part, before, hidden)
    item_ids = shard.lanes.ids("items")
    folder.mkdir(parents=True, exist_ok=True)
    names = shard.columns
    for lane in shard.own_lanes:
        rows = shard.rows_of_lane(lane)
        codes, scores = which[rows].numpy(), best[rows]
        kept = torch.isfinite(scores).numpy() & (shard.user_counts[rows] > 0)[:, None]
        user, place = np.nonzero(kept)
        table = pl.DataFrame(
            {
                names.user: shard.user_ids(lane).gather(user),
                names.item: item_ids.gather(codes[user, place] - 1),
                "rank": (place + 1).astype(np.int32),
                "prediction": np.clip(model.squash(scores).numpy()[user, place], *shard.rating_range),
            }
        )
        write_whole(folder / f"lists-{lane:05}.parquet", table.write_parquet)
    world.wait()
    return folder


def _improve(
    best: torch.Tensor,
    which: torch.Tensor,
    users: Floats,
    part: Floats,
    before: int,
    seen: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
) -> None:
    """Let a part of the items into the lists of some users, in place; the score is the sum before the sigmoid."""
    scores = torch.from_numpy(users[:, :-1] @ part[:, :-1].T + users[:, -1:] + part[:, -1])
    if seen is not None:
        scores[torch.from_numpy(seen[0]), torch.from_numpy(seen[1])] = -torch.inf
    codes = torch.arange(before + 1, before + len(part) + 1, dtype=torch.int32).expand(len(users), -1)
    n = best.shape[1]
    top, at = torch.cat([best, scores], dim=1).topk(n, dim=1)
    which.copy_(torch.cat([which, codes], dim=1).gather(1, at))
    best.copy_(top)


class _Seen:
    """What each user here has rated, by user and item."""

    def __init__(self, users: NDArray[np.int32], items: NDArray[np.int32], n_users: int) -> None:
        order = np.lexsort((items, users))
        self._users, self._items = users[order], items[order]
        self._starts = np.searchsorted(self._users, np.arange(n_users + 1))

    def of(self, rows: slice, before: int, n_items: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """User, from the slice's first, and item, from `before`, of each pair among some users and items."""
        part = slice(self._starts[rows.start], self._starts[rows.stop])
        users, items = self._users[part] - rows.start, self._items[part] - before - 1
        inside = (items >= 0) & (items < n_items)
        return users[inside].astype(np.int64), items[inside].astype(np.int64)


def _seen(shard: RatingsShard) -> _Seen:
    parts = [shard.lane(lane, held_out=False) for lane in shard.own_lanes]
    users, items = (np.concatenate([part[at] for part in parts]) for at in (0, 1))
    return _Seen(users, items, shard.n_users_here + 1)
