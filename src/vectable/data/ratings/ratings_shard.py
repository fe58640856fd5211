"""The ratings of lanes as one of several processes has them: those of its own users, with the items of all."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.batches import batch_size_for
from vectable.data.lanes.lanes import open_lanes, read_piece
from vectable.data.ratings.rating_columns import Columns
from vectable.data.ratings.rating_lanes import held_out_of_lane, training_rows
from vectable.data.ratings.shard_plan import LaneRows, ShardPlan
from vectable.distributed.world import World
from vectable.errors import DataError, is_whole, require

if TYPE_CHECKING:
    from vectable.data.ratings.shard_rows import LaneColumns, ShardRows
    from vectable.data.tensors import TensorSet


class RatingsShard:  # noqa: PLR0904
    """Training and validation ratings of the users whose lanes this process has.

    It has more than a dozen methods because it says both what a fit asks for and which rows live where.

    Codes of items are those of the lanes, for all processes; users are numbered from 1 in each. Users and items without
    a training rating keep their codes, and count as unknown.

    Args:
        path: the folder of lanes.
        world: the processes; each has every `size`-th lane.
        valid_pct: share of the rows held out at random, 0 to 1; the same rows for any number of processes.
        seed: of that.
        batch_size: rows per step, in all processes; by default by the number of users.
        window: number of lanes whose rows train together. Each process has its own of them in memory and reads the next
            when they are done; by default all.

    Attributes:
        lanes: what the folder's manifest says.
        world, valid_pct, seed, batch_size: as given.
        user_starts: the code before each lane's first user, and the last user's, (lanes + 1,).

    Raises:
        DataError: a piece is missing or damaged; fewer lanes than processes.

    Examples:
        >>> import vectable as vt
        >>> from vectable.distributed.world import World
        >>> vt.datasets.load("movietweetings").ratings.write_parquet("ratings.parquet")
        >>> _ = vt.encode_lanes("ratings.parquet", "lanes", lanes=4)
        >>> half = vt.RatingsShard("lanes", World(0, 2))
        >>> list(half.world.lanes(4))
        [0, 2]
    """

    def __init__(
        self,
        path: str | Path,
        world: World,
        *,
        valid_pct: float = 0.1,
        seed: int = 42,
        batch_size: int | None = None,
        window: int | None = None,
    ) -> None:
        from vectable.data.tensors import check_batch_size

        self.lanes, self.world, self.valid_pct, self.seed = open_lanes(path), world, valid_pct, seed
        n_lanes = len(self.lanes)
        if "rating" not in self.lanes.columns:
            raise DataError(f"{path} holds lanes of interactions, and these are to be ratings.")
        if n_lanes < world.size:
            raise DataError(f"{path} has {n_lanes} lanes, too few for {world.size} processes: encode it with more.")
        require(window is None or is_whole(window, 1), f"window must be a positive number of lanes; got {window!r}.")
        self.batch_size = batch_size_for(self.lanes.n_users) if batch_size is None else batch_size
        check_batch_size(self.batch_size)
        lengths = np.array([piece.length for piece in self.lanes.pieces["rows"]], dtype=np.int64)
        self.user_starts = _starts([piece.length for piece in self.lanes.pieces["users"]])
        self._row_starts = _starts(lengths)
        self._order = LaneRows(
            training_rows(lengths, valid_pct), world.lanes(n_lanes), min(window or n_lanes, n_lanes), self.batch_size
        )
        self._names: dict[str, Any] = dict(self.lanes.columns)
        sizes = np.diff(self.user_starts)[self.own_lanes]
        self._local_starts = dict(zip(self.own_lanes, _starts(sizes).tolist(), strict=False))
        self._read()

    # ---------------------------------------------------------------- what a fit asks for

    @property
    def train(self) -> "ShardRows":
        """Training rows here: inputs (user here, item), target rating."""
        return self._train

    @property
    def valid(self) -> "TensorSet":
        """Validation rows here, as `train`."""
        return self._valid

    @property
    def n_steps(self) -> int:
        """Steps per epoch, for all processes together."""
        return self._order.n_steps

    def plan(self, rng: np.random.Generator) -> ShardPlan:
        """The batches of one epoch."""
        return self._order.plan(rng)

    # ---------------------------------------------------------------- what is where

    @property
    def own_lanes(self) -> range:
        """The lanes that this process has."""
        return self.world.lanes(len(self.lanes))

    @property
    def n_users_here(self) -> int:
        """Users of those."""
        return int(np.diff(self.user_starts)[self.own_lanes].sum())

    @property
    def columns(self) -> Columns:
        """Names of the columns in the user's table."""
        return Columns(**self._names)

    def rows_of_lane(self, lane: int) -> slice:
        """The users of one of its lanes, as rows of a table with row 0 before the first."""
        first = self._local_starts[lane] + 1
        return slice(first, first + int(self.user_starts[lane + 1] - self.user_starts[lane]))

    def lane(self, lane: int, held_out: bool) -> "LaneColumns":
        """Users here, items and ratings of a lane that train, or that are held out, each (rows,)."""
        frame = read_piece(self.lanes.folder, self.lanes.pieces["rows"][lane])
        kept = held_out_of_lane(self._row_starts, lane, self.valid_pct, self.seed) == held_out
        shift = self._local_starts[lane] - int(self.user_starts[lane])
        users = frame["user"].to_numpy()[kept] + np.int32(shift)
        return users, frame["item"].to_numpy()[kept], frame["rating"].to_numpy()[kept]

    def window(self, number: int) -> "LaneColumns":
        """The training rows here of a window's lanes, one lane behind the other."""
        lanes = [lane for lane in self._order.lanes_of(number) if lane in self.own_lanes]
        return _joined([self.lane(lane, held_out=False) for lane in lanes])

    def user_ids(self, lane: int) -> pl.Series:
        """The ids of a lane's users, in the order of their codes."""
        return read_piece(self.lanes.folder, self.lanes.pieces["users"][lane])["id"]

    # ---------------------------------------------------------------- what all processes know together

    @cached_property
    def rating_range(self) -> tuple[float, float]:
        """Lowest and highest training rating of all processes."""
        high = self.world.highest(np.array([-self._range[0], self._range[1]]))
        return -float(high[0]), float(high[1])

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """Training ratings of each item in all processes, (items + 1,); entry 0 is 0."""
        return self.world.total(self._item_counts)

    @cached_property
    def user_counts(self) -> NDArray[np.int64]:
        """Training ratings of each user here, (users here + 1,); entry 0 is 0."""
        return self._user_counts

    def __repr__(self) -> str:
        rows, here = self.lanes.n_rows, len(self._train) + len(self._valid)
        return (
            f"RatingsShard: {rows:,} ratings of {self.lanes.n_users:,} users and {self.lanes.n_items:,} items in "
            f"{len(self.lanes)} lanes, {here:,} of them in process {self.world.rank} of {self.world.size}, "
            f"batches of {self.batch_size}"
        )

    def _read(self) -> None:
        """Read every lane here once: all training rows stay where one window holds all lanes, else their counts."""
        from vectable.data.ratings.shard_rows import ShardRows, tensor_set

        self._user_counts = np.zeros(self.n_users_here + 1, dtype=np.int64)
        self._item_counts = np.zeros(self.lanes.n_items + 1, dtype=np.int64)
        self._range = (np.inf, -np.inf)
        whole = self._order.n_windows == 1
        trains, validates = [], []
        for lane in self.own_lanes:
            users, items, ratings = train = self.lane(lane, held_out=False)
            self._user_counts[self.rows_of_lane(lane)] += np.bincount(
                users - self._local_starts[lane] - 1, minlength=len(self._user_counts[self.rows_of_lane(lane)])
            )
            self._item_counts += np.bincount(items, minlength=len(self._item_counts))
            if len(ratings):
                self._range = min(self._range[0], float(ratings.min())), max(self._range[1], float(ratings.max()))
            if whole:
                trains.append(train)
            validates.append(self.lane(lane, held_out=True))
        self._valid = tensor_set(_joined(validates))
        n_rows = int(self._item_counts.sum())
        self._train = ShardRows(_joined(trains) if whole else None, self.window, n_rows, self.lanes.n_items)


def _starts(lengths: Any) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))]).astype(np.int64)


def _joined(parts: "list[LaneColumns]") -> "LaneColumns":
    return (
        np.concatenate([np.empty(0, np.int32), *(users for users, _, _ in parts)]),
        np.concatenate([np.empty(0, np.int32), *(items for _, items, _ in parts)]),
        np.concatenate([np.empty(0, np.float32), *(ratings for _, _, ratings in parts)]),
    )
