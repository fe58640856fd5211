"""A training under way in several processes: what one measures, all have a part in."""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vectable.data.ratings.ratings_shard import RatingsShard
from vectable.models.sharded_dot_bias import ShardedDotBias
from vectable.ratings.sharded.item_rows import Floats, fetched, mean_known, packed
from vectable.training.session import TrainingSession

TOGETHER = 1 << 18  # ratings measured at a time


class ShardedSession(TrainingSession):
    """Trains a `ShardedDotBias` on a `RatingsShard`."""

    @property
    def shard(self) -> RatingsShard:
        """The data."""
        return cast(RatingsShard, self.data)

    def measure(self, model: nn.Module) -> dict[str, float]:
        """Loss, rmse and mae on the validation ratings of all processes; the same numbers in each."""
        shard, world = self.shard, self.shard.world
        users, items = known_rows(shard, cast(ShardedDotBias, model))
        codes, ratings = [column.numpy() for column in shard.valid.inputs], shard.valid.target.numpy()
        codes[1] = np.where(shard.item_counts[codes[1]] > 0, codes[1], 0)
        mean = mean_known(world, items, known_items(shard))
        parts = world.highest(np.array([-(-len(ratings) // TOGETHER)]))
        sums = np.zeros(3)
        for first in range(0, int(parts[0]) * TOGETHER, TOGETHER):
            some, place = np.unique(codes[1][first : first + TOGETHER], return_inverse=True)
            wanted = some[some > 0]
            theirs = fetched(world, items, wanted, shard.lanes.n_items)
            if len(wanted) < len(some):
                theirs = np.concatenate([mean[None], theirs])
            errors = _predicted(cast(ShardedDotBias, model), users[codes[0][first : first + TOGETHER]], theirs[place])
            errors -= ratings[first : first + TOGETHER]
            sums += [len(errors), np.square(errors, dtype=np.float64).sum(), np.abs(errors, dtype=np.float64).sum()]
        count, squares, absolute = world.total(sums).tolist()
        if count == 0:
            return {"valid_loss": float("nan"), **dict.fromkeys(self.options.metrics_by_name, float("nan"))}
        found = {"rmse": float(np.sqrt(squares / count)), "mae": absolute / count}
        return {"valid_loss": squares / count, **{name: found[name] for name in self.options.metrics_by_name}}


def known_rows(shard: RatingsShard, model: ShardedDotBias) -> tuple[Floats, Floats]:
    """The rows of the users and items here, those of users without a training rating the mean of all others."""
    users, items = packed(model, of_items=False), packed(model, of_items=True)
    known = shard.user_counts > 0
    users[~known] = mean_known(shard.world, users, known)
    return users, items


def known_items(shard: RatingsShard) -> NDArray[np.bool_]:
    """Which rows of the items here have a training rating, (items here + 1,); row 0 has none."""
    first, last = shard.world.block(shard.lanes.n_items)
    return np.append(False, shard.item_counts[1:][first:last] > 0)


def _predicted(model: ShardedDotBias, users: Floats, items: Floats) -> Floats:
    sums = np.einsum("rk,rk->r", users[:, :-1], items[:, :-1]) + users[:, -1] + items[:, -1]
    return np.asarray(model.squash(torch.from_numpy(sums)).numpy())
