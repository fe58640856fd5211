"""What a model must beat: the mean of all ratings, and the biases of user and item alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.encoded_ratings import Ratings

# Damping and sweeps as in Y. Koren, "Factor in the neighbors", doi 10.1145/1644873.1644874, section 2.1 and as
# commonly used since: fixed, never tuned on anybody's data.
USER_DAMPING, ITEM_DAMPING, SWEEPS = 15.0, 10.0, 10


@dataclass(frozen=True)
class BiasBaseline:
    """``rating = mean + user bias + item bias``.

    Attributes:
        mean: of the training ratings.
        user_bias, item_bias: (users + 1,) and (items + 1,); 0 for the unknown.
    """

    mean: float
    user_bias: NDArray[np.float64]
    item_bias: NDArray[np.float64]

    @classmethod
    def fit(cls, ratings: Ratings, n_users: int, n_items: int) -> "BiasBaseline":
        """Solve for items given users and users given items in turn, each a damped mean of what is left.

        Args:
            n_users, n_items: rows, the unknown among them.
        """
        mean = float(ratings.rating.mean(dtype=np.float64))
        user_bias, item_bias = np.zeros(n_users), np.zeros(n_items)
        user_counts = np.bincount(ratings.user, minlength=n_users) + USER_DAMPING
        item_counts = np.bincount(ratings.item, minlength=n_items) + ITEM_DAMPING
        centred = ratings.rating - np.float32(mean)
        for _ in range(SWEEPS):
            rest = centred - user_bias.astype(np.float32)[ratings.user]
            item_bias = np.bincount(ratings.item, rest, minlength=n_items) / item_counts
            rest = centred - item_bias.astype(np.float32)[ratings.item]
            user_bias = np.bincount(ratings.user, rest, minlength=n_users) / user_counts
        return cls(mean, user_bias, item_bias)

    def predict(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.float64]:
        """Predicted ratings, (rows,), of user and item codes."""
        return np.asarray(self.mean + self.user_bias[users] + self.item_bias[items])
