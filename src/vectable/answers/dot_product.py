"""A dot-product model of ratings as NumPy arrays: what `models.dot_bias.EmbeddingDotBias` computes, without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.folder_schema import Array, list_of, number, optional, part, record, take_arrays, whole
from vectable.recommending.user_row import Codes, UserPrior, prior_users

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

CONFIG = record(n_factors=whole(1), y_range=optional(list_of(number(), 2, 2)))
WEIGHTS = {
    "user_factors.weight": Array("float32", "users+1 factors"),
    "item_factors.weight": Array("float32", "items+1 factors"),
    "user_bias.weight": Array("float32", "users+1 1"),
    "item_bias.weight": Array("float32", "items+1 1"),
}


@dataclass(frozen=True)
class DotProduct:
    """``rating = range(<user factors, item factors> + user bias + item bias)``.

    A user's *row* is the factors, then the bias, (factors + 1,).

    Attributes:
        users: rows of all users, (users + 1, factors + 1); 0 is the unknown one.
        items: factors of all items, (items + 1, factors).
        item_biases: (items + 1,).
        y_range: (low, high) of a sigmoid around the sum, or None.
    """

    users: Floats
    items: Floats
    item_biases: Floats
    y_range: tuple[float, float] | None

    @classmethod
    def from_saved(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, Mapping[str, NDArray[Any]]], sizes: Mapping[str, int]
    ) -> "DotProduct":
        """From a saved folder's settings and arrays.

        Args:
            sizes: number of "users" and "items" in its vocabularies.

        Raises:
            PartError: a table is missing or of another shape.
        """
        config = part(settings, "config", CONFIG, "settings.")
        found = take_arrays(arrays, "weights", WEIGHTS, {**sizes, "factors": config["n_factors"]})
        users = np.concatenate([found["user_factors.weight"], found["user_bias.weight"]], axis=1)
        items, biases = found["item_factors.weight"], found["item_bias.weight"][:, 0].copy()
        for one in (users, items, biases):
            one.flags.writeable = False
        y_range = config["y_range"]
        return cls(users, items, biases, None if y_range is None else (float(y_range[0]), float(y_range[1])))

    def sums(self, row: Floats) -> Floats:
        """What ranks all items for a user's row, (items + 1,): the sums before the sigmoid, which keeps their order."""
        return np.asarray(self.items @ row[:-1] + row[-1] + self.item_biases)

    def sums_of(self, row: Floats, items: Codes) -> Floats:
        """As `sums`, of some items, (items,)."""
        return np.asarray(self.items[items] @ row[:-1] + row[-1] + self.item_biases[items])

    def squash(self, sums: NDArray[Any]) -> NDArray[Any]:
        """From sums to the rating scale, any shape; in their precision."""
        if self.y_range is None:
            return sums
        low, high = self.y_range
        return np.asarray(_sigmoid(sums) * (high - low) + low, dtype=sums.dtype)

    def predict_pairs(self, users: Codes, items: Codes) -> Floats:
        """Predictions of user and item codes, (rows,); computed in 64 bits, so that no row depends on the others."""
        rows = self.users[users].astype(np.float64)
        dots = (rows[:, :-1] * self.items[items]).sum(axis=1)
        return np.asarray(self.squash(dots + rows[:, -1] + self.item_biases[items]), dtype=np.float32)

    def predict_with_jacobian(self, row: Doubles, items: Codes) -> tuple[Doubles, Doubles]:
        """Predictions of some items, (items,), for a user's row, and their derivatives by it, (items, factors + 1).

        Computed in the 32 bits of the weights, as the learner does.
        """
        vectors = np.concatenate([self.items[items], np.ones((len(items), 1), dtype=np.float32)], axis=1)
        predicted = self.squash(vectors @ row.astype(np.float32) + self.item_biases[items])
        if self.y_range is not None:
            low, high = self.y_range
            vectors = vectors * ((predicted - low) * (high - predicted) / (high - low))[:, None]
        return predicted.astype(np.float64), vectors.astype(np.float64)

    def prior(self, noise: float) -> UserPrior:
        """What the rows of the trained users say of any user.

        Args:
            noise: variance of a rating about its prediction.
        """
        return UserPrior.of_rows(self.users[prior_users(len(self.users) - 1)].astype(np.float64), noise)


def _sigmoid(values: NDArray[Any]) -> NDArray[Any]:
    """``1 / (1 + exp(-values))``, of large negative values too."""
    small = np.exp(-np.abs(values))
    return np.asarray(np.where(values >= 0, 1, small) / (1 + small))
