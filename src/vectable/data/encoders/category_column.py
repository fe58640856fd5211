"""A column of categories in a table: one code for each row."""

from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.column_encoder import ColumnBlock, ColumnInput, ColumnRow, ColumnValues
from vectable.data.encoders.graph import Value
from vectable.data.encoders.outputs import Outputs
from vectable.data.encoders.recipe import Recipe
from vectable.data.io.frames import to_column
from vectable.folder_schema import boolean, mapping, record, text

FORM = record(name=text, categorify=mapping, had_missing=boolean)  # as it is saved
FEW = 4  # values looked up one by one, which for a few is quicker than as a column


class CategoryColumn:
    """Categories; the unknown is code 0, the missing the last.

    Args:
        name: of the column.
        recipe, taken, text: play no part in categories.

    Attributes:
        categorify: the vocabulary.
        had_missing: whether values were missing in the training rows.
    """

    kind: ClassVar[str] = "category"

    def __init__(
        self, name: str, recipe: Recipe | None = None, taken: Collection[str] = (), text: object = None
    ) -> None:
        self.name = name
        self.categorify = Categorify(missing_slot=True)
        self.had_missing = False

    @property
    def outputs(self) -> Outputs:
        """One category under the column's name; a missing one has a code of its own."""
        return Outputs({self.name: self.categorify})

    def fit(
        self, values: Any, *, target: NDArray[Any] | None = None, weights: NDArray[np.float64] | None = None
    ) -> "CategoryColumn":
        """Learn the vocabulary."""
        values = to_column(values)
        self.had_missing = has_missing(values)
        self.categorify.fit(values)
        return self

    def encode(self, values: Any) -> ColumnBlock:
        """The codes."""
        values = to_column(values)
        if len(values) > FEW or values.dtype not in (pl.String, pl.Int64, pl.Enum):
            codes = self.categorify.encode(values)
        else:
            codes = np.array([self.categorify.encode_one(value) for value in values.to_list()], dtype=np.int32)
        new = 0 if self.had_missing else int(np.count_nonzero(codes == self.categorify.missing_code))
        return ColumnBlock([codes], new_missing=new)

    def encode_one(self, value: Any) -> ColumnRow:
        """The code."""
        code = self.categorify.encode_one(value)
        return ColumnRow([code], new_missing=int(code == self.categorify.missing_code and not self.had_missing))

    def decode(self, encoded: ColumnBlock) -> pl.Series:
        """The categories."""
        return self.categorify.decode(encoded.codes[0]).alias(self.name)

    def describe(self) -> ColumnInput:
        """How a graph takes the column."""
        return self.categorify.describe()

    def to_onnx(self, value: Value) -> ColumnValues:
        """The codes."""
        return ColumnValues([self.categorify.to_onnx(value)])

    def summary(self) -> str:
        """How many categories training showed, in words."""
        return f"{len(self.categorify.vocabulary):,} categories"

    def to_json(self) -> dict[str, Any]:
        """The column as plain JSON values."""
        return {"name": self.name, "categorify": self.categorify.to_json(), "had_missing": self.had_missing}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "CategoryColumn":
        """The column back from `to_json`."""
        form = FORM(form, "column")
        column = cls(form["name"])
        column.categorify, column.had_missing = Categorify.from_json(form["categorify"]), form["had_missing"]
        return column


def has_missing(values: pl.Series) -> bool:
    """Whether a value is missing; not-a-number counts as missing."""
    return values.null_count() > 0 or (values.dtype.is_float() and bool(values.is_nan().any()))
