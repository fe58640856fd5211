"""Which columns of a table are learned from, and what kind each is: as named, or else by the rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from vectable.data.encoders.dates import to_datetimes
from vectable.data.encoders.fill_missing import to_numbers
from vectable.data.encoders.kinds import Kind, kind_of
from vectable.data.io.parquet_table import ParquetTable
from vectable.data.io.wording import count_of
from vectable.errors import DataError, require, require_columns, warn


def name_list(names: Any) -> list[str]:
    """Names of columns, one or several, as text: pandas may name columns by numbers."""
    several = isinstance(names, Sequence | set | np.ndarray) and not isinstance(names, str)
    return [str(name) for name in names] if several else [str(names)]


def kinds_of_columns(
    frame: pl.DataFrame | ParquetTable,
    taken: set[str],
    named: Mapping[str, Sequence[str] | None],
) -> dict[str, Kind]:
    """The kind of every column that is used.

    Args:
        taken: columns that are not looked at to predict: targets, weights, those left out.
        named: names of columns by kind, or None where the rule decides. Where both categories and numbers are named,
            no other columns are used.
    """
    given: dict[str, Kind] = {}
    for kind, names in named.items():
        require_columns(names or [], frame.columns, "The table")
        for name in names or []:
            require(
                name not in taken,
                f"Column {name!r} is the target, the weight or left out; it cannot be looked at to predict.",
            )
            require(name not in given, f"Column {name!r} is named twice.")
            given[name] = Kind(kind, "as named")
            if kind == "number":
                _check_numbers(frame[name])
    if named["category"] is not None and named["number"] is not None and given:
        return given
    kinds = {name: given.get(name) or kind_of(frame[name]) for name in frame.columns if name not in taken}
    left_out = {name: kind.why for name, kind in kinds.items() if kind.kind == "unusable"}
    if left_out:
        listed = "; ".join(f"{name!r} ({why})" for name, why in left_out.items())
        message = (
            f"{count_of(len(left_out), 'column')} cannot be learned from and {'is' if len(left_out) == 1 else 'are'}"
        )
        warn(f"{message} left out: {listed}.")
    kinds = {name: kind for name, kind in kinds.items() if kind.kind != "unusable"}
    if not kinds:
        raise DataError("The table has no column to learn from beside the target.")
    return kinds


def check_values(frame: pl.DataFrame | ParquetTable, kinds: dict[str, Kind]) -> None:
    """Refuse text that is not a date, and warn of infinite numbers, while rows still count as the user counts them."""
    infinite = {}
    for name, found in kinds.items():
        values = frame[name]
        if found.kind == "date" and values.dtype == pl.String:
            to_datetimes(values)
        elif found.kind == "number" and values.dtype.is_float() and (count := int(values.is_infinite().sum())):
            infinite[name] = count
    if infinite:
        listed = ", ".join(f"{count:,} in {name!r}" for name, count in infinite.items())
        warn(f"Infinite numbers are taken as missing: {listed}.")


def _check_numbers(values: pl.Series) -> None:
    if values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null) or values.dtype.is_temporal():
        return
    bad = pl.Series(np.isnan(to_numbers(values))) & values.is_not_null()
    if bad.any():
        row = int(bad.arg_true()[0])
        raise DataError(
            f"Column {values.name!r} is named among the numbers, and row {row + 1:,} holds {values[row]!r}; "
            "correct it, or name the column in cat_names."
        )
