"""Columns taken as ratings that look like something else: times, quantities, prices, or marks for "not rated"."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.column_names import COUNTS, PRICES, RATINGS, TIMES, is_named_as
from vectable.errors import DataError, warn

EARLIEST = 1e8  # seconds since 1970: no scale of ratings begins there, and 1973 does
MOST_LOWEST = 0.4  # share of the lowest value from which on whole numbers look like counts
WIDEST = 5  # span of a scale on which so many may give the lowest rating
SKEWED = 1.3  # mean over median from which on decimals look like prices
MANY = 50  # distinct values from which on they do
LOOKED_AT = 100_000  # ratings whose values are compared, besides the lowest and the highest of all
FEW = 3  # distinct values that stand apart from all others, at most
ADVICE = (
    "Name the column of ratings with rating= (--rating); what people bought, played or saw are interactions instead."
)


def question_ratings(name: str, ratings: NDArray[np.float32], chosen: bool) -> None:
    """Warn of a column that looks like something other than ratings.

    Args:
        name: of the column.
        ratings: its values, (rows,).
        chosen: whether the user named the column: then only values that stand apart are mentioned.
    """
    if len(ratings) == 0:
        return
    what = None if chosen or is_named_as(name, RATINGS) else _looks_like(name, ratings)
    if what is not None:
        warn(f"Column {name!r} was taken as the rating, but looks like {what}. {ADVICE}")
    elif apart := _stands_apart(ratings):
        warn(
            f"{apart} among the ratings (column {name!r}), far from all others; if that stands for 'not rated' or is "
            "a mistake, leave those rows out."
        )


def check_on_scale(ratings: NDArray[np.float32], scale: tuple[float, float], where: str) -> None:
    """Refuse new ratings that are further from those known than these are from each other.

    Args:
        ratings: new ones, (rows,).
        scale: lowest and highest known rating.

    Raises:
        DataError: for the first such rating, with its row.
    """
    low, high = scale
    strange = (ratings < low - (high - low)) | (ratings > high + (high - low))
    if high > low and strange.any():
        row = int(strange.argmax())
        raise DataError(
            f"The rating in row {row + 1:,} of {where} is {ratings[row]:g}, and those known go from {low:g} to "
            f"{high:g}: correct it, or leave the row out."
        )


def _looks_like(name: str, ratings: NDArray[np.float32]) -> str | None:
    """What a column holds that nobody named as the rating, in words; None where it may be ratings."""
    low, high = float(ratings.min()), float(ratings.max())
    if low > EARLIEST or is_named_as(name, TIMES):
        return "times"
    if is_named_as(name, COUNTS):
        return "quantities"
    if is_named_as(name, PRICES):
        return "prices"
    if (ratings == np.floor(ratings)).all():
        lowest = float(np.mean(ratings == low))
        if low in (0.0, 1.0) and high - low > WIDEST and lowest > MOST_LOWEST:
            return f"quantities: whole numbers from {low:g} to {high:g}, {lowest:.0%} of them {low:g}"
        return None
    is_skewed = low >= 0 and float(ratings.mean()) > SKEWED * max(float(np.median(ratings)), 1e-9)
    if is_skewed and pl.Series(ratings).n_unique() > MANY:
        return f"prices: decimals from {low:g} to {high:g}, most of them small"
    return None


def _stands_apart(ratings: NDArray[np.float32]) -> str | None:
    """A few values at one end that are further from the others than these are from each other, in words; or None.

    A single -1 below nothing but positive ratings is one too: it is how many tables write "not rated".
    """
    some = ratings[:: max(len(ratings) // LOOKED_AT, 1)]
    values = np.unique([*some, ratings.min(), ratings.max()]).astype(np.float64)
    ends = [*range(1, FEW + 1), *range(len(values) - 1, len(values) - 1 - FEW, -1)]
    for at in ends:
        few, many = sorted((values[: max(at, 0)], values[max(at, 0) :]), key=len)
        if not 0 < len(few) <= FEW or len(many) < FEW + 2:
            continue
        gap = values[at] - values[at - 1]
        if gap > many[-1] - many[0] or (few.tolist() == [-1.0] and many[0] > 0):
            rows = int(np.isin(ratings, few.astype(np.float32)).sum())
            return f"{rows:,} of {len(ratings):,} values are {', '.join(f'{value:g}' for value in few)}"
    return None
