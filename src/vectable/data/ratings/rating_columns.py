"""From a user's table to three clean columns: which column is which, and what cannot be used, named by row."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import as_ids
from vectable.data.io.frames import as_text, to_polars
from vectable.errors import DataError, closest, quote_some, require, require_columns, warn

DuplicatePolicy = Literal["keep", "last", "mean", "error"]

NO_RATINGS = (
    "Interactions alone (who saw what, without a rating) are not supported yet: give a column of numbers, with rating=."
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
    """Decide which column is which: those named, else the first, second and third, or where that is named as something
    else, the first that is left.

    Raises:
        DataError: a named column is missing (with the closest name), or there is no column for ratings.
    """
    names = frame.columns
    if rating is not None and rating not in names and not closest(rating, names):
        raise DataError(f"The table has no column {rating!r}; its columns are {quote_some(names, 20)}. {NO_RATINGS}")
    wanted = [name for name in (user, item, rating, timestamp) if name is not None]
    require_columns(wanted, names, "The table")
    if title is not None and title not in names:
        side = to_polars(items, "the items table")[0].columns if items is not None else []
        require_columns([title], [*names, *side], "The table" + (" together with the items table" if side else ""))
    taken = {*wanted, title}
    user = user or _at(names, 0, taken)
    item = item or _at(names, 1, taken)
    rating = rating or _at(names, 2, taken)
    if user is None or item is None or rating is None:
        raise DataError(
            f"No column is left for the rating: the table's columns are {quote_some(names, 20) or 'none'}. {NO_RATINGS}"
        )
    require(
        len({user, item, rating}) == 3,
        f"user, item and rating name the same column twice: {[user, item, rating]}.",
    )
    return Columns(user, item, rating, title, timestamp)


def _at(names: list[str], place: int, taken: set[str | None]) -> str | None:
    """The column at a place, or where it is taken the first that is not; it is taken from here on."""
    left = [name for name in [*names[place : place + 1], *names] if name not in taken]
    taken.update(left[:1])
    return left[0] if left else None


def read_ratings(
    frame: pl.DataFrame,
    columns: Columns,
    duplicates: DuplicatePolicy = "keep",
    missing_ids: Literal["error", "drop"] = "error",
    where: str = "the table",
    may_be_empty: bool = False,
) -> pl.DataFrame:
    """The columns `user` and `item` (whole numbers or text), `rating` (Float32) and, where named, `time` (Float64).

    Raises:
        DataError: for the first row (counted from 1, a header not among them) that cannot be used.
    """
    require(
        duplicates in ("keep", "last", "mean", "error"),
        f"duplicates is {duplicates!r}; it is keep, last, mean or error.",
    )
    require(missing_ids in ("error", "drop"), f"missing_ids is {missing_ids!r}; it is 'error' or 'drop'.")
    taken = {
        "user": _ids(frame[columns.user]),
        "item": _ids(frame[columns.item]),
        "rating": _numbers(frame[columns.rating], columns.rating, where),
    }
    if columns.timestamp is not None and columns.timestamp in frame.columns:
        taken["time"] = to_times(frame[columns.timestamp], columns.timestamp, where)
    ratings = pl.DataFrame([values.alias(name) for name, values in taken.items()])
    ratings = _without_missing_ids(ratings, columns, missing_ids, where)
    if len(ratings) == 0 and not may_be_empty:
        raise DataError(f"There are no rows in {where}: at least one rating is needed.")
    return _settle_duplicates(ratings, duplicates, where)


def _ids(values: pl.Series) -> pl.Series:
    """Identifiers; whole numbers stay of the width they have, since a copy of a long column is dear."""
    return values if values.dtype.is_integer() else as_ids(values)


def _numbers(values: pl.Series, name: str, where: str) -> pl.Series:
    numbers = _as_floats(values, pl.Float32)
    usable = numbers.is_finite().fill_null(False)
    if not bool(usable.all()):
        row = int((~usable).arg_true()[0])
        raise DataError(
            f"The rating in row {row + 1:,} of {where} (column {name!r}) is {_shown(values, row)}; "
            f"{int((~usable).sum()):,} of {len(values):,} rows are like that. "
            "Correct or drop them, or name the right column with rating=."
        )
    return numbers


def _shown(values: pl.Series, row: int) -> str:
    """A value that was to be a number, for a sentence."""
    value = as_text(values.slice(row, 1))[0]
    return "missing, empty or NaN" if value is None else f"{value!r}, which is not a finite number"


def _as_floats(values: pl.Series, dtype: type[pl.DataType]) -> pl.Series:
    """Numbers, truths and texts of numbers as floats; missing for what is none (a date, say)."""
    plain = values if values.dtype.is_numeric() or values.dtype == pl.Boolean else as_text(values)
    return plain.cast(dtype, strict=False)


def to_times(values: pl.Series, name: str, where: str) -> pl.Series:
    """Numbers and dates (as seconds since 1970) as Float64.

    Raises:
        DataError: for the first that is neither.
    """
    if values.dtype in (pl.Date, pl.Datetime):
        times = values.dt.epoch("us").cast(pl.Float64) / 1e6
    else:
        times = _as_floats(values, pl.Float64)
    bad = ~times.is_finite().fill_null(False)
    if bool(bad.any()):
        row = int(bad.arg_true()[0])
        raise DataError(
            f"The time in row {row + 1:,} of {where} (column {name!r}) is {_shown(values, row)}; "
            "give a number or a date in every row."
        )
    return times


def _without_missing_ids(
    ratings: pl.DataFrame, columns: Columns, missing_ids: Literal["error", "drop"], where: str
) -> pl.DataFrame:
    missing = (
        (ratings["user"].is_null() | ratings["item"].is_null()) if len(ratings) else pl.Series([], dtype=pl.Boolean)
    )
    count = int(missing.sum() or 0)
    if count == 0:
        return ratings
    row = int(missing.arg_true()[0])
    column = columns.user if ratings["user"][row] is None else columns.item
    if missing_ids == "error":
        raise DataError(
            f"Column {column!r} is missing in row {row + 1:,} of {where}; {count:,} of {len(ratings):,} rows have no "
            "user or no item. Correct them, or leave them out with missing_ids='drop'."
        )
    warn(f"{count:,} rows of {where} without user or item are left out.")
    return ratings.filter(~missing)


def _settle_duplicates(ratings: pl.DataFrame, policy: DuplicatePolicy, where: str) -> pl.DataFrame:
    count = _count_duplicates(ratings)
    if count == 0:
        return ratings
    told = f"{count:,} of the {len(ratings):,} rows of {where} rate a user-item pair that another row rates too"
    if policy == "error":
        twice = ratings.filter(ratings.select("user", "item").is_duplicated()).row(0, named=True)
        raise DataError(f"{told}, for example user {twice['user']!r}, item {twice['item']!r}.")
    ends = {
        "keep": "all are kept (duplicates='last', 'mean' or 'error' for something else)",
        "last": "the last of each is kept",
        "mean": "their mean is taken",
    }
    warn(f"{told}; {ends[policy]}.")
    if policy == "keep":
        return ratings
    if policy == "last":
        return ratings.unique(["user", "item"], keep="last", maintain_order=True)
    others = [pl.col(name).last() for name in ratings.columns if name == "time"]
    return ratings.group_by(["user", "item"], maintain_order=True).agg(
        pl.col("rating").mean().cast(pl.Float32), *others
    )


def _count_duplicates(ratings: pl.DataFrame) -> int:
    """Rows whose user-item pair stands in an earlier row too: one sort of 8 bytes a row."""
    if len(ratings) < 2:
        return 0
    pairs = _in_range(ratings["user"]).astype(np.int64)
    items = _in_range(ratings["item"])
    low, high = int(items.min()), int(items.max())
    if (high - low + 1) * max(abs(int(pairs.min())), int(pairs.max()) + 1) >= 2**62:
        return len(ratings) - int(ratings.select(pl.struct("user", "item").n_unique()).item())
    pairs *= high - low + 1
    pairs += items
    pairs.sort()
    return int(np.count_nonzero(pairs[1:] == pairs[:-1]))


def _in_range(ids: pl.Series) -> NDArray[Any]:
    """Whole numbers as they are, anything else as its rank, (rows,)."""
    small = ids.dtype.is_integer() and int(ids.max()) < 2**62  # type: ignore[arg-type]
    return ids.to_numpy() if small else ids.rank("dense").to_numpy()
