"""SLIM on neighbors: each item is regressed on the few most often met with it, for more items than EASE has room for.

The weights to an item minimize ``|x_j - X_N w|^2 + reg |w|^2`` over its nearest items N (Ning & Karypis 2011, doi
10.1109/ICDM.2011.134, with neighbors chosen beforehand as in its fsSLIM, and a ridge in place of the lasso): EASE with
all other weights zero. X is scaled as for EASE. Memory grows with the items times their neighbors.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from vectable.compiling import compile_module
from vectable.factorising.ease import frequency_scale
from vectable.factorising.item_weights import SparseWeights, most_per_item
from vectable.factorising.neighbours import NeighbourOptions, neighbours
from vectable.factorising.parallel import equal_work, in_parts, usable_threads
from vectable.factorising.sparse_rows import SparseRows


@cache
def kernels() -> dict[str, Callable[..., Any]]:
    """The compiled functions of `kernels/regressions.py`."""
    return compile_module("vectable.factorising.kernels.regressions")


@dataclass(frozen=True)
class SLIMOptions:
    """What decides the weights.

    Attributes:
        most: items that each is regressed on; fewer where memory bounds them.
        reg: regularization as a multiple of the mean of the Gram matrix's diagonal.
        user_power, item_power: as for `EASEOptions`.
        shrink: takes weight from pairs that few users met, when neighbors are chosen.
    """

    most: int = 50
    reg: float = 6.0
    user_power: float = 0.5
    item_power: float = 0.15
    shrink: float = 10.0

    def with_changes(self, **changes: Any) -> "SLIMOptions":
        """A copy with some values replaced."""
        return replace(self, **changes)


DEFAULTS = SLIMOptions()


def slim(by_user: SparseRows, options: SLIMOptions = DEFAULTS, threads: int | None = None) -> SparseWeights:
    """The weights between items of a matrix with a row per user; the result does not depend on the threads."""
    most = most_per_item(by_user.n_columns, options.most)
    nearest = NeighbourOptions(most=most, shrink=options.shrink, user_power=options.user_power)
    chosen = neighbours(by_user, nearest, threads).rows
    lengths = np.bincount(by_user.columns, minlength=by_user.n_columns)
    scale = frequency_scale(lengths, options.item_power)
    weight = frequency_scale(by_user.lengths, options.user_power / 2)
    scaled = (by_user.values * np.repeat(weight, by_user.lengths) * scale[by_user.columns]).astype(np.float32)
    by_item = by_user.with_values(scaled).transposed()
    squares = np.bincount(by_user.columns, scaled.astype(np.float64) ** 2, by_user.n_columns)
    reg = options.reg * float(squares[lengths > 0].mean()) if (lengths > 0).any() else 1.0
    weights = np.zeros(len(chosen.columns), dtype=np.float32)
    given = (chosen.starts, chosen.columns, by_item.starts, by_item.columns, by_item.values, len(by_user), reg, weights)
    n_threads = usable_threads(len(by_user.columns), threads)
    in_parts(lambda first, last: kernels()["regress"](first, last, *given), equal_work(chosen.starts, n_threads))
    return SparseWeights(chosen.with_values(weights * scale[chosen.columns].astype(np.float32)).transposed())
