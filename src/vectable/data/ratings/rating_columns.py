"""From a user's table to three clean columns: which column is which, and what cannot be used, named by row."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

from vectable.data.column_names import Role, named_for, row_numbers
from vectable.data.pair_columns import (
    as_floats,
    count_repeats,
    first_free,
    read_ids,
    shown_value,
    to_times,
    without_missing_ids,
)
from vectable.data.side_tables import read_side_table
from vectable.errors import DataError, closest, quote_some, require, require_columns, warn

DuplicatePolicy = Literal["keep", "last", "mean", "error"]

NO_RATINGS = (
    "Give a column of numbers, with rating=. Interactions alone (who saw or bought what, without a rating) are read by "
    "InteractionsData.from_df, and implicit_learner or next_item_learner learns from them."
)


@dataclass(frozen=True)
class Columns:
    """Names of the columns in the user's table."""

    user: str
    item: str
    rating: str
    title: str | None = None
    timestamp: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Plain JSON values."""
        return asdict(self)


def find_columns(
    frame: pl.DataFrame,
    user: str | None,
    item: str | None,
    rating: str | None,
    title: str | None,
    timestamp: str | None,
    items: Any = None,
) -> Columns:
    """Decide which column is which.

    Those that the caller names; else those whose name says so (`column_names`); else the first, second and third, or
    where that is taken, the first that is left. A column without a name that numbers the rows is passed over.

    Raises:
        DataError: a named column is missing (with the closest name), or there is no column for ratings.

    Warns:
        VectableWarning: a column is passed over.
    """
    names = frame.columns
    if rating is not None and rating not in names and not closest(rating, names):
        raise DataError(f"The table has no column {rating!r}; its columns are {quote_some(names, 20)}. {NO_RATINGS}")
    wanted = [name for name in (user, item, rating, timestamp) if name is not None]
    require_columns(wanted, names, "The table")
    if title is not None and title not in names:
        side = read_side_table(items, "items").columns if items is not None else []
        require_columns([title], [*names, *side], "The table" + (" together with the items table" if side else ""))
    names = _without_row_numbers(frame, [user, item, rating, title, timestamp])
    taken = {*wanted, title}
    found: dict[Role, str | None] = {"user": user, "item": item, "rating": rating}
    for role, given in found.items():
        found[role] = named_for(role, names, taken) if given is None else given
        taken.add(found[role])
    user, item, rating = (
        first_free(names, place, taken) if given is None else given for place, given in enumerate(found.values())
    )
    if user is None or item is None or rating is None:
        raise DataError(
            f"No column is left for the rating: the table's columns are {quote_some(names, 20) or 'none'}. {NO_RATINGS}"
        )
    require(
        len({user, item, rating}) == 3,
        f"user, item and rating name the same column twice: {[user, item, rating]}.",
    )
    return Columns(user, item, rating, title, timestamp)


def _without_row_numbers(frame: pl.DataFrame, given: list[str | None]) -> list[str]:
    """The names of the columns without those that only number the rows, where enough others are left."""
    passed = [name for name in row_numbers(frame) if name not in given]
    names = [name for name in frame.columns if name not in passed]
    if not passed or len(names) < 3:
        return frame.columns
    warn(f"Column {passed[0]!r} of the table numbers the rows and is passed over; if it holds ids, name it.")
    return names


def read_ratings(
    frame: pl.DataFrame,
    columns: Columns,
    duplicates: DuplicatePolicy = "keep",
    missing_ids: Literal["error", "drop"] = "error",
    where: str = "the table",
    may_be_empty: bool = False,
    bad_times: Literal["error", "missing"] = "error",
) -> pl.DataFrame:
    """The columns `user` and `item` (whole numbers or text), `rating` (Float32) and, where named, `time` (Float64).

    Raises:
        DataError: for the first row (counted from 1, a header not among them) that cannot be used.
    """
    require(
        duplicates in ("keep", "last", "mean", "error"),
        f"duplicates must be keep, last, mean or error; got {duplicates!r}.",
    )
    taken = {
        "user": read_ids(frame[columns.user]),
        "item": read_ids(frame[columns.item]),
        "rating": _numbers(frame[columns.rating], columns.rating, where),
    }
    if columns.timestamp is not None and columns.timestamp in frame.columns:
        taken["time"] = to_times(frame[columns.timestamp], columns.timestamp, where, bad_times)
    ratings = pl.DataFrame([values.alias(name) for name, values in taken.items()])
    ratings = without_missing_ids(ratings, columns, missing_ids, where)
    if len(ratings) == 0 and not may_be_empty:
        raise DataError(f"There are no rows in {where}: at least one rating is needed.")
    return _settle_duplicates(ratings, duplicates, where)


def _numbers(values: pl.Series, name: str, where: str) -> pl.Series:
    numbers = as_floats(values, pl.Float32)
    usable = numbers.is_finite().fill_null(False)
    if not bool(usable.all()):
        row = int((~usable).arg_true()[0])
        raise DataError(
            f"The rating in row {row + 1:,} of {where} (column {name!r}) is {shown_value(values, row)}; "
            f"{int((~usable).sum()):,} of {len(values):,} rows are like that. "
            "Correct or drop them, or name the right column with rating=."
        )
    return numbers


def _settle_duplicates(ratings: pl.DataFrame, policy: DuplicatePolicy, where: str) -> pl.DataFrame:
    count = count_repeats(ratings)
    if count == 0:
        return ratings
    message = f"{count:,} of the {len(ratings):,} rows of {where} rate a user-item pair that another row rates too"
    if policy == "error":
        twice = ratings.filter(ratings.select("user", "item").is_duplicated()).row(0, named=True)
        raise DataError(f"{message}, for example user {twice['user']!r}, item {twice['item']!r}.")
    ends = {
        "keep": "all are kept (duplicates='last', 'mean' or 'error' for something else)",
        "last": "the last of each is kept",
        "mean": "their mean is taken",
    }
    warn(f"{message}; {ends[policy]}.")
    if policy == "keep":
        return ratings
    if policy == "last":
        return ratings.unique(["user", "item"], keep="last", maintain_order=True)
    others = [pl.col(name).last() for name in ratings.columns if name == "time"]
    return ratings.group_by(["user", "item"], maintain_order=True).agg(
        pl.col("rating").mean().cast(pl.Float32), *others
    )
