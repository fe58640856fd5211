"""Which columns of a table are learned from, and what kind each is: as named, or else by the rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from vectable.data.encoders.date_text import DATE_LIKE, DateText
from vectable.data.encoders.dates import to_datetimes, unread_dates
from vectable.data.encoders.fill_missing import to_numbers
from vectable.data.encoders.kinds import Kind, kind_of, named_kind
from vectable.data.encoders.number_text import NUMBER_LIKE
from vectable.data.encoders.text_options import TextOptions
from vectable.data.io.parquet_table import ParquetTable
from vectable.data.io.wording import count_of
from vectable.errors import DataError, require, require_columns, warn

Frame = pl.DataFrame | ParquetTable

FEWEST_ODD = 20  # values of a text column from which it is asked whether they are numbers or dates
MOST_OWN = 0.5  # of them are a category of their own in a column of categories
LOOKS_LIKE = 0.8  # of them look like numbers, or like dates


def name_list(names: Any) -> list[str]:
    """Names of columns, one or several, as text: pandas may name columns by numbers."""
    several = isinstance(names, Sequence | set | np.ndarray) and not isinstance(names, str)
    return [str(name) for name in names] if several else [str(names)]


def kinds_of_columns(
    frame: Frame,
    taken: set[str],
    named: Mapping[str, Sequence[str] | None],
    options: TextOptions,
    whole_numbers: str = "category",
) -> dict[str, Kind]:
    """The kind of every column that is used.

    Args:
        taken: columns that are not looked at to predict: targets, weights, those left out.
        named: names of columns by kind, or None where the rule decides. Where both categories and numbers are named,
            no other columns are used.
        options: how text is read.
        whole_numbers: what few different whole numbers are; see `kind_of`.
    """
    given = _named_kinds(frame, taken, named, options)
    if named["category"] is not None and named["number"] is not None and given:
        return given
    found = {}
    for name in frame.columns:
        if name in taken or name in given:
            continue
        values = frame[name]
        found[name] = kind_of(values, options, whole_numbers)
        if found[name].kind == "category" and values.dtype == pl.String:
            _warn_of_odd_text(values)
    left_out = {name: kind.why for name, kind in found.items() if kind.kind == "unusable"}
    if left_out:
        listed = "; ".join(f"{name!r} ({why})" for name, why in left_out.items())
        verb = "is" if len(left_out) == 1 else "are"
        warn(f"{count_of(len(left_out), 'column')} cannot be learned from and {verb} left out: {listed}.")
    kinds = {name: given.get(name) or found[name] for name in frame.columns if name in given or name in found}
    kinds = {name: kind for name, kind in kinds.items() if name not in left_out}
    if not kinds:
        raise DataError("The table has no column to learn from besides the target.")
    return kinds


def warn_of_readings(kinds: Mapping[str, Kind], options: TextOptions) -> None:
    """Warn how text was read as numbers or dates, where the values decided it and not the user."""
    readings = []
    for name, kind in kinds.items():
        asked = options.dates if isinstance(kind.text, DateText) else options.decimal
        if kind.text is None or not kind.example or (asked != "auto" and kind.doubt is None):
            continue
        reading = kind.why.partition(" with ")[2]
        doubt = "" if kind.doubt is None else f", though {kind.doubt}"
        readings.append(f"{name!r} as {kind.kind}s with {reading} ({kind.example!r}){doubt}")
    if readings:
        warn(
            f"Text is read as numbers or dates: {'; '.join(readings)}. decimal= and dates= decide otherwise, cat_names "
            "keeps the text."
        )


def check_values(frame: Frame, kinds: Mapping[str, Kind]) -> None:
    """Refuse text that is not a date, and warn of infinite numbers, while rows still count as the user counts them."""
    infinite = {}
    for name, found in kinds.items():
        values = frame[name]
        if found.kind == "date" and values.dtype == pl.String:
            _check_dates(values, found.text)
        elif found.kind == "number" and values.dtype.is_float() and (count := int(values.is_infinite().sum())):
            infinite[name] = count
    if infinite:
        listed = ", ".join(f"{count:,} in {name!r}" for name, count in infinite.items())
        warn(f"Infinite numbers are taken as missing: {listed}.")


def _named_kinds(
    frame: Frame, taken: set[str], named: Mapping[str, Sequence[str] | None], options: TextOptions
) -> dict[str, Kind]:
    given: dict[str, Kind] = {}
    for kind, names in named.items():
        require_columns(names or [], frame.columns, "The table")
        for name in names or []:
            require(
                name not in taken,
                f"Column {name!r} is the target, the weight or left out; it cannot be looked at to predict.",
            )
            require(name not in given, f"Column {name!r} is named twice.")
            given[name] = named_kind(kind, frame[name], options)
            if kind == "number" and given[name].text is None:
                _check_numbers(frame[name])
    return given


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


def _check_dates(values: pl.Series, text: object) -> None:
    """Refuse a text that is not a date, or warn how many count as missing."""
    read = to_datetimes(values, text if isinstance(text, DateText) else None)
    bad = unread_dates(values, read)
    if bad.any():
        row = int(bad.arg_true()[0])
        warn(
            f"{int(bad.sum()):,} of {len(values):,} dates in column {values.name!r} cannot be read and count as "
            f"missing, the first in row {row + 1:,}: {values[row]!r}."
        )


def _warn_of_odd_text(values: pl.Series) -> None:
    """Warn of a column of text most of whose values are categories of their own and look like numbers or dates."""
    known = values.drop_nulls().str.strip_chars()
    if len(known) < FEWEST_ODD or known.n_unique() < MOST_OWN * len(known):
        return
    for what, pattern in (("dates", DATE_LIKE), ("numbers", NUMBER_LIKE)):
        alike = known.str.contains(pattern)
        count = int(alike.sum())
        if count < LOOKS_LIKE * len(known):
            continue
        names = "cont_names" if what == "numbers" else "date_names"
        other = f"correct the others, as {known.filter(~alike)[0]!r}, or " if count < len(known) else ""
        warn(
            f"Column {values.name!r} is taken as text with {known.n_unique():,} categories, though {count:,} of its "
            f"{len(known):,} values look like {what}, as {known.filter(alike)[0]!r}: {other}name it in {names}; name "
            "it in cat_names if it is right so, or leave it out."
        )
        return
