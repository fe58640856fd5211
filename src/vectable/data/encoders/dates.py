"""Dates taken apart: what a calendar says about a day, as columns a model can use."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from vectable.data.encoders.date_text import NO_DATES, DateText, find_dates
from vectable.data.io.frames import FrameKind, from_polars, to_column, to_polars
from vectable.errors import DataError, warn

# Which parts are categories; the others are numbers.
CATEGORIES = (
    "year", "month", "week", "day", "weekday",
    "is_month_start", "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end",
)  # fmt: skip
NUMBERS = ("day_of_year", "elapsed")
EPOCH = dt.datetime(1970, 1, 1)


def to_datetimes(values: pl.Series, text: DateText | None = None) -> pl.Series:
    """A column of dates of any kind, or of text, as datetimes (microseconds, without time zone); missing stays missing.

    A time with a zone keeps its wall clock.

    Args:
        text: how dates are written as text; by default as the values suggest, which is a warning where day and month
            may change places.

    Raises:
        DataError: text that is not a date, with its row and value, unless `text` takes it for missing; a column that
            is neither dates nor text.
    """
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us"))
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    if values.null_count() == len(values) or (values.dtype.is_float() and values.is_nan().all()):
        return pl.Series(values.name, [None] * len(values), dtype=pl.Datetime("us"))
    if values.dtype in (pl.Enum, pl.Categorical):
        return to_datetimes(values.cast(pl.String), text)
    if values.dtype != pl.String:
        raise DataError(
            f"Column {values.name!r} is {values.dtype}, not dates; convert it, or take it out of date_names."
        )
    text = _seen(values) if text is None else text
    read = text.read(values)
    bad = unread_dates(values, read)
    if text.bad == "error" and bad.any():
        row = int(bad.arg_true()[0])
        others = f"; {int(bad.sum()):,} of {len(values):,} rows are like that" if len(values) > 1 else ""
        where = f"in row {row + 1:,} of column" if len(values) > 1 else "in column"
        raise DataError(
            f"The date {where} {values.name!r} is {values[row]!r}, which cannot be read{others}. Write dates as "
            "2026-11-23; dates= names another form, and bad_dates='missing' takes what is none for missing."
        )
    return read


def unread_dates(values: pl.Series, read: pl.Series) -> pl.Series:
    """Which texts of a column are neither dates nor words for a missing one, (rows,)."""
    return read.is_null() & values.is_not_null() & ~values.str.strip_chars().str.to_lowercase().is_in(NO_DATES)


def parse_dates(values: pl.Series) -> pl.Series:
    """Text as datetimes, in the order that reads most of it; missing for what is not a date."""
    return find_dates(values).text.read(values)


def _seen(values: pl.Series) -> DateText:
    found = find_dates(values)
    if found.in_doubt:
        warn(
            f"The dates in column {values.name!r} may have the day or the month first ({found.example!r}): they are "
            "taken with the day first."
        )
    return found.text


def date_parts(values: Any, wanted: Sequence[str] = CATEGORIES + NUMBERS) -> Any:
    """The parts of a column of dates: a frame with columns ``<name>_year``, ..., missing where the date is.

    year, month, ISO week, day, weekday (0 for Monday), day of year (from 1), whether it starts or ends a month, quarter
    or year, and elapsed: seconds since 1970.

    Args:
        values: a column of polars, pandas or pyarrow, (rows,), of dates or text; the parts are a frame of its kind.
        wanted: parts to give, by default all.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> vt.date_parts(pl.Series("sold", ["2024-02-29"]), ["year", "month", "is_month_end"]).row(0)
        (2024, 2, 1)
    """
    kind = _kind_of_frame(values)
    values = to_column(values)
    name, date = values.name, pl.col("date")
    month, quarter_end = date.dt.month(), date.dt.month() % 3 == 0
    first, last = date.dt.day() == 1, date.dt.day() == date.dt.month_end().dt.day()
    parts = {
        "year": date.dt.year(),
        "month": month,
        "week": date.dt.week(),
        "day": date.dt.day(),
        "weekday": date.dt.weekday() - 1,
        "is_month_start": first,
        "is_month_end": last,
        "is_quarter_start": first & (month % 3 == 1),
        "is_quarter_end": last & quarter_end,
        "is_year_start": first & (month == 1),
        "is_year_end": last & (month == 12),
        "day_of_year": date.dt.ordinal_day(),
        "elapsed": date.dt.epoch("us") / 1e6,
    }
    frame = pl.DataFrame({"date": to_datetimes(values)})
    kinds = {part: pl.Float64 if part in NUMBERS else pl.Int64 for part in parts}
    wide = frame.select(
        what.cast(kinds[part]).alias(f"{name}_{part}") for part, what in parts.items() if part in wanted
    )
    return from_polars(wide, kind)


def parts_of_moment(moment: dt.datetime) -> dict[str, int | float]:
    """The parts of one date without a time zone, as `date_parts` gives them."""
    month, day = moment.month, moment.day
    first = day == 1
    last = (moment + dt.timedelta(days=1)).day == 1 if moment.year < dt.MAXYEAR or month < 12 else day == 31
    since = moment - EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return {
        "year": moment.year,
        "month": month,
        "week": moment.isocalendar().week,
        "day": day,
        "weekday": moment.weekday(),
        "is_month_start": int(first),
        "is_month_end": int(last),
        "is_quarter_start": int(first and month % 3 == 1),
        "is_quarter_end": int(last and month % 3 == 0),
        "is_year_start": int(first and month == 1),
        "is_year_end": int(last and month == 12),
        "day_of_year": moment.timetuple().tm_yday,
        "elapsed": microseconds / 1e6,
    }


def elapsed_to_event(frame: Any, event: str, date: str, group: str) -> Any:
    """Days since the last and until the next row of the same group in which `event` is true (the lesson's features).

    Args:
        frame: pandas, polars or pyarrow; `event` is a column of booleans or numbers, true where not 0.
        date: column of dates.
        group: column that says whose events they are (a store).

    Returns:
        The same kind of frame, rows in the same order, with columns ``<event>_since`` and ``<event>_until`` (days,
        float; missing where there is none).

    Examples:
        >>> import polars as pl, vectable as vt
        >>> columns = {"shop": ["a", "a"], "day": ["2024-05-01", "2024-05-04"], "sale": [True, False]}
        >>> days = pl.DataFrame(columns)
        >>> vt.elapsed_to_event(days, event="sale", date="day", group="shop").columns
        ['shop', 'day', 'sale', 'sale_since', 'sale_until']
    """
    table, kind = to_polars(frame)
    days = to_datetimes(table[date]).dt.epoch("us") / 86_400e6
    happened = table[event].cast(pl.Float64).fill_null(0) != 0
    work = pl.DataFrame({"row": np.arange(len(table)), "group": table[group], "day": days, "event": happened})
    on_event = pl.when("event").then("day")
    work = work.sort("group", "day", maintain_order=True).with_columns(
        since=pl.col("day") - on_event.forward_fill().over("group"),
        until=on_event.backward_fill().over("group") - pl.col("day"),
    )
    work = work.sort("row")
    added = [work["since"].alias(f"{event}_since"), work["until"].alias(f"{event}_until")]
    return from_polars(table.with_columns(added), kind)


def _kind_of_frame(values: Any) -> FrameKind:
    """Whose column this is."""
    library = type(values).__module__.split(".")[0]
    return "pandas" if library == "pandas" else "pyarrow" if library == "pyarrow" else "polars"
