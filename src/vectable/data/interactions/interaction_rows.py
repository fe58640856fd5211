"""The encoded rows of interactions, and how old and new ones are joined."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify
from vectable.data.interactions.interaction_splits import TRAIN, Parts
from vectable.errors import DataError


@dataclass(frozen=True)
class Interactions:
    """Pairs of user and item, by user, and those of a user in the order of time.

    Attributes:
        user, item: codes, (rows,) int32.
        count: how often, (rows,) float32.
        time: as the table gave them, (rows,) float64, or None.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    count: NDArray[np.float32]
    time: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.user)

    def take(self, rows: NDArray[Any]) -> "Interactions":
        """The rows of these numbers, or of a mask."""
        return Interactions(
            self.user[rows], self.item[rows], self.count[rows], None if self.time is None else self.time[rows]
        )


def encode_interactions(pairs: pl.DataFrame, user_ids: Categorify, item_ids: Categorify) -> Interactions:
    """Codes for the rows of a table that `read_interactions` made."""
    return Interactions(
        user_ids.encode(pairs["user"]),
        item_ids.encode(pairs["item"]),
        pairs["count"].to_numpy(writable=True),
        pairs["time"].to_numpy(writable=True) if "time" in pairs.columns else None,
    )


def joined_rows(old: Interactions, parts: Parts, new: Interactions) -> tuple[Interactions, Parts]:
    """Old rows and new training rows by user and time, one row per pair, which has the sum of the counts."""
    if not len(new):
        return old, parts
    if old.time is not None and new.time is None:
        raise DataError("The interactions known so far have times; the new table must have them too.")
    both = Interactions(
        np.concatenate([old.user, new.user]),
        np.concatenate([old.item, new.item]),
        np.concatenate([old.count, new.count]),
        None if old.time is None or new.time is None else np.concatenate([old.time, new.time]),
    )
    return one_row_per_pair(both, np.concatenate([parts, np.full(len(new), TRAIN, dtype=np.int8)]))


def one_row_per_pair(rows: Interactions, parts: Parts) -> tuple[Interactions, Parts]:
    """Rows by user and time, repeated pairs brought together where their last row stands.

    Counts are summed; a pair that trains in one of its rows trains.
    """
    times = np.zeros(len(rows)) if rows.time is None else rows.time
    order = np.lexsort((times, rows.user))
    rows, parts = rows.take(order), parts[order]
    pairs = rows.user.astype(np.int64) * (int(rows.item.max(initial=0)) + 1) + rows.item
    _, number = np.unique(pairs, return_inverse=True)
    n_pairs = int(number.max(initial=-1)) + 1
    if n_pairs == len(rows):
        return rows, parts
    last = np.zeros(n_pairs, dtype=np.int64)
    last[number] = np.arange(len(rows))  # the last one written stays
    trains = np.bincount(number, parts == TRAIN) > 0
    parts = np.where(trains, np.int8(TRAIN), parts[last])
    found = rows.take(last)
    found = Interactions(found.user, found.item, np.bincount(number, rows.count).astype(np.float32), found.time)
    in_order = np.argsort(last, kind="stable")
    return found.take(in_order), parts[in_order]
