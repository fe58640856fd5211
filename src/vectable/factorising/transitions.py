"""What follows what: weighted counts of the items that come within a few places of one another in sequences."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vectable.factorising.ease import frequency_scale
from vectable.factorising.item_weights import SparseWeights, kernels, most_per_item, strongest_weights
from vectable.factorising.parallel import usable_threads
from vectable.factorising.sparse_rows import SparseRows, group


@dataclass(frozen=True)
class TransitionOptions:
    """What decides the weights ``(n_ab / (n_a^row_power n_b^column_power + shrink))^power``.

    n_ab counts how often b came 1, 2, ... `back` places after a, with weight ``exp(-decay (places - 1))``. A
    power below 1 lets what several items agree on win over what one item says loudly.

    Attributes:
        most: followers an item; fewer where memory bounds them, None for all that there are.
    """

    back: int = 10
    decay: float = 0.5
    row_power: float = 0.8
    column_power: float = 0.3
    shrink: float = 3.0
    power: float = 0.4
    most: int | None = None

    def with_changes(self, **changes: Any) -> "TransitionOptions":
        """A copy with some values replaced."""
        return replace(self, **changes)


DEFAULTS = TransitionOptions()


def transitions(
    sequences: SparseRows,
    options: TransitionOptions = DEFAULTS,
    threads: int | None = None,
) -> SparseWeights:
    """The strongest weights from each item to those that came after it, of rows in the order of time."""
    n_items = sequences.n_columns
    starts, places = group(sequences.columns, n_items)
    ends = np.repeat(sequences.starts[1:], sequences.lengths)
    back_weights = np.exp(-options.decay * np.arange(options.back))
    row_scale = frequency_scale(np.diff(starts), -options.row_power)
    scale = frequency_scale(np.diff(starts), -options.column_power)
    given = (starts, places, ends, sequences.columns, back_weights, row_scale, scale, options.shrink)

    def run(first: int, last: int, *written: Any) -> None:
        kernels()["met_after"](first, last, *given, *written)

    n_threads = usable_threads(len(sequences.columns), threads)
    counted = strongest_weights(run, starts, most_per_item(n_items, options.most), n_threads).rows
    return SparseWeights(counted.with_values((counted.values**options.power).astype(np.float32)))
