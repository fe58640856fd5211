"""Filling missing numbers, and remembering that there were some."""

import math
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.graph import Value
from vectable.data.encoders.weighted import weighted_mode, weighted_quantile
from vectable.data.io.frames import to_column, to_series
from vectable.data.io.single_values import is_missing
from vectable.errors import DataError, require
from vectable.folder_schema import boolean, number, one_of, record

STRATEGIES = ("median", "most_common", "constant")
FORM = record(strategy=one_of(*STRATEGIES), constant=number(), fill=number(), had_missing=boolean)  # as it is saved


class FillMissing:
    """A number for every missing value: the median or most common training value, or a constant.

    Args:
        strategy: "median", "most_common" or "constant".
        constant: what a missing value becomes under "constant".

    Attributes:
        fill: the number, after `fit`; 0 for a column without a value.
        had_missing: whether values were missing in the training rows: then a table gains a category ``<column>_na``.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> median = vt.FillMissing().fit(pl.Series([1.0, None, 5.0]))
        >>> median.encode(pl.Series([None, 2.0])).tolist()
        [3.0, 2.0]
    """

    def __init__(self, strategy: str = "median", constant: float = 0.0) -> None:
        require(strategy in STRATEGIES, f"strategy must be one of {list(STRATEGIES)}; got {strategy!r}.")
        self.strategy, self.constant = strategy, float(constant)
        self.fill, self.had_missing = float(constant), False

    def fit(
        self,
        values: pl.Series | Any,
        weights: NDArray[np.float64] | None = None,
        *,
        target: NDArray[Any] | None = None,
    ) -> "FillMissing":
        """Learn the number from `values`, (rows,), of polars, pandas or pyarrow; a row of weight w counts as w rows.

        It does not depend on a target.
        """
        numbers = to_numbers(values)
        known = ~np.isnan(numbers)
        self.had_missing = not known.all()
        kept = None if weights is None else weights[known]
        if self.strategy != "constant" and known.any():
            middle = self.strategy == "median"
            self.fill = weighted_quantile(numbers[known], 0.5, kept) if middle else weighted_mode(numbers[known], kept)
        return self

    def encode(self, values: pl.Series | Any) -> NDArray[np.float64]:
        """`values` with the missing ones filled, (rows,) float64."""
        numbers = to_numbers(values)
        return np.where(np.isnan(numbers), self.fill, numbers)

    def encode_one(self, value: Any) -> float:
        """`encode` for one value."""
        number = to_number(value)
        return self.fill if math.isnan(number) else number

    def decode(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """What is filled stays filled: a table remembers which were missing in a category of their own."""
        return np.asarray(values, dtype=np.float64)

    def to_onnx(self, value: Value) -> Value:
        """A column of 64-bit floats with not-a-number and infinite ones filled, (rows,)."""
        return value.where(~value.is_missing(), self.fill)

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {
            "strategy": self.strategy,
            "constant": self.constant,
            "fill": self.fill,
            "had_missing": self.had_missing,
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "FillMissing":
        """The encoder back from `to_json`."""
        form = FORM(form, "fill")
        encoder = cls(form["strategy"], form["constant"])
        encoder.fill, encoder.had_missing = form["fill"], form["had_missing"]
        return encoder


def to_numbers(values: pl.Series | Any) -> NDArray[np.float64]:
    """A column as float64 with not-a-number for what is missing, infinite or no number, (rows,).

    Durations, times and dates become seconds (since midnight, since 1970), whatever unit they are kept in.

    Raises:
        DataError: a column of lists, structures or bytes.
    """
    values = to_column(values)
    dtype = values.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        raise DataError(f"Column {values.name!r} is {dtype}, and not numbers; take it apart first, or leave it out.")
    unit = 1.0
    if dtype == pl.Time:
        values, unit = values.cast(pl.Int64), 1e9
    elif dtype == pl.Duration:
        values, unit = values.cast(pl.Duration("us")).cast(pl.Int64), 1e6
    elif dtype.is_temporal():
        values, unit = values.dt.epoch("us"), 1e6
    elif dtype in (pl.Enum, pl.Categorical):
        values = values.cast(pl.String)
    numbers = values.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy() / unit
    return np.where(np.isfinite(numbers), numbers, np.nan)


def to_number(value: Any) -> float:
    """`to_numbers` for one value, for numbers without building a column."""
    if isinstance(value, float | int | np.floating | np.integer):
        return float(value) if math.isfinite(value) else math.nan
    return math.nan if is_missing(value) else float(to_numbers(to_series([value]))[0])
