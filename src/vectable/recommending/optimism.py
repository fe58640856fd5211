"""Ranking by more than the mean: what might be good, or what is surely not bad."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.errors import is_finite, require

Floats = NDArray[np.float64]

ITEMS_A_BLOCK = 1000  # of all draws at a time


def check_optimism(optimism: Any) -> None:
    """Raise a sentence unless `optimism` is a finite number."""
    require(is_finite(optimism), f"optimism is {optimism!r}; it is a number of standard deviations.")


def mean_and_doubt(
    model: Any, row: Tensor, covariance: Floats | None = None, codes: NDArray[np.int32] | None = None
) -> tuple[Floats, Floats]:
    """Expected ratings of items for one user's row, not clipped, and their standard deviations, (items,) each.

    Args:
        model: with `member_scores`, every draw's prediction of every item.
        covariance: of a row that is not known exactly, in each draw, (draws, D, D).
        codes: of the items; by default all.
    """
    each = model.member_scores(row).double().numpy()
    codes = np.arange(each.shape[1], dtype=np.int32) if codes is None else codes
    each = each[:, codes]
    variance = each.var(axis=0)
    if covariance is not None:
        slopes = model.scale if model.cuts is None else model.slopes_of_row(row)[:, codes]
        variance += (row_variance(model, covariance, codes) * slopes**2).mean(axis=0)
    return each.mean(axis=0), np.sqrt(variance)


def row_variance(model: Any, covariance: Floats, codes: NDArray[np.int32]) -> Floats:
    """What not knowing a row exactly adds to each draw's sum, (draws, items)."""
    found = np.empty((len(covariance), len(codes)))
    for first in range(0, len(codes), ITEMS_A_BLOCK):
        part = slice(first, first + ITEMS_A_BLOCK)
        designs = model.designs_of(torch.from_numpy(codes[part])).double().numpy()
        found[:, part] = ((designs @ covariance) * designs).sum(axis=2)
    return found


class Optimistic:
    """A model of many draws whose scores are their mean plus so many standard deviations.

    Args:
        model: with `member_scores`, every draw's prediction of every item for one user's row.
        deviations: above 0 to try what is uncertain, below 0 to play safe.
        covariance: of a row that is not known exactly; see `mean_and_doubt`.
    """

    def __init__(self, model: Any, deviations: float, covariance: Floats | None = None) -> None:
        self._model, self._deviations, self._covariance = model, deviations, covariance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def eval(self) -> "Optimistic":
        """It never trains."""
        return self

    def score_rows(self, rows: Tensor) -> Tensor:
        """Scores of every item, (users, items); not clipped, or all that may be good would be equally good."""
        both = (self.mean_and_doubt(row) for row in rows)
        return torch.from_numpy(np.stack([mean + self._deviations * doubt for mean, doubt in both])).float()

    def mean_and_doubt(self, row: Tensor) -> tuple[Floats, Floats]:
        """Of every item for one user's row; see `mean_and_doubt`."""
        return mean_and_doubt(self._model, row, self._covariance)
