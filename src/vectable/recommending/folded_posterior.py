"""A user folded into draws from the posterior: lists, intervals and standard deviations like those of a trained one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vectable.models.posterior import PosteriorDotBias
from vectable.one_blas_thread import one_blas_thread
from vectable.recommending.folded_user import FoldedUser
from vectable.recommending.intervals import category_shares, check_level, interval_about, shortest_runs
from vectable.recommending.new_row import NewRow

Floats = NDArray[np.float64]

ITEMS_PER_BLOCK = 1000  # of all draws at a time


@dataclass(frozen=True, repr=False)
class FoldedPosterior(FoldedUser):
    """What the draws make of a user who is not in the training data; `row` is the mean of each draw, side by side.

    Attributes:
        model: the draws.
        posterior: of the row.
        noise: variance of a rating about its expectation.
    """

    model: PosteriorDotBias
    posterior: NewRow
    noise: float

    def predict_interval(self, items: Iterable[Any], level: float = 0.9) -> NDArray[np.float32]:
        """Where a new rating lies with a probability of `level`, (items, 2); see `BayesLearner.predict_interval`."""
        check_level(level)
        codes = self._codes(items)
        if self.model.cuts is None:
            mean, std = self._mean_and_std(codes)
            return interval_about(mean, std, self.noise, level, self.recommender.data.rating_range)
        assert self.model.values is not None
        with one_blas_thread():
            sums = self.model.sums_of_row(self.row)[:, torch.from_numpy(codes).long()]
            shares = category_shares(self.model.cuts, sums, row_variance(self.model, self.posterior.covariance, codes))
        return shortest_runs(shares, self.model.values.double().numpy(), level)

    def _mean_and_std(self, codes: NDArray[np.int32]) -> tuple[Floats, Floats]:
        """To the draws' spread comes that of the row, which a few ratings do not determine exactly."""
        mean, std = super()._mean_and_std(codes)
        with one_blas_thread():
            extra = row_variance(self.model, self.posterior.covariance, codes)
        slopes = self.model.scale if self.model.cuts is None else self.model.slopes_of_row(self.row)[:, codes]
        return mean, np.sqrt(std**2 + (extra * slopes**2).mean(axis=0))


def row_variance(model: PosteriorDotBias, covariance: Floats, codes: NDArray[Any]) -> Floats:
    """What not knowing a row exactly adds to the variance of each draw's sum, (draws, items).

    Args:
        covariance: of the row in each draw, (draws, D, D).
    """
    found = np.empty((len(covariance), len(codes)))
    for first in range(0, len(codes), ITEMS_PER_BLOCK):
        part = slice(first, first + ITEMS_PER_BLOCK)
        designs = model.designs_of(torch.from_numpy(codes[part])).double().numpy()
        found[:, part] = ((designs @ covariance) * designs).sum(axis=2)
    return found
