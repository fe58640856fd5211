"""Dates taken apart: what a calendar says about a day, as columns a model can use."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from vectable.data.io.frames import FrameKind, from_polars, to_column, to_polars
from vectable.errors import DataError

# Which parts are categories; the others are numbers.
CATEGORIES = (
    "year", "month", "week", "day", "weekday",
    "is_month_start", "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end",
)  # fmt: skip
NUMBERS = ("day_of_year", "elapsed")
EPOCH = dt.datetime(1970, 1, 1)

FORMS = (
    None, "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y",
    "%d-%b-%Y", "%d %b %Y",
)  # fmt: skip


def to_datetimes(values: pl.Series, where: str = "the table") -> pl.Series:
    """A column of dates of any kind, or of text, as datetimes (microseconds, without time zone); missing stays missing.

    Text is ISO 8601 or one of the forms that can be told apart with certainty. A time with a zone keeps its wall clock.

    Raises:
        DataError: text that is no date, with its row and value; a column that is neither dates nor text.
    """
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us"))
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    if values.null_count() == len(values) or (values.dtype.is_float() and values.is_nan().all()):
        return pl.Series(values.name, [None] * len(values), dtype=pl.Datetime("us"))
    if values.dtype != pl.String:
        raise DataError(
            f"Column {values.name!r} of {where} is {values.dtype}, not dates; convert it, or take it out of date_names."
        )
    parsed = parse_dates(values)
    bad = parsed.is_null() & values.is_not_null()
    if bad.any():
        row = int(bad.arg_true()[0])
        raise DataError(
            f"The date in row {row + 1:,} of {where} (column {values.name!r}) is {values[row]!r}, and does not parse; "
            f"{int(bad.sum()):,} of {len(values):,} rows are like that. Write dates as 2026-11-23."
        )
    return parsed


def date_parts(values: Any, where: str = "the table", wanted: Sequence[str] = CATEGORIES + NUMBERS) -> Any:
    """The parts of a column of dates: a frame with columns ``<name>_year``, ..., missing where the date is.

    year, month, ISO week, day, weekday (0 for Monday), day of year (from 1), whether it starts or ends a month, quarter
    or year, and elapsed: seconds since 1970.

    Args:
        values: a column of polars, pandas or pyarrow, (rows,), of dates or text; the parts are a frame of its kind.
        wanted: parts to give, by default all.
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
    frame = pl.DataFrame({"date": to_datetimes(values, where)})
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


def parse_dates(values: pl.Series) -> pl.Series:
    """Text to datetimes, missing where it does not parse: by the first of some forms that leaves fewest unread."""
    best: pl.Series | None = None
    for form in FORMS:
        try:
            parsed = values.str.to_datetime(form, strict=False, time_unit="us", ambiguous="earliest")
        except pl.exceptions.PolarsError:
            continue
        parsed = parsed.dt.replace_time_zone(None)
        if best is None or parsed.null_count() < best.null_count():
            best = parsed
        if best.null_count() == values.null_count():
            break
    return best if best is not None else pl.Series(values.name, [None] * len(values), dtype=pl.Datetime("us"))
