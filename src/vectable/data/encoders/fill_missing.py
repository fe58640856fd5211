"""Filling holes in numbers, and remembering where they were."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.weighted import weighted_mode, weighted_quantile
from vectable.data.io.frames import to_column
from vectable.errors import DataError, require

STRATEGIES = ("median", "most_common", "constant")


class FillMissing:
    """A number for every hole: the median or most common training value, or a constant.

    Args:
        strategy: "median", "most_common" or "constant".
        constant: what a hole becomes under "constant".

    Attributes:
        fill: the number, after `fit`; 0 for a column that is all holes.
        had_missing: whether the training rows had holes: then a table gains a category ``<column>_na``.
    """

    def __init__(self, strategy: str = "median", constant: float = 0.0) -> None:
        require(strategy in STRATEGIES, f"strategy is {strategy!r}; it is one of {list(STRATEGIES)}.")
        self.strategy, self.constant = strategy, float(constant)
        self.fill, self.had_missing = float(constant), False

    def fit(self, values: pl.Series | Any, weights: NDArray[np.float64] | None = None) -> "FillMissing":
        """Learn the number from `values`, (rows,), of polars, pandas or pyarrow; a row of weight w counts as w rows."""
        numbers = to_numbers(values)
        known = ~np.isnan(numbers)
        self.had_missing = not known.all()
        kept = None if weights is None else weights[known]
        if self.strategy != "constant" and known.any():
            middle = self.strategy == "median"
            self.fill = weighted_quantile(numbers[known], 0.5, kept) if middle else weighted_mode(numbers[known], kept)
        return self

    def encode(self, values: pl.Series | Any) -> NDArray[np.float64]:
        """`values` with the holes filled, (rows,) float64."""
        numbers = to_numbers(values)
        return np.where(np.isnan(numbers), self.fill, numbers)

    def decode(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """What is filled stays filled: the holes are remembered by the category beside the column."""
        return np.asarray(values, dtype=np.float64)

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
