"""A user folded into draws from the posterior: lists, intervals and standard deviations like those of a trained one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.models.drawn_model import DrawnModel
from vectable.one_blas_thread import one_blas_thread
from vectable.recommending.folded_user import FoldedUser
from vectable.recommending.intervals import check_level, interval_about, shortest_runs
from vectable.recommending.new_row import NewRow
from vectable.recommending.row_spread import flat_row, row_mean_and_std, row_variance

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class FoldedPosterior(FoldedUser):
    """What the draws make of a user who is not in the training data; `row` is the mean of each draw, side by side.

    Attributes:
        model: the draws.
        posterior: of the row.
        noise: variance of a rating about its expectation.
    """

    model: DrawnModel
    posterior: NewRow
    noise: float

    def predict_interval(self, items: Iterable[Any], level: float = 0.9) -> NDArray[np.float32]:
        """Where a new rating lies with a probability of `level`, (items, 2); see `BayesLearner.predict_interval`."""
        check_level(level)
        codes = self._codes(items)
        if self.model.values is None:
            mean, std = self._mean_and_std(codes)
            return interval_about(mean, std, self.noise, level, self.recommender.data.rating_range)
        with one_blas_thread():
            sums = self.model.sums_of_row(flat_row(self.posterior))[:, codes]
            shares = self.model.category_shares(sums, row_variance(self.model, self.posterior.covariance, codes))
        return shortest_runs(shares, self.model.values.astype(np.float64), level)

    def _mean_and_std(self, codes: NDArray[np.int32]) -> tuple[Floats, Floats]:
        return row_mean_and_std(self.model, self.posterior, codes)
