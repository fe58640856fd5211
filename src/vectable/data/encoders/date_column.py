"""A column of dates in a table: the parts of each date as categories and numbers."""

import datetime as dt
from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.calendar_graph import parts_of_seconds
from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.column_encoder import ColumnBlock, ColumnInput, ColumnRow, ColumnValues
from vectable.data.encoders.date_text import DateText
from vectable.data.encoders.dates import CATEGORIES, NUMBERS, date_parts, parts_of_moment, to_datetimes
from vectable.data.encoders.graph import Value
from vectable.data.encoders.number_column import NumberColumn
from vectable.data.encoders.outputs import Outputs
from vectable.data.encoders.recipe import Recipe
from vectable.data.io.frames import to_column, to_series
from vectable.data.io.single_values import is_missing
from vectable.folder_schema import Default, boolean, map_of, mapping, one_of, optional, record, text

FORM = record(  # as it is saved
    name=text, parts=map_of(mapping), had_missing=boolean, text=Default(None, optional(mapping))
)
MINUTE = 60e6  # microseconds


class DateColumn:
    """Dates: year, month, ..., each a category, and day of the year and seconds since 1970, each a number column.

    Args:
        name: of the column.
        recipe: how the parts that are numbers are encoded.
        taken: names that other columns have; a part of such a name, as ``<name>_year``, is left to that column.
        text: how dates are written as text; None to see it from each column of text.

    Attributes:
        parts: the fitted categories and number columns, by the name of the part.
        had_missing: whether dates were missing in the training rows.
    """

    kind: ClassVar[str] = "date"

    def __init__(
        self, name: str, recipe: Recipe | None = None, taken: Collection[str] = (), text: DateText | None = None
    ) -> None:
        self.name, self.text = name, text
        self._recipe, self._taken = recipe or Recipe(), taken
        self.parts: dict[str, Categorify | NumberColumn] = {}
        self.had_missing = False

    @property
    def outputs(self) -> Outputs:
        """The parts that are categories and those that are numbers, and the memories of missing dates."""
        categories = {f"{self.name}_{part}": one for part, one in self.parts.items() if isinstance(one, Categorify)}
        each = [one.outputs for one in self.parts.values() if isinstance(one, NumberColumn)]
        memories = {name: one for outputs in each for name, one in outputs.categories.items()}
        numbers = {name: one for outputs in each for name, one in outputs.numbers.items()}
        return Outputs(categories | memories, numbers, frozenset(memories))

    def fit(
        self, values: Any, *, target: NDArray[Any] | None = None, weights: NDArray[np.float64] | None = None
    ) -> "DateColumn":
        """Fit an encoder for each part."""
        moments = to_datetimes(to_column(values).alias(self.name), self.text)
        self.had_missing = moments.null_count() > 0
        days = date_parts(moments.dt.date().unique(), wanted=CATEGORIES)
        self.parts = {
            part: Categorify(missing_slot=True).fit(days[f"{self.name}_{part}"])
            for part in CATEGORIES
            if f"{self.name}_{part}" not in self._taken
        }
        numbers = date_parts(moments, wanted=NUMBERS)
        for part in NUMBERS:
            if f"{self.name}_{part}" not in self._taken:
                column = NumberColumn(f"{self.name}_{part}", self._recipe, self._taken)
                self.parts[part] = column.fit(numbers[column.name], target=target, weights=weights)
        return self

    def encode(self, values: Any) -> ColumnBlock:
        """The codes and numbers of the parts, in the order of `outputs`."""
        moments = to_datetimes(to_column(values).alias(self.name), self.text)
        parts = date_parts(moments, wanted=list(self.parts))
        codes, memories, numbers = [], [], []
        beyond: dict[str, int] = {}
        for part, one in self.parts.items():
            column = parts[f"{self.name}_{part}"]
            if isinstance(one, Categorify):
                codes.append(one.encode(column))
                continue
            block = one.encode(column)
            memories += block.codes
            numbers += block.numbers
            beyond |= block.beyond
        return ColumnBlock([*codes, *memories], numbers, 0 if self.had_missing else moments.null_count(), beyond)

    def encode_one(self, value: Any) -> ColumnRow:
        """`encode` for one value; for a date, and for text as 2026-11-23, without building a column."""
        moment = (self.text or DateText()).read_one(value) if isinstance(value, str) else _moment_of(value)
        if moment is None:
            return _first_of(self.encode(to_series([value], self.name)))
        parts = parts_of_moment(moment)
        codes, memories, numbers = [], [], []
        beyond: dict[str, int] = {}
        for part, one in self.parts.items():
            if isinstance(one, Categorify):
                codes.append(one.encode_one(parts[part]))
                continue
            row = one.encode_one(parts[part])
            memories += row.codes
            numbers += row.numbers
            beyond |= row.beyond
        return ColumnRow([*codes, *memories], numbers, 0, beyond)

    def decode(self, encoded: ColumnBlock) -> pl.Series:
        """The dates, to the minute; missing where the part "elapsed" is another column's."""
        column = self.parts.get("elapsed")
        if not isinstance(column, NumberColumn):
            return pl.Series(self.name, [None] * len(encoded.codes[0]), dtype=pl.Datetime("us"))
        codes = dict(zip(self.outputs.categories, encoded.codes, strict=True))
        numbers = dict(zip(self.outputs.numbers, encoded.numbers, strict=True))
        memory = [codes[name] for name in column.outputs.memories]
        seconds = column.decode(ColumnBlock(memory, [numbers[column.name]]))
        return ((seconds / 60).round() * MINUTE).cast(pl.Int64).cast(pl.Datetime("us")).alias(self.name)

    def describe(self) -> ColumnInput:
        """How a graph takes the column."""
        return ColumnInput(self.kind, "seconds since 1970", "NaN")

    def to_onnx(self, value: Value) -> ColumnValues:
        """`encode` of a column of seconds since 1970, 64-bit floats."""
        missing = value.is_missing()
        nan = float("nan")
        parts = parts_of_seconds(value.where(~missing, 0))
        codes, memories, numbers = [], [], []
        for part, one in self.parts.items():
            column = parts[part].cast("float64").where(~missing, nan)
            if isinstance(one, Categorify):
                codes.append(one.to_onnx(column))
                continue
            values = one.to_onnx(column)
            memories += values.codes
            numbers += values.numbers
        return ColumnValues([*codes, *memories], numbers)

    def summary(self) -> str:
        """The first and the last date of the training rows, in words."""
        column = self.parts.get("elapsed")
        if not isinstance(column, NumberColumn):
            return ""
        first, last = (
            np.datetime64(int(end), "s").astype("datetime64[D]") for end in (column.output.low, column.output.high)
        )
        return f"{first} to {last}" + (", with missing values" if self.had_missing else "")

    def to_json(self) -> dict[str, Any]:
        """The column as plain JSON values."""
        parts = {part: one.to_json() for part, one in self.parts.items()}
        text = None if self.text is None else self.text.to_json()
        return {"name": self.name, "parts": parts, "had_missing": self.had_missing, "text": text}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "DateColumn":
        """The column back from `to_json`."""
        form = FORM(form, "column")
        written = None if form["text"] is None else DateText.from_json(form["text"])
        column = cls(form["name"], text=written)
        for part in form["parts"]:
            one_of(*CATEGORIES, *NUMBERS)(part, "a part of a date")
        column.had_missing = form["had_missing"]
        column.parts = {
            part: NumberColumn.from_json(one) if part in NUMBERS else Categorify.from_json(one)
            for part, one in form["parts"].items()
        }
        return column


def _moment_of(value: Any) -> dt.datetime | None:
    """The date that a value plainly is, its time zone dropped and its wall clock kept; None where a column decides."""
    if is_missing(value):
        return None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    return dt.datetime(value.year, value.month, value.day) if isinstance(value, dt.date) else None


def _first_of(block: ColumnBlock) -> ColumnRow:
    codes, numbers = [int(one[0]) for one in block.codes], [float(one[0]) for one in block.numbers]
    return ColumnRow(codes, numbers, block.new_missing, block.beyond)
