"""Ratings as a matrix, a row per user and a column per item, into a row per rating."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from vectable.data.column_names import named_for, row_numbers
from vectable.errors import DataError, is_finite, require, require_columns

USER, ITEM, RATING = "user", "item", "rating"


@dataclass(frozen=True)
class LongRatings:
    """A table with a row per rating.

    Attributes:
        frame: users, items and ratings.
        user, item, rating: the names of its columns.
    """

    frame: pl.DataFrame
    user: str = USER
    item: str = ITEM
    rating: str = RATING


def long_ratings(
    wide: pl.DataFrame,
    user: str | None = None,
    missing: float | Sequence[float] = (),
    leave_out: Sequence[str] = (),
) -> LongRatings:
    """The ratings of a matrix of users and items, a row each; fields without a number are not ratings.

    Args:
        wide: a row per user, a column per item named by it.
        user: column with the users' ids. By default one that is named as such, or a first column of texts or row
            numbers; else the rows are numbered from 1.
        missing: numbers that stand for "not rated".
        leave_out: columns that are neither users nor items.

    Raises:
        DataError: no such column, a column that holds other things than numbers, or no rating at all.
    """
    require_columns([*leave_out, *([user] if user else [])], wide.columns, "The table")
    wide = wide.drop(leave_out)
    user = user or _user_column(wide)
    items = [name for name in wide.columns if name != user]
    if not items or wide.is_empty():
        raise DataError(f"The table has no ratings: it has {len(wide):,} rows, and {len(items):,} columns of items.")
    for name in items:
        if not (wide[name].dtype.is_numeric() or wide[name].null_count() == len(wide)):
            raise DataError(
                f"Column {name!r} is {wide[name].dtype}, where a matrix of ratings has a column of numbers per item: "
                f"if it holds the users' ids, say user={name!r}, else leave it out with leave_out=[{name!r}]."
            )
    marks = [missing] if isinstance(missing, int | float | str) else list(missing)
    require(all(map(is_finite, marks)), f"missing must be the number that means 'not rated'; got {missing!r}.")
    users = wide[user] if user else pl.Series(np.arange(1, len(wide) + 1))
    names = (user or USER, ITEM if user != ITEM else f"{ITEM}_2", RATING if user != RATING else f"{RATING}_2")
    ratings = wide.select(pl.col(items).cast(pl.Float64)).with_columns(users.alias("\0"))
    long = ratings.unpivot(items, index="\0", variable_name="\1", value_name="\2").drop_nulls("\2").drop_nans("\2")
    long = long.filter(~pl.col("\2").is_in([float(mark) for mark in marks])) if marks else long
    if long.is_empty():
        raise DataError(f"The table holds no rating: all {len(wide):,} x {len(items):,} fields are missing.")
    ids = _numbered(items)
    if ids is not None:
        long = long.with_columns(pl.col("\1").replace_strict(items, ids))
    long.columns = list(names)
    return LongRatings(long, *names)


def _user_column(wide: pl.DataFrame) -> str | None:
    """The column that looks like the users' ids: named so, or the first where it holds texts or numbers the rows."""
    if wide.width < 2:
        return None
    first = wide.columns[0]
    named = named_for("user", wide.columns, ())
    if named is not None and (named == first or len(named) > 1):
        return named
    is_text = not wide[first].dtype.is_numeric() and wide[first].null_count() < len(wide)
    return first if is_text or first in row_numbers(wide) else None


def _numbered(names: Sequence[str]) -> list[int] | None:
    """The names as whole numbers where all are written so, so that they match ids elsewhere; else None."""
    if all(name.isascii() and name.isdecimal() and len(name) < 16 and str(int(name)) == name for name in names):
        return [int(name) for name in names]
    return None
