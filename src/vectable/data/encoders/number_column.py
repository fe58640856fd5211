"""A column of numbers in a table: filled, normalized, and where training had missing values a code that says so."""

import math
from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.bins import PiecewiseLinearBins
from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.column_encoder import ColumnBlock, ColumnInput, ColumnRow, ColumnValues
from vectable.data.encoders.fill_missing import FillMissing, to_number
from vectable.data.encoders.graph import Value
from vectable.data.encoders.normalize import Normalize
from vectable.data.encoders.number_text import NumberText, read_numbers
from vectable.data.encoders.outputs import NumberOutput, Outputs
from vectable.data.encoders.recipe import Recipe
from vectable.data.encoders.weighted import weighted_mean_std
from vectable.data.io.frames import to_column
from vectable.folder_schema import Default, any_number, mapping, optional, record, text

NA = "_na"  # ends the name of the category that remembers which values were missing
KNOWN, MISSING = 1, 2  # its codes
FEW = 4  # values encoded one by one, which for a few is quicker than as a column


FORM = record(
    name=text,
    fill=mapping,
    scale=mapping,
    low=any_number,
    high=any_number,
    bins=optional(mapping),
    memory=optional(mapping),
    text=Default(None, optional(mapping)),
)  # as it is saved


class NumberColumn:
    """Numbers. Text that is a number, in the spelling of the training rows, counts as one; all else is missing.

    Args:
        name: of the column.
        recipe: how it is filled, normalized and cut into bins.
        taken: names that other columns have: where ``<name>_na`` is one, that column says which values are missing.
        text: how numbers are written as text; None for plain ones.

    Attributes:
        output: the fitted encoders.
        memory: the category ``<name>_na``, where training had missing values; else None.
    """

    kind: ClassVar[str] = "number"

    def __init__(
        self, name: str, recipe: Recipe | None = None, taken: Collection[str] = (), text: NumberText | None = None
    ) -> None:
        self.name, self.text = name, text
        self._recipe, self._taken = recipe or Recipe(), taken
        self.output = NumberOutput(FillMissing(), Normalize())
        self.memory: Categorify | None = None

    @property
    def had_missing(self) -> bool:
        """Whether values were missing in the training rows."""
        return self.output.fill.had_missing

    @property
    def outputs(self) -> Outputs:
        """One number under the column's name, and the memory of missing values where there is one."""
        categories = {} if self.memory is None else {self.name + NA: self.memory}
        return Outputs(categories, {self.name: self.output}, frozenset(categories))

    def fit(
        self, values: Any, *, target: NDArray[Any] | None = None, weights: NDArray[np.float64] | None = None
    ) -> "NumberColumn":
        """Fit a copy of each pattern of the recipe."""
        numbers, recipe = read_numbers(to_column(values), self.text), self._recipe
        if recipe.fill is not None:
            filler = FillMissing(recipe.fill.strategy, recipe.fill.constant)
        else:
            filler = FillMissing("constant", _mean(numbers, weights))
        filler.fit(pl.Series(numbers), weights)
        filled = np.where(np.isnan(numbers), filler.fill, numbers)
        scale = Normalize() if recipe.scale is None else recipe.scale.copy().fit(filled, weights)
        bins = None
        if recipe.bins is not None:
            bins = PiecewiseLinearBins(recipe.bins.how, recipe.bins.n_bins, recipe.bins.min_leaf)
            bins.fit(scale.encode(filled).astype(np.float64), target, weights)
        self.output = NumberOutput(filler, scale, bins, float(filled.min()), float(filled.max()))
        if recipe.fill is not None and filler.had_missing and self.name + NA not in self._taken:
            self.memory = Categorify(missing_slot=True).fit(pl.Series([False, True]))
        return self

    def encode(self, values: Any) -> ColumnBlock:
        """The normalized numbers, and where there is a memory its codes."""
        raw, output = self._read(to_column(values)), self.output
        missing = np.isnan(raw)
        codes = [] if self.memory is None else [np.where(missing, MISSING, KNOWN).astype(np.int32)]
        new = 0 if self.had_missing else int(np.count_nonzero(missing))
        beyond = int(np.count_nonzero((raw < output.low) | (raw > output.high)))
        number = output.scale.encode(np.where(missing, output.fill.fill, raw))
        return ColumnBlock(codes, [number], new, {self.name: beyond} if beyond else {})

    def encode_one(self, value: Any) -> ColumnRow:
        """`encode` for one value."""
        is_text = self.text is not None and isinstance(value, str)
        raw = float(read_numbers(pl.Series([value]), self.text)[0]) if is_text else to_number(value)
        output = self.output
        is_missing = math.isnan(raw)
        codes = [] if self.memory is None else [MISSING if is_missing else KNOWN]
        beyond = {self.name: 1} if raw < output.low or raw > output.high else {}
        number = output.scale.encode_one(output.fill.fill if is_missing else raw)
        return ColumnRow(codes, [number], int(is_missing and not self.had_missing), beyond)

    def decode(self, encoded: ColumnBlock) -> pl.Series:
        """The numbers, to the digits that 32 bits keep; missing where the memory says so, else what they were filled
        with."""
        scale = self.output.scale
        values = pl.Series(self.name, _rounded(scale.decode(encoded.numbers[0]), scale.std))
        return values.set(pl.Series(encoded.codes[0] == MISSING), None) if encoded.codes else values

    def describe(self) -> ColumnInput:
        """How a graph takes the column."""
        return ColumnInput(self.kind, "number", "NaN")

    def to_onnx(self, value: Value) -> ColumnValues:
        """`encode` of a column of 64-bit floats."""
        codes = [] if self.memory is None else [value.is_missing().cast("int64") + KNOWN]
        return ColumnValues(codes, [self.output.scale.to_onnx(self.output.fill.to_onnx(value))])

    def summary(self) -> str:
        """The range that training showed, in words."""
        return f"{self.output.low:g} to {self.output.high:g}" + (", with missing values" if self.had_missing else "")

    def to_json(self) -> dict[str, Any]:
        """The column as plain JSON values."""
        output = self.output
        return {
            "name": self.name,
            "fill": output.fill.to_json(),
            "scale": output.scale.to_json(),
            "low": output.low,
            "high": output.high,
            "bins": None if output.bins is None else output.bins.to_json(),
            "memory": None if self.memory is None else self.memory.to_json(),
            "text": None if self.text is None else self.text.to_json(),
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "NumberColumn":
        """The column back from `to_json`."""
        form = FORM(form, "column")
        written = None if form["text"] is None else NumberText.from_json(form["text"])
        column = cls(form["name"], text=written)
        bins = None if form["bins"] is None else PiecewiseLinearBins.from_json(form["bins"])
        fill, scale = FillMissing.from_json(form["fill"]), Normalize.from_json(form["scale"])
        column.output = NumberOutput(fill, scale, bins, form["low"], form["high"])
        column.memory = None if form["memory"] is None else Categorify.from_json(form["memory"])
        return column

    def _read(self, values: pl.Series) -> NDArray[np.float64]:
        """The numbers, not-a-number where there is none."""
        if len(values) > FEW or values.dtype not in (pl.Float64, pl.Int64):
            return read_numbers(values, self.text)
        return np.array([to_number(value) for value in values.to_list()], dtype=np.float64)


def _mean(numbers: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    """Mean of what is known; 0 where nothing is."""
    known = ~np.isnan(numbers)
    return weighted_mean_std(numbers[known], None if weights is None else weights[known])[0] if known.any() else 0.0


def _rounded(values: NDArray[np.float64], std: float) -> NDArray[np.float64]:
    """Normalized 32-bit numbers, decoded, less the digits that come from their being 32-bit."""
    return np.asarray(np.round(values, 6 - math.floor(math.log10(std))) + 0.0)  # no minus before a zero
