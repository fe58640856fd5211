"""Ratings that a caller gives by name, of a new user or a new item: checked, and brought to codes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import is_finite, require
from vectable.recommending.answer import Notes
from vectable.recommending.names import find_codes

BEYOND = 1 / 8  # of the scale's width: how far a rating may lie beyond those of training


def given_ratings(
    data: RatingsData, ratings: Mapping[Any, float] | None, of_items: bool, notes: Notes
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Codes and values of ratings by name; unknown names are left out with a note, and so are slips beyond the scale.

    Args:
        of_items: whether the names are of items that a new user rated, or of users who rated a new item.

    Raises:
        VectableError: not a mapping, not a finite number, or far beyond the ratings of training.
    """
    what = "items to ratings, {'Item A': 5}" if of_items else "users to ratings, {42: 5}"
    ratings = {} if ratings is None else ratings
    require(isinstance(ratings, Mapping), f"Ratings must be a mapping from {what}; got a {type(ratings).__name__}.")
    low, high = data.rating_range
    beyond = (high - low) * BEYOND or 1.0
    for name, value in ratings.items():
        require(is_finite(value), f"The rating of {name!r} must be a finite number; got {value!r}.")
        require(
            low - beyond <= value <= high + beyond,
            f"The rating of {name!r} is {value:g}, and the ratings that the model was trained on go from {low:g} to "
            f"{high:g}. Give it on that scale.",
        )
    slips = [f"{name!r}: {value:g}" for name, value in ratings.items() if not low <= value <= high]
    notes.add(
        "off_scale",
        len(slips),
        lambda: (
            f"{len(slips):,} of {len(ratings):,} ratings lie outside those of training, {low:g} to {high:g} "
            f"({', '.join(slips[:3])}): the nearest end of the scale counts."
        ),
    )
    codes = find_codes(data, ratings, of_items, notes, "left out")
    values = np.array([min(max(value, low), high) for value in ratings.values()], dtype=np.float32)
    return codes[codes > 0], values[codes > 0]
