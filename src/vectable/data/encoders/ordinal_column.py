"""A column of few different whole numbers in a table: both a category and a number."""

from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.category_column import CategoryColumn
from vectable.data.encoders.column_encoder import ColumnBlock, ColumnInput, ColumnRow, ColumnValues
from vectable.data.encoders.graph import Value
from vectable.data.encoders.number_column import NA, NumberColumn
from vectable.data.encoders.outputs import Outputs
from vectable.data.encoders.recipe import Recipe
from vectable.data.io.frames import to_column
from vectable.folder_schema import mapping, record

FORM = record(category=mapping, number=mapping)  # as it is saved


class OrdinalColumn:
    """Whole numbers such as months, grades or counts: each value has a vector of its own, and the order is kept.

    A missing value is a category of its own, and as a number what `FillMissing` fills in.

    Args:
        name: of the column.
        recipe: how the number is filled, normalized and cut into bins.
        taken, text: play no part.

    Attributes:
        category, number: the encoders of the two.
    """

    kind: ClassVar[str] = "ordinal"

    def __init__(
        self, name: str, recipe: Recipe | None = None, taken: Collection[str] = (), text: object = None
    ) -> None:
        self.name = name
        self.category = CategoryColumn(name)
        self.number = NumberColumn(name, recipe, (name + NA,))  # the category says which are missing

    @property
    def outputs(self) -> Outputs:
        """A category and a number, both under the column's name."""
        return Outputs(self.category.outputs.categories, self.number.outputs.numbers)

    def fit(
        self, values: Any, *, target: NDArray[Any] | None = None, weights: NDArray[np.float64] | None = None
    ) -> "OrdinalColumn":
        """Learn the vocabulary, and fit a copy of each pattern of the recipe."""
        values = to_column(values)
        self.category.fit(values)
        self.number.fit(values, target=target, weights=weights)
        return self

    def encode(self, values: Any) -> ColumnBlock:
        """The codes and the normalized numbers."""
        values = to_column(values)
        category, number = self.category.encode(values), self.number.encode(values)
        return ColumnBlock(category.codes, number.numbers, category.new_missing, number.beyond)

    def encode_one(self, value: Any) -> ColumnRow:
        """`encode` for one value."""
        category, number = self.category.encode_one(value), self.number.encode_one(value)
        return ColumnRow(category.codes, number.numbers, category.new_missing, number.beyond)

    def decode(self, encoded: ColumnBlock) -> pl.Series:
        """The categories."""
        return self.category.decode(encoded)

    def describe(self) -> ColumnInput:
        """How a graph takes the column."""
        return ColumnInput(self.kind, "number", "NaN")

    def to_onnx(self, value: Value) -> ColumnValues:
        """`encode` of a column of 64-bit floats."""
        return ColumnValues(self.category.to_onnx(value).codes, self.number.to_onnx(value).numbers)

    def summary(self) -> str:
        """How many values training showed, and their range, in words."""
        return f"{self.category.summary()}, {self.number.summary()}"

    def to_json(self) -> dict[str, Any]:
        """The column as plain JSON values."""
        return {"name": self.name, "category": self.category.to_json(), "number": self.number.to_json()}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "OrdinalColumn":
        """The column back from `to_json`."""
        form = FORM(form, "column")
        category, number = CategoryColumn.from_json(form["category"]), NumberColumn.from_json(form["number"])
        column = cls(category.name)
        column.category, column.number = category, number
        return column
