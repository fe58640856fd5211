"""A small table of ratings with three sets of factors: what the workbook of collaborative filtering shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vectable.errors import VectableError, require
from vectable.lab.arrays import Array
from vectable.lab.factorisation import Factors, fit_factors


@dataclass(frozen=True)
class Corner:
    """A small table of ratings with names, and factors for it.

    Attributes:
        ratings: (users, items), NaN where there is none.
        users, items: names of rows and columns.
        user_ids, item_ids: numbers that stand for them; by default 1, 2, ...
        dot: factors without biases (or with the biases among the factors).
        biased: factors with biases.
        limited: factors with biases and a sigmoid.
        about: sentences on where ratings and factors come from.
    """

    ratings: Array
    users: Sequence[str]
    items: Sequence[str]
    dot: Factors
    biased: Factors
    limited: Factors
    about: Sequence[str]
    user_ids: Sequence[int] | None = None
    item_ids: Sequence[int] | None = None


def fit_corner(
    ratings: Array,
    users: Sequence[str],
    items: Sequence[str],
    about: Sequence[str],
    user_ids: Sequence[int] | None = None,
    item_ids: Sequence[int] | None = None,
    n_factors: int = 5,
) -> Corner:
    """A corner with factors fitted by the lab: each the best of 8 starts.

    The sigmoid's limits are an eighth of the scale beyond the lowest and the highest rating.
    """
    dot, biased = (fit_factors(ratings, n_factors, bias) for bias in (False, True))
    low, high = float(np.nanmin(ratings)), float(np.nanmax(ratings))
    beyond = (high - low) / 8 or 1.0
    limited = fit_factors(ratings, n_factors, True, (low - beyond, high + beyond))
    fitted = "The factors were fitted to these ratings by vectable.lab.fit_factors: Adam from 8 starts, the best kept."
    return Corner(ratings, users, items, dot, biased, limited, [*about, fitted], user_ids, item_ids)


def check_corner(corner: Corner) -> None:
    """Raise unless there are ratings, and names and ids for all rows and columns."""
    require(corner.ratings.ndim == 2 and bool(np.isfinite(corner.ratings).any()), "There are no ratings to write down.")
    for names, ids, count, what in (
        (corner.users, corner.user_ids, corner.ratings.shape[0], "users"),
        (corner.items, corner.item_ids, corner.ratings.shape[1], "items"),
    ):
        for given in (names, ids):
            if given is not None and len(given) != count:
                raise VectableError(f"The ratings have {count} {what}, but {len(given)} names or ids came with them.")
