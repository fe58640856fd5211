"""One draw of a dot-product model from its posterior, as NumPy arrays, and how its sums become ratings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[Any]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RatingScale:
    """From a draw's sums to expected ratings.

    Attributes:
        centre, scale: ``rating = centre + scale * sum``.
        values: of ordered categories, (categories,), or None; with them the sum is a latent.
        normal: distribution function of the standard normal, any shape.
    """

    centre: float
    scale: float
    values: Floats | None
    normal: Callable[[NDArray[Any]], NDArray[Any]]

    def expected(self, sums: Floats, cuts: Floats | None) -> Floats:
        """Expected ratings of sums, any shape.

        Args:
            cuts: between the categories, (categories + 1,), or with further dimensions before that fit the sums'.
        """
        if cuts is None:
            return np.asarray(self.centre + self.scale * sums, dtype=np.float32)
        assert self.values is not None
        below = self.normal(cuts[..., 1:-1] - sums[..., None])  # the outer cuts are infinite
        return np.asarray(self.values[-1] - below @ np.diff(self.values))

    def slopes(self, sums: Floats, cuts: Floats) -> Floats:
        """Derivative of the expected category by the latent, as `expected`."""
        assert self.values is not None
        density = np.exp(-0.5 * (cuts[..., 1:-1] - sums[..., None]) ** 2) / np.float32(np.sqrt(2 * np.pi))
        return np.asarray(density @ np.diff(self.values))


@dataclass(frozen=True)
class OneDraw:
    """A draw.

    Attributes:
        users, items: factors, then the bias, (users + 1, factors + 1) and (items + 1, same), half or single precision.
        cuts: between the categories, (categories + 1,), or None.
        ratings: how sums become ratings.
    """

    users: NDArray[Any]
    items: NDArray[Any]
    cuts: Floats | None
    ratings: RatingScale

    def predict(self, rows: Floats, items: Codes) -> Floats:
        """Predictions, (rows,), of users' rows, (rows, factors + 1), and item codes, (rows,)."""
        q = self.items[items].astype(np.float32)
        sums = (rows[:, :-1] * q[:, :-1]).sum(axis=1) + rows[:, -1] + q[:, -1]
        return self.ratings.expected(sums, self.cuts)

    def score_rows(self, rows: Floats) -> Floats:
        """Predictions of every item, (users, items)."""
        items = self.items.astype(np.float32)
        return self.ratings.expected(rows[:, :-1] @ items[:, :-1].T + rows[:, -1:] + items[:, -1], self.cuts)

    def predict_with_jacobian(self, row: Floats, items: Codes) -> tuple[Floats, Floats]:
        """Predictions of some items, (items,), for a user's row, (factors + 1,), and their derivatives by it."""
        designs = self.items[items].astype(np.float32)
        bias = designs[:, -1].copy()
        designs[:, -1] = 1.0
        sums = designs @ row + bias
        predicted = self.ratings.expected(sums, self.cuts)
        if self.cuts is None:
            return predicted, np.asarray(self.ratings.scale * designs)
        return predicted, designs * self.ratings.slopes(sums, self.cuts)[:, None]
