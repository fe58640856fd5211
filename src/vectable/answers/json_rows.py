"""Rows as JSON has them, a mapping from columns to values each, as a frame."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from vectable.data.io.frames import to_column
from vectable.errors import DataError, require


def check_rows(rows: Sequence[Mapping[str, Any]], needed: Sequence[str], what: str = "row") -> None:
    """Raise unless each row has all columns that are needed.

    Args:
        what: a row is called.

    Raises:
        VectableError: a row that is no mapping.
        DataError: a row that lacks a column.
    """
    for at, row in enumerate(rows):
        name = f"{what.capitalize()} {at}"
        require(isinstance(row, Mapping), f"{name} is a {type(row).__name__}; each {what} is a mapping from columns.")
        lacking = [column for column in needed if column not in row]
        if lacking:
            raise DataError(f"{name} has no {lacking[0]!r}; each {what} has the columns {', '.join(needed)}.")


def frame_of_rows(rows: Sequence[Mapping[str, Any]], needed: Sequence[str], what: str = "row") -> pl.DataFrame:
    """The rows as a frame with the columns that are needed first, then all others; what a row lacks is missing.

    Args:
        what: a row is called.

    Raises:
        VectableError: a row that is no mapping.
        DataError: a row that lacks a column that is needed.
    """
    check_rows(rows, needed, what)
    columns = dict.fromkeys([*needed, *(name for row in rows for name in row)])
    return pl.DataFrame([to_column([row.get(name) for row in rows], quiet=True).alias(name) for name in columns])
