"""What a column is: a category, a number or a date. One visible rule, which the user may override by name."""

from dataclasses import dataclass

import polars as pl

MOST_DIFFERENT = 20


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
    """The rule: text, truths and categories are categories; dates are dates; fractions are numbers; whole numbers are
    categories up to 20 different values and numbers beyond; lists and structures cannot be used.
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
    return Kind("category", "truths" if dtype == pl.Boolean else "text" if dtype == pl.String else "categories")
