"""What the draws expect of the items for a user folded in, and how sure of it they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.models.drawn_model import DrawnModel
from vectable.one_blas_thread import one_blas_thread
from vectable.recommending.new_row import NewRow

Floats = NDArray[np.float64]

ITEMS_PER_BLOCK = 1000  # of all draws at a time


def row_mean_and_std(model: DrawnModel, row: NewRow, codes: NDArray[Any]) -> tuple[Floats, Floats]:
    """Expected ratings of items, (items,), not clipped, and their standard deviations.

    To the draws' spread comes that of the row, which a few ratings do not determine exactly.
    """
    flat = flat_row(row)
    each = model.member_scores(flat)[:, codes].astype(np.float64)
    with one_blas_thread():
        extra = row_variance(model, row.covariance, codes)
    slopes = model.scale if model.cuts is None else model.slopes_of_row(flat)[:, codes]
    return each.mean(axis=0), np.sqrt(each.var(axis=0) + (extra * slopes**2).mean(axis=0))


def flat_row(row: NewRow) -> NDArray[np.float32]:
    """The mean of a row in each draw, side by side, as a `DrawnModel` takes it."""
    return row.mean.astype(np.float32).reshape(-1)


def row_variance(model: DrawnModel, covariance: Floats, codes: NDArray[Any]) -> Floats:
    """What not knowing a row exactly adds to the variance of each draw's sum, (draws, items).

    Args:
        covariance: of the row in each draw, (draws, D, D).
    """
    found = np.empty((len(covariance), len(codes)))
    for first in range(0, len(codes), ITEMS_PER_BLOCK):
        part = slice(first, first + ITEMS_PER_BLOCK)
        designs = model.designs_of(codes[part]).astype(np.float64)
        found[:, part] = ((designs @ covariance) * designs).sum(axis=2)
    return found
