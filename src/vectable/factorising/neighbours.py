"""Neighbors: the items most often met by the same users, for more items than a dense matrix has room for."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vectable.factorising.ease import frequency_scale
from vectable.factorising.item_weights import SparseWeights, kernels, most_per_item, strongest_weights
from vectable.factorising.parallel import usable_threads
from vectable.factorising.sparse_rows import SparseRows


@dataclass(frozen=True)
class NeighbourOptions:
    """What decides the weights ``n_ab / (n_a^row_power n_b^column_power + shrink)``.

    Attributes:
        most: neighbors an item; fewer where memory bounds them.
        row_power, column_power: both 0.5 make the cosine.
        shrink: takes weight from pairs that few users met.
        user_power: a user who met n items counts ``n^-user_power`` for each pair.
    """

    most: int = 200
    row_power: float = 0.5
    column_power: float = 0.5
    shrink: float = 10.0
    user_power: float = 0.5

    def with_changes(self, **changes: Any) -> "NeighbourOptions":
        """A copy with some values replaced."""
        return replace(self, **changes)


DEFAULTS = NeighbourOptions()


def neighbours(
    by_user: SparseRows,
    options: NeighbourOptions = DEFAULTS,
    threads: int | None = None,
) -> SparseWeights:
    """The strongest weights of each item of a matrix with a row per user."""
    by_item = by_user.transposed()
    weight = frequency_scale(by_user.lengths, options.user_power).astype(np.float32)
    weighted = by_user.values * np.repeat(weight, by_user.lengths)
    row_scale = frequency_scale(by_item.lengths, -options.row_power)
    scale = frequency_scale(by_item.lengths, -options.column_power)
    matrix = (by_item.starts, by_item.columns, by_item.values, by_user.starts, by_user.columns, weighted)

    def run(first: int, last: int, *written: Any) -> None:
        kernels()["met_together"](first, last, *matrix, row_scale, scale, options.shrink, *written)

    n_threads = usable_threads(len(by_user.columns), threads)
    return strongest_weights(run, by_item.starts, most_per_item(len(by_item), options.most), n_threads)
