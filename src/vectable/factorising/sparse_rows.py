"""A sparse matrix as its rows: who met what, how much, in which order."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.compiling import compile_module


@cache
def kernels() -> dict[str, Callable[..., Any]]:
    """The compiled functions of `kernels/grouping.py`."""
    return compile_module("vectable.factorising.kernels.grouping")


@dataclass(frozen=True)
class SparseRows:
    """Row r holds ``columns[starts[r]:starts[r + 1]]`` with the values at the same places, in an order that is kept.

    Attributes:
        starts: (rows + 1,) int64.
        columns: (entries,) int32, from 0 up to `n_columns`.
        values: (entries,) float32.
        n_columns: number of columns.
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    n_columns: int

    @classmethod
    def from_pairs(
        cls,
        rows: NDArray[np.int32],
        columns: NDArray[np.int32],
        values: NDArray[np.float32] | None = None,
        *,
        n_rows: int,
        n_columns: int,
    ) -> "SparseRows":
        """Group pairs by row; those of a row stay in the order that they come in.

        Args:
            values: of each pair, 1 by default.
        """
        starts, order = group(rows, n_rows)
        ordered = np.ones(len(rows), dtype=np.float32) if values is None else values[order]
        return cls(starts, columns[order], ordered, n_columns)

    @classmethod
    def from_lists(cls, lists: list[NDArray[np.int32]], n_columns: int) -> "SparseRows":
        """A row for each list of columns, all values 1."""
        lengths = np.array([len(one) for one in lists], dtype=np.int64)
        columns = np.concatenate(lists).astype(np.int32) if lists else np.zeros(0, dtype=np.int32)
        return cls(np.append(0, np.cumsum(lengths)), columns, np.ones(len(columns), dtype=np.float32), n_columns)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Entries of each row, (rows,)."""
        return np.diff(self.starts)

    def transposed(self) -> "SparseRows":
        """The same entries by column; those of a column are in the order of the rows."""
        starts = np.append(0, np.cumsum(np.bincount(self.columns, minlength=self.n_columns))).astype(np.int64)
        rows, values = np.empty(len(self.columns), dtype=np.int32), np.empty(len(self.columns), dtype=np.float32)
        given = (np.ascontiguousarray(one) for one in (self.starts, self.columns, self.values))
        kernels()["transpose"](*given, starts[:-1].copy(), rows, values)
        return SparseRows(starts, rows, values, len(self))

    def part(self, first: int, last: int) -> "SparseRows":
        """Rows [first, last); their entries are not copied."""
        begin, end = self.starts[first], self.starts[last]
        starts = self.starts[first : last + 1] - begin
        return SparseRows(starts, self.columns[begin:end], self.values[begin:end], self.n_columns)

    def take(self, which: NDArray[np.integer[Any]]) -> "SparseRows":
        """The rows of these numbers, copied."""
        lengths = self.lengths[which]
        starts = np.append(0, np.cumsum(lengths))
        places = np.arange(starts[-1]) + np.repeat(self.starts[which] - starts[:-1], lengths)
        return SparseRows(starts, self.columns[places], self.values[places], self.n_columns)

    def with_values(self, values: NDArray[np.float32]) -> "SparseRows":
        """The same places with other values."""
        return SparseRows(self.starts, self.columns, values, self.n_columns)

    def row(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Columns and values of one row."""
        begin, end = self.starts[number], self.starts[number + 1]
        return self.columns[begin:end], self.values[begin:end]


def group(keys: NDArray[np.int32], n_groups: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places sorted by key, equal keys in the order they come in: where each group starts, and the order."""
    starts = np.zeros(n_groups + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=n_groups), out=starts[1:])
    order = np.empty(len(keys), dtype=np.int64)
    kernels()["place"](np.ascontiguousarray(keys), starts[:-1].copy(), order)
    return starts, order
