"""Factors and biases as Parquet, written by the process that has them."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.writing import write_whole
from vectable.data.ratings.ratings_shard import RatingsShard
from vectable.models.sharded_dot_bias import ShardedDotBias
from vectable.ratings.sharded.item_rows import Floats
from vectable.ratings.sharded.session import known_items, known_rows


def write_vectors(shard: RatingsShard, model: ShardedDotBias, folder: Path) -> Path:
    """A file for each lane of users and one for the items of each process; those without a training rating are left
    out."""
    world = shard.world
    users, items = known_rows(shard, model)
    folder.mkdir(parents=True, exist_ok=True)
    for lane in shard.own_lanes:
        rows = shard.rows_of_lane(lane)
        _write(folder / f"users-{lane:05}.parquet", shard.user_ids(lane), users[rows], shard.user_counts[rows] > 0)
    first, last = world.block(shard.lanes.n_items)
    ids = shard.lanes.ids("items")[first:last]
    _write(folder / f"items-{world.rank:05}.parquet", ids, items[1:], known_items(shard)[1:])
    world.wait()
    return folder


def _write(file: Path, ids: pl.Series, rows: Floats, known: NDArray[np.bool_]) -> None:
    kept, width = rows[known], rows.shape[1] - 1
    factors = pl.Series(kept[:, :-1], dtype=pl.Array(pl.Float32, width)).cast(pl.List(pl.Float32))
    table = pl.DataFrame({"id": ids.filter(pl.Series(known)), "factors": factors, "bias": kept[:, -1]})
    write_whole(file, table.write_parquet)
