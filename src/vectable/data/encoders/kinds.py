"""What a column is: a category, a number or a date. One visible rule, which the user may override by name."""

from dataclasses import dataclass

import polars as pl

from vectable.data.encoders.dates import to_datetimes
from vectable.errors import DataError

MOST_DIFFERENT = 20

# Text that is a date beyond doubt: 2026-11-23, possibly with a time.
ISO_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"


@dataclass(frozen=True)
class Kind:
    """What a column was taken for, and why.

    Attributes:
        kind: "category", "number", "date" or "unusable".
        why: in words.
    """

    kind: str
    why: str


def kind_of(values: pl.Series) -> Kind:
    """The rule: text, truths and categories are categories; dates are dates, and so is text whose every value is one as
    2026-11-23; fractions are numbers; whole numbers are categories up to 20 different values and numbers beyond; lists
    and structures cannot be used.
    """
    dtype = values.dtype
    if dtype.is_float():
        values = values.fill_nan(None)
    if values.null_count() == len(values):
        return Kind("unusable", "no value at all")
    if dtype.is_temporal() and dtype not in (pl.Duration, pl.Time):
        return Kind("date", "a date")
    if dtype.is_nested() or dtype in (pl.Object, pl.Binary):
        return Kind("unusable", f"{dtype} is neither a number, a category nor a date")
    if dtype.is_float() or dtype.is_decimal() or dtype in (pl.Duration, pl.Time):
        return Kind("number", "fractions")
    if dtype.is_integer():
        different = values.n_unique()
        if different <= MOST_DIFFERENT:
            return Kind("category", f"{different} different whole numbers, at most {MOST_DIFFERENT}")
        return Kind("number", f"{different:,} different whole numbers, more than {MOST_DIFFERENT}")
    if dtype == pl.String and _all_dates(values):
        return Kind("date", "text, and every value a date as 2026-11-23")
    return Kind("category", "truths" if dtype == pl.Boolean else "text" if dtype == pl.String else "categories")


def _all_dates(values: pl.Series) -> bool:
    """Whether every text that is there is a date in ISO 8601, and one that the calendar has."""
    known = values.drop_nulls()
    if not known.head(1).str.contains(ISO_DATE).all() or not known.str.contains(ISO_DATE).all():
        return False
    try:
        to_datetimes(known)
    except DataError:
        return False
    return True
