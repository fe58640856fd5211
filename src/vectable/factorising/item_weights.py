"""Weights between items, dense or sparse, and the scores that they give to histories: sums over what was met."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vectable.compiling import compile_module
from vectable.factorising.kernels.items import TILE
from vectable.factorising.parallel import equal_work, in_parts, usable_threads
from vectable.factorising.sparse_rows import SparseRows

Floats = NDArray[np.float32]

MOST_WEIGHTS = 50_000_000  # that sparse weights between items may hold: 400 MB
FEWEST = 20  # weights of an item, however many items there are


@cache
def kernels() -> dict[str, Callable[..., Any]]:
    """The compiled functions of `kernels/items.py`."""
    return compile_module("vectable.factorising.kernels.items")


class ItemWeights(Protocol):
    """How much having met one item speaks for another."""

    @property
    def n_items(self) -> int:
        """Number of items."""

    def scores(self, histories: SparseRows, threads: int | None = None) -> Floats:
        """``sum_j value_j W[item_j]`` for each history, (histories, items)."""

    def toward(self, items: NDArray[np.int32], target: int) -> Floats:
        """Weights from each of some items to `target`, (items,)."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The weights, to be saved."""


@dataclass(frozen=True)
class DenseWeights:
    """Every weight.

    Attributes:
        matrix: W, (items, width) float32; its columns are filled with zeros up to a multiple of 32.
    """

    matrix: Floats

    @classmethod
    def of(cls, matrix: NDArray[Any]) -> "DenseWeights":
        """From W, (items, items)."""
        padded = empty_dense(len(matrix))
        padded[:, : len(matrix)] = matrix
        return cls(padded)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.matrix)

    def scores(self, histories: SparseRows, threads: int | None = None) -> Floats:
        """``sum_j value_j W[item_j]`` for each history, (histories, items)."""
        found = np.empty((len(histories), self.matrix.shape[1]), dtype=np.float32)
        given = (histories.starts, histories.columns, histories.values, self.matrix, found)
        n_threads = usable_threads(len(histories.columns), threads)
        in_parts(
            lambda first, last: kernels()["score_dense"](first, last, *given), equal_work(histories.starts, n_threads)
        )
        return found[:, : self.n_items]

    def toward(self, items: NDArray[np.int32], target: int) -> Floats:
        """Weights from each of some items to `target`, (items,)."""
        return np.asarray(self.matrix[items, target])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The weights, to be saved."""
        return {"matrix": self.matrix[:, : self.n_items]}


@dataclass(frozen=True)
class SparseWeights:
    """The strongest weights of each item.

    Attributes:
        rows: a row per item: which others it speaks for, and how much.
    """

    rows: SparseRows

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.rows)

    def scores(self, histories: SparseRows, threads: int | None = None) -> Floats:
        """``sum_j value_j W[item_j]`` for each history, (histories, items)."""
        found = np.empty((len(histories), self.n_items), dtype=np.float32)
        rows = self.rows
        given = (histories.starts, histories.columns, histories.values, rows.starts, rows.columns, rows.values, found)
        n_threads = usable_threads(len(histories.columns), threads)
        in_parts(
            lambda first, last: kernels()["score_sparse"](first, last, *given), equal_work(histories.starts, n_threads)
        )
        return found

    def toward(self, items: NDArray[np.int32], target: int) -> Floats:
        """Weights from each of some items to `target`, (items,)."""
        found = np.zeros(len(items), dtype=np.float32)
        for at, item in enumerate(items):
            columns, values = self.rows.row(int(item))
            found[at] = values[columns == target].sum()
        return found

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The weights, to be saved."""
        return {"starts": self.rows.starts, "columns": self.rows.columns, "values": self.rows.values}


def weights_from_arrays(arrays: dict[str, NDArray[Any]]) -> DenseWeights | SparseWeights:
    """The weights back from `to_arrays`."""
    if "matrix" in arrays:
        return DenseWeights.of(arrays["matrix"])
    return SparseWeights(
        SparseRows(arrays["starts"], arrays["columns"], arrays["values"], n_columns=len(arrays["starts"]) - 1)
    )


def empty_dense(n_items: int) -> Floats:
    """Zeros for the weights between `n_items`, (items, width)."""
    return np.zeros((n_items, -(-n_items // TILE) * TILE), dtype=np.float32)


def most_per_item(n_items: int, most: int | None = None) -> int:
    """How many weights each item keeps: `most`, but no more than fit into bounded memory."""
    bound = max(MOST_WEIGHTS // max(n_items, 1), FEWEST)
    return max(1, min(n_items, bound if most is None else min(most, bound)))


def strongest_weights(
    run: Callable[[int, int, Any, Any, Any], None], starts: NDArray[np.int64], most: int, threads: int
) -> SparseWeights:
    """Sparse weights from a kernel that writes those of items [first, last) to its last three arguments.

    Args:
        starts: where the entries of each item start, which divides the work.
        most: weights an item.
    """
    n_items = len(starts) - 1
    columns, values = np.empty((n_items, most), dtype=np.int32), np.empty((n_items, most), dtype=np.float32)
    lengths = np.zeros(n_items, dtype=np.int64)
    in_parts(lambda first, last: run(first, last, columns, values, lengths), equal_work(starts, threads))
    kept = np.arange(most) < lengths[:, None]
    return SparseWeights(SparseRows(np.append(0, np.cumsum(lengths)), columns[kept], values[kept], n_items))
