"""Dates written as text, with a time or without: which order a column has, and what its values are.

Known are the year first (2026-11-23), the day or the month first (23.11.2026, 11/23/2026), and English names of months
(23 Nov 2026, November 23, 2026), with separators as people write them. Whether the day or the month comes first is
seen from all values of a column together.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from vectable.data.encoders.number_text import MISSING_WORDS
from vectable.errors import require
from vectable.folder_schema import boolean, one_of, optional, record, text

AUTO, DAY_FIRST, MONTH_FIRST = "auto", "day first", "month first"
BAD_DATES = ("error", "missing")
NO_DATES = (*MISSING_WORDS, "0000-00-00", "0000-00-00 00:00:00", "00.00.0000", "00/00/0000")
"""Texts that stand for a missing date, in small letters."""

ZONE = r"(?:\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
TIME = rf"(?:(?:T|,?\s+)(\d{{1,2}}):(\d{{2}})(?::(\d{{2}})(?:[.,](\d{{1,9}}))?)?\s*([AaPp][Mm])?{ZONE})?"
NUMERIC = rf"^(\d{{1,4}})[./-](\d{{1,2}})[./-](\d{{1,4}}){TIME}$"
DAY_NAME = rf"^(\d{{1,2}})(?:st|nd|rd|th)?[ .-]+([A-Za-z]{{3,9}})[ .,-]+(\d{{4}}){TIME}$"
NAME_DAY = rf"^([A-Za-z]{{3,9}})[ .-]+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}}){TIME}$"
PLAIN = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2})?")
PLAIN_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
COMPACT = r"^\d{8}$"
# Text that is a date beyond doubt: with a year of four digits.
DATE_LIKE = (
    r"^(?:\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{1,2}[ .-]+[A-Za-z]{3,9}[ .,-]+\d{4}"
    r"|[A-Za-z]{3,9}[ .-]+\d{1,2},?\s+\d{4})(?:$|T|,?\s)"
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
         "december", *MONTHS, "sept")  # fmt: skip
FORM = record(day_first=boolean, form=optional(text), bad=one_of(*BAD_DATES))  # as it is saved
CENTURY = 69  # years of two digits from here on are of the 1900s


@dataclass(frozen=True)
class DateText:
    """How the dates of a column are written.

    Attributes:
        day_first: of dates whose year comes last, whether the day or the month comes first.
        form: a `strptime` format that they have instead, or None. Dates as 2026-11-23 are read beside it.
        bad: what becomes of text that is not a date: "error" or "missing".
    """

    day_first: bool = True
    form: str | None = None
    bad: str = "error"

    def read(self, values: pl.Series) -> pl.Series:
        """The dates of a column of text, without time zone (its wall clock is kept), in microseconds; missing for what
        is not a date."""
        text = values.str.strip_chars()
        text = text.set(text.str.to_lowercase().is_in(NO_DATES), None)
        if self.form is not None:
            own = text.str.to_datetime(self.form, strict=False, time_unit="us").dt.replace_time_zone(None)
            rest = text.set(own.is_not_null(), None)
            return own if rest.null_count() == len(rest) else own.zip_with(own.is_not_null(), self._read(rest))
        return self._read(text)

    def _read(self, text: pl.Series) -> pl.Series:
        for form in PLAIN_FORMS:
            if not text.head(1).str.contains(r"^\d{4}-").all():
                break
            parsed = text.str.to_datetime(form, strict=False, time_unit="us")
            if parsed.null_count() == text.null_count():
                return parsed
        return _assembled(text, self.day_first)

    def read_one(self, text: str) -> dt.datetime | None:
        """`read` for one text that is plainly a date as 2026-11-23, possibly with a time; None for all others."""
        if self.form is not None or not PLAIN.fullmatch(text):
            return None
        try:
            return dt.datetime.fromisoformat(text)
        except ValueError:
            return None

    def to_json(self) -> dict[str, Any]:
        """The form as plain JSON values."""
        return {"day_first": self.day_first, "form": self.form, "bad": self.bad}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "DateText":
        """The form back from `to_json`."""
        return cls(**FORM(form, "dates"))


@dataclass(frozen=True)
class FoundDates:
    """How a column of text is read as dates.

    Attributes:
        text: the form.
        share: of the values that are there, how many are read, 0 to 1.
        is_plain: whether all are written with the year first, so that there is nothing to decide.
        in_doubt: whether day and month may change places: no value decides it.
        example: a value that shows the form.
    """

    text: DateText
    share: float
    is_plain: bool
    in_doubt: bool
    example: str


def find_dates(values: pl.Series, dates: str = AUTO, bad: str = "error") -> FoundDates:
    """How a column of text is best read as dates.

    Args:
        dates: "day first", "month first", a `strptime` format, or "auto" to see it from the values.
        bad: what becomes of text that is not a date: "error" or "missing".
    """
    check_dates(dates, bad)
    known = values.drop_nulls().unique(maintain_order=True)
    known = known.filter(~known.str.strip_chars().str.to_lowercase().is_in(NO_DATES))
    if dates not in (AUTO, DAY_FIRST, MONTH_FIRST):
        return _found(DateText(form=dates, bad=bad), known, False)
    texts = [DateText(day_first, bad=bad) for day_first in (True, False)]
    if dates != AUTO:
        return _found(texts[dates == MONTH_FIRST], known, False)
    day, month = (one.read(known) for one in texts)
    if day.null_count() != month.null_count():
        return _found(texts[month.null_count() < day.null_count()], known, False)
    dotted = known.filter(day != month).str.contains(r"^\d{1,2}\.\d{1,2}\.").all()  # as nobody writes the month first
    return _found(texts[0], known, not dotted)


def check_dates(dates: object, bad: object = "error") -> None:
    """Raise a sentence for an order of dates or a treatment of bad ones that there is not."""
    orders = (AUTO, DAY_FIRST, MONTH_FIRST)
    require(
        isinstance(dates, str) and (dates in orders or "%" in dates),
        f"dates must be one of {list(orders)}, or a format such as '%d.%m.%Y %H:%M'; got {dates!r}.",
    )
    require(bad in BAD_DATES, f"bad_dates must be one of {list(BAD_DATES)}; got {bad!r}.")


def _found(text: DateText, known: pl.Series, in_doubt: bool) -> FoundDates:
    share = 1 - text.read(known).null_count() / len(known) if len(known) else 0.0
    year_last = known.filter(~known.str.contains(r"^\s*\d{4}[./-]"))
    example = (year_last if len(year_last) else known).head(1).to_list()
    return FoundDates(text, share, len(year_last) == 0, in_doubt, example[0] if example else "")


def _assembled(text: pl.Series, day_first: bool) -> pl.Series:
    """Dates put together from their parts."""
    number, named, before = pl.col("number"), pl.col("named"), pl.col("before")
    one, two, three = (number.struct[at] for at in range(3))
    year_first = one.str.len_chars() == 4
    day, month = (one, two) if day_first else (two, one)
    month_name = pl.coalesce(named.struct[1], before.struct[0]).str.to_lowercase()
    names = {name: f"{MONTHS.index(name[:3]) + 1}" for name in NAMES}
    hour, minute, second, fraction, half = (
        pl.coalesce(number.struct[at], named.struct[at], before.struct[at]) for at in range(3, 8)
    )
    parts = pl.DataFrame({"text": text.str.replace(COMPACT, "")}).with_columns(
        number=pl.col("text").str.extract_groups(NUMERIC),
        named=pl.col("text").str.extract_groups(DAY_NAME),
        before=pl.col("text").str.extract_groups(NAME_DAY),
        compact=pl.Series(text.str.extract_groups(r"^(\d{4})(\d{2})(\d{2})$")),
    )
    compact = pl.col("compact")
    parts = parts.select(
        year=pl.coalesce(
            pl.when(year_first).then(one).otherwise(three), named.struct[2], before.struct[2], compact.struct[0]
        ),
        month=pl.coalesce(
            pl.when(year_first).then(two).otherwise(month),
            month_name.replace_strict(names, default=None, return_dtype=pl.String),
            compact.struct[1],
        ),
        day=pl.coalesce(
            pl.when(year_first).then(three).otherwise(day), named.struct[0], before.struct[1], compact.struct[2]
        ),
        hour=hour.cast(pl.Int32),
        half=half.str.to_lowercase(),
        minute=minute.fill_null("00"),
        second=second.fill_null("00"),
        fraction=fraction.fill_null("0"),
    )
    year = pl.col("year").cast(pl.Int32)
    short = pl.col("year").str.len_chars() == 2
    hour = (
        pl.when(pl.col("half").is_null())
        .then("hour")
        .when(pl.col("hour").is_between(1, 12))
        .then(pl.col("hour") % 12 + 12 * (pl.col("half") == "pm"))
    )
    iso = parts.with_columns(
        year=pl.when(short).then(year + pl.when(year < CENTURY).then(2000).otherwise(1900))
        .when(pl.col("year").str.len_chars() == 4).then(year),
        hour=pl.when(pl.col("hour").is_null()).then(0).otherwise(hour),
    ).select(
        pl.concat_str(
            pl.col("year").cast(pl.String).str.zfill(4), pl.lit("-"), pl.col("month"), pl.lit("-"), pl.col("day"),
            pl.lit(" "), pl.col("hour").cast(pl.String), pl.lit(":"), pl.col("minute"), pl.lit(":"), pl.col("second"),
            pl.lit("."), pl.col("fraction"),
        ).alias(text.name)
    )  # fmt: skip
    return iso.to_series().str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
