"""The kinds of columns: the rule that says which a column is, which the user may override by name, and the encoder of
each."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl

from vectable.data.encoders.category_column import CategoryColumn
from vectable.data.encoders.date_column import DateColumn
from vectable.data.encoders.dates import to_datetimes
from vectable.data.encoders.number_column import NumberColumn
from vectable.data.encoders.recipe import Recipe
from vectable.data.encoders.table_column import TableColumn
from vectable.errors import DataError
from vectable.folder_schema import one_of, part

COLUMNS: dict[str, type[CategoryColumn] | type[NumberColumn] | type[DateColumn]] = {
    one.kind: one for one in (CategoryColumn, NumberColumn, DateColumn)
}
"""The encoder of each kind of column; a table holds them in this order. A new kind is added here and in `kind_of`."""

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


def new_column(kind: str, name: str, recipe: Recipe, taken: Collection[str]) -> TableColumn:
    """An encoder for a column of a kind, not yet fitted."""
    return COLUMNS[kind](name, recipe, taken)


def column_from_json(form: dict[str, Any]) -> TableColumn:
    """The encoder back from `column_to_json`."""
    return COLUMNS[part(form, "kind", one_of(*COLUMNS), "column.")].from_json(form)


def column_to_json(column: TableColumn) -> dict[str, Any]:
    """An encoder with its kind as plain JSON values."""
    return {"kind": column.kind, **column.to_json()}


def kind_of(values: pl.Series) -> Kind:
    """The rule of kinds.

    Text, booleans and categories are categories; dates are dates, and so is text whose every value is one as
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
    return Kind("category", "booleans" if dtype == pl.Boolean else "text" if dtype == pl.String else "categories")


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
