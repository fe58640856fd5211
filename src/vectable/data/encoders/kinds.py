"""The kinds of columns: the rule that says which a column is, which the user may override by name, and the encoder of
each."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from vectable.data.encoders.category_column import CategoryColumn
from vectable.data.encoders.date_column import DateColumn
from vectable.data.encoders.date_text import DATE_LIKE, NO_DATES, DateText, FoundDates, find_dates
from vectable.data.encoders.number_column import NumberColumn
from vectable.data.encoders.number_text import SAMPLE, FoundNumbers, NumberText, find_numbers, read_numbers
from vectable.data.encoders.ordinal_column import OrdinalColumn
from vectable.data.encoders.recipe import Recipe
from vectable.data.encoders.table_column import TableColumn
from vectable.data.encoders.text_options import TextOptions
from vectable.folder_schema import one_of, part

COLUMNS: dict[str, type[CategoryColumn] | type[OrdinalColumn] | type[NumberColumn] | type[DateColumn]] = {
    one.kind: one for one in (CategoryColumn, OrdinalColumn, NumberColumn, DateColumn)
}
"""The encoder of each kind of column; a table holds them in this order. A new kind is added here and in `kind_of`."""

MOST_DIFFERENT = 20
FEWEST_ORDINAL, MOST_ORDINAL = 3, 64
ROWS_A_VALUE = 20  # in the mean, from which on more than `MOST_DIFFERENT` different values are categories too
WHOLE_NUMBERS = ("both", "category")
MOST_BAD = 0.1  # of the values of a column of dates, where bad ones may be missing


@dataclass(frozen=True)
class Kind:
    """What a column was taken for, and why.

    Attributes:
        kind: "category", "ordinal", "number", "date" or "unusable".
        why: in words.
        text: how its text is read as numbers or dates; None where it is not text, or stays text.
        example: a text that shows how.
        doubt: how else it could be read, in words; None where the values decide.
    """

    kind: str
    why: str
    text: NumberText | DateText | None = None
    example: str = ""
    doubt: str | None = None


def new_column(kind: str | Kind, name: str, recipe: Recipe, taken: Collection[str]) -> TableColumn:
    """An encoder for a column of a kind, not yet fitted."""
    found = Kind(kind, "as named") if isinstance(kind, str) else kind
    make: Any = COLUMNS[found.kind]
    column: TableColumn = make(name, recipe, taken, found.text)
    return column


def column_from_json(form: dict[str, Any]) -> TableColumn:
    """The encoder back from `column_to_json`."""
    return COLUMNS[part(form, "kind", one_of(*COLUMNS), "column.")].from_json(form)


def column_to_json(column: TableColumn) -> dict[str, Any]:
    """An encoder with its kind as plain JSON values."""
    return {"kind": column.kind, **column.to_json()}


def kind_of(values: pl.Series, options: TextOptions | None = None, whole_numbers: str = "category") -> Kind:
    """The rule of kinds.

    Text, booleans and categories are categories; dates are dates, and so is text whose every value is one; fractions
    are numbers, and so is text whose every value is a number with a fraction, a unit or a separator between thousands;
    whole numbers are categories up to 20 different values and numbers beyond; lists and structures cannot be used.

    Args:
        options: how text is read.
        whole_numbers: "category" for that rule; "both": columns of 3 to 20 different whole numbers are ordinal, that
            is categories and numbers at once, and so are those of up to 64 where each stands in 20 rows in the mean.
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
        most = MOST_ORDINAL if len(values) >= ROWS_A_VALUE * different else MOST_DIFFERENT
        if whole_numbers == "both" and FEWEST_ORDINAL <= different <= most:
            return Kind("ordinal", f"{different} different whole numbers: category and number at once")
        if different <= MOST_DIFFERENT:
            return Kind("category", f"{different} different whole numbers, at most {MOST_DIFFERENT}")
        return Kind("number", f"{different:,} different whole numbers, more than {MOST_DIFFERENT}")
    if dtype == pl.String:
        chosen = options or TextOptions()
        return _dates_by_rule(values, chosen) or _numbers_by_rule(values, chosen) or Kind("category", "text")
    return Kind("category", "booleans" if dtype == pl.Boolean else "categories")


def named_kind(kind: str, values: pl.Series, options: TextOptions) -> Kind:
    """The kind of a column that was named, and how its text is read."""
    if values.dtype != pl.String or kind == "category":
        return Kind(kind, "as named")
    if kind == "date":
        return _of_dates("as named", find_dates(values, options.dates, options.bad_dates))
    found = find_numbers(values, options.decimal)
    return Kind(kind, "as named") if found is None else _of_numbers("as named", found)


def _dates_by_rule(values: pl.Series, options: TextOptions) -> Kind | None:
    """Text of dates beyond doubt, with a year of four digits, and all of them in the calendar."""
    known = values.drop_nulls().unique(maintain_order=True).str.strip_chars()
    most_bad = MOST_BAD if options.bad_dates == "missing" else 0.0
    for sample in (known.head(SAMPLE), known):
        dates = sample.filter(~sample.str.to_lowercase().is_in(NO_DATES))
        if len(dates) == 0 or (~dates.str.contains(DATE_LIKE)).sum() > most_bad * len(dates):
            return None
    found = find_dates(dates, options.dates, options.bad_dates)
    return None if 1 - found.share > most_bad else _of_dates("text, and every value a date", found)


def _numbers_by_rule(values: pl.Series, options: TextOptions) -> Kind | None:
    """Text of numbers that are not names: with fractions, units, separators or words for missing ones."""
    found = find_numbers(values, options.decimal)
    if found is None:
        return None
    numbers = read_numbers(values.drop_nulls(), found.text)
    numbers = numbers[~np.isnan(numbers)]
    if (numbers % 1 == 0).all() and len(np.unique(numbers)) <= MOST_DIFFERENT:
        return None
    return _of_numbers("text, and every value a number", found)


def _of_dates(why: str, found: FoundDates) -> Kind:
    if found.is_plain or found.text.form is not None:
        return Kind("date", why, found.text)
    order = "day" if found.text.day_first else "month"
    doubt = "the month could as well be first" if found.in_doubt else None
    return Kind("date", f"{why} with the {order} first", found.text, found.example, doubt)


def _of_numbers(why: str, found: FoundNumbers) -> Kind:
    doubt = None if found.doubt is None else f"it could as well be {found.doubt.describe()}"
    return Kind("number", f"{why} with {found.text.describe()}", found.text, found.example, doubt)
