"""Between ratings and what the sampler draws: standardized numbers, or the numbers of ordered categories."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from vectable.errors import DataError

Floats = NDArray[np.float64]

MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Units:
    """How ratings and the sampler's sums belong together.

    Attributes:
        centre, scale: ``rating = centre + scale * sum``; 0 and 1 with categories.
        categories: the rating values, lowest first, with the ordinal likelihood; else None.
    """

    centre: float
    scale: float
    categories: Floats | None

    @classmethod
    def of(cls, ratings: NDArray[np.float32], ordinal: bool) -> "Units":
        """The units of training ratings, (ratings,).

        Raises:
            DataError: ordinal ratings with fewer than 2 or more than `MOST_CATEGORIES` values.
        """
        if not ordinal:
            spread = float(ratings.std(dtype=np.float64))
            return cls(float(ratings.mean(dtype=np.float64)), spread or 1.0, None)
        found = np.unique(ratings).astype(np.float64)
        if not 2 <= len(found) <= MOST_CATEGORIES:
            raise DataError(
                f"The ratings have {len(found):,} different values; likelihood='ordinal' is for 2 to {MOST_CATEGORIES} "
                "ordered ones. Use likelihood='normal'."
            )
        return cls(0.0, 1.0, found)

    def to_values(self, ratings: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the sampler takes: standardized ratings, or the numbers of their categories, (ratings,)."""
        if self.categories is None:
            return (ratings - np.float32(self.centre)) / np.float32(self.scale)
        return self.to_levels(ratings).astype(np.float32)

    def to_levels(self, ratings: NDArray[np.float32]) -> NDArray[np.int32]:
        """The number of each rating's category, (ratings,)."""
        assert self.categories is not None
        found = np.searchsorted(self.categories, ratings)
        return np.clip(found, 0, len(self.categories) - 1).astype(np.int32)

    def to_ratings(self, sums: Floats, cuts: Floats | None) -> Floats:
        """Expected ratings, (pairs,), of one draw's sums; `cuts`, (categories + 1,), with categories."""
        if cuts is None or self.categories is None:
            return self.centre + self.scale * sums
        return np.asarray(np.diff(ndtr(cuts - sums[:, None])) @ self.categories)

    @property
    def n_levels(self) -> int | None:
        """Number of categories, or None."""
        return None if self.categories is None else len(self.categories)
