"""Columns of a table whose rows say that a user met an item: ids, times, what is missing, and repeated pairs."""

from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import as_ids
from vectable.data.encoders.dates import parse_dates
from vectable.data.io.frames import as_text, numbers_of
from vectable.data.vocabularies import NamedColumns
from vectable.errors import DataError, require, warn


def first_free(names: list[str], place: int, taken: set[str | None]) -> str | None:
    """The column at a place, or where it is taken the first that is not; it is taken from here on."""
    left = [name for name in [*names[place : place + 1], *names] if name not in taken]
    taken.update(left[:1])
    return left[0] if left else None


def read_ids(values: pl.Series) -> pl.Series:
    """Identifiers; whole numbers stay of the width they have, since a copy of a long column is dear."""
    return values if values.dtype.is_integer() else as_ids(values)


def shown_value(values: pl.Series, row: int, what: str = "") -> str:
    """A value that was to be a number (or `what`), for a sentence."""
    value = as_text(values.slice(row, 1))[0]
    return "missing, empty or NaN" if value is None else f"{value!r}, which is not a finite number{what}"


def as_floats(values: pl.Series, dtype: type[pl.DataType]) -> pl.Series:
    """Numbers, booleans and texts of numbers as floats; missing for what is none (a date, say)."""
    plain = values if values.dtype.is_numeric() or values.dtype == pl.Boolean else as_text(values)
    return plain.cast(dtype, strict=False)


def to_times(values: pl.Series, name: str, where: str, bad_times: Literal["error", "missing"] = "error") -> pl.Series:
    """Numbers and dates (as seconds since 1970) as Float64; text is a number or a date.

    Args:
        bad_times: what to do with values that are neither: "error", or "missing" to take them as not known (NaN).

    Raises:
        DataError: for the first that is neither.

    Warns:
        VectableWarning: values that are taken as missing, counted.
    """
    require(bad_times in ("error", "missing"), f"bad_times must be 'error' or 'missing'; got {bad_times!r}.")
    given = values
    if values.dtype == pl.String:
        values = _numbers_or_dates(values)
    if values.dtype in (pl.Date, pl.Datetime):
        times = values.dt.epoch("us").cast(pl.Float64) / 1e6
    else:
        times = as_floats(values, pl.Float64)
    bad = ~times.is_finite().fill_null(False)
    if not bool(bad.any()):
        return times
    row, count = int(bad.arg_true()[0]), int(bad.sum())
    if bad_times == "missing":
        warn(f"{count:,} of {len(values):,} times of {where} (column {name!r}) are missing or cannot be read.")
        return times.set(bad, float("nan"))
    raise DataError(
        f"The time in row {row + 1:,} of {where} (column {name!r}) is {shown_value(given, row, ' or date')}; {count:,} "
        f"of {len(values):,} rows are like that. Give a number or a date in every row, or take them as missing with "
        "bad_times='missing'."
    )


def _numbers_or_dates(texts: pl.Series) -> pl.Series:
    """Texts as numbers or as dates, whichever more of them are; missing where one is not."""
    numbers, dates = as_floats(texts, pl.Float64), parse_dates(texts)
    return numbers if numbers.null_count() <= dates.null_count() else dates


def without_missing_ids(
    pairs: pl.DataFrame, columns: NamedColumns, missing_ids: Literal["error", "drop"], where: str
) -> pl.DataFrame:
    """The rows that name a user and an item.

    Args:
        pairs: with the columns `user` and `item`.
        columns: what these are called in the user's table.
        missing_ids: "error", or "drop" the others with a warning.

    Raises:
        DataError: for the first row without one of them.
    """
    require(missing_ids in ("error", "drop"), f"missing_ids must be 'error' or 'drop'; got {missing_ids!r}.")
    missing = (pairs["user"].is_null() | pairs["item"].is_null()) if len(pairs) else pl.Series([], dtype=pl.Boolean)
    count = int(missing.sum() or 0)
    if count == 0:
        return pairs
    row = int(missing.arg_true()[0])
    column = columns.user if pairs["user"][row] is None else columns.item
    if missing_ids == "error":
        raise DataError(
            f"Column {column!r} is missing in row {row + 1:,} of {where}; {count:,} of {len(pairs):,} rows have no "
            "user or no item. Correct them, or leave them out with missing_ids='drop'."
        )
    warn(f"{count:,} rows of {where} without user or item are left out.")
    return pairs.filter(~missing)


def count_repeats(pairs: pl.DataFrame) -> int:
    """Rows whose user-item pair stands in an earlier row too: one sort of 8 bytes per row."""
    if len(pairs) < 2:
        return 0
    keys, items = _in_range(pairs["user"]).astype(np.int64), _in_range(pairs["item"])
    low, high = int(items.min()), int(items.max())
    if (high - low + 1) * max(abs(int(keys.min())), int(keys.max()) + 1) >= 2**62:
        return len(pairs) - int(pairs.select(pl.struct("user", "item").n_unique()).item())
    keys *= high - low + 1
    keys += items
    keys.sort()
    return int(np.count_nonzero(keys[1:] == keys[:-1]))


def _in_range(ids: pl.Series) -> NDArray[Any]:
    """Whole numbers as they are, anything else as its rank, (rows,)."""
    whole = numbers_of(ids) if ids.dtype.is_integer() else None
    return whole if whole is not None and int(whole.max()) < 2**62 else ids.rank("dense").to_numpy()
