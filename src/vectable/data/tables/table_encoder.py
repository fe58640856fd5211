"""From the columns of a raw table to the two blocks of numbers a net takes: category codes and numbers.

The encoder is fitted on training rows, saved with the model, and never fails on a later row: an unknown category, a
hole where training had none, an extra or reordered column are handled and counted. Only a column that is not there at
all is an error.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.bins import PiecewiseLinearBins
from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.dates import CATEGORIES as DATE_CATEGORIES
from vectable.data.encoders.dates import NUMBERS as DATE_NUMBERS
from vectable.data.encoders.dates import date_parts, to_datetimes
from vectable.data.encoders.fill_missing import FillMissing, to_numbers
from vectable.data.encoders.normalize import Normalize
from vectable.data.encoders.weighted import weighted_mean_std
from vectable.data.io.frames import to_series
from vectable.errors import require_columns

if TYPE_CHECKING:
    from vectable.data.io.parquet_table import ParquetTable

NA = "_na"
FEW = 4  # rows encoded value by value, which for so few is quicker than column by column


@dataclass
class Drift:
    """What new rows held that training never showed, counted by column.

    Attributes:
        rows: looked at.
        unknown: categories never seen.
        missing: holes in columns that had none.
        beyond: numbers outside the training range.
    """

    rows: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    beyond: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.unknown or self.missing)

    def __str__(self) -> str:
        parts = []
        for what, counts in (
            ("values that training never showed", self.unknown),
            ("holes where it had none", self.missing),
        ):
            if counts:
                parts.append(f"{what}: " + ", ".join(f"{count:,} in {name!r}" for name, count in counts.items()))
        return f"Of {self.rows:,} rows, " + "; ".join(parts) if parts else f"{self.rows:,} rows like those of training"


@dataclass
class NumberColumn:
    """Encoders of one number column, and the range that training showed."""

    fill: FillMissing
    scale: Normalize
    low: float = -np.inf
    high: float = np.inf
    bins: PiecewiseLinearBins | None = None


class TableEncoder:
    """Which columns there are, and the fitted encoders of each.

    Attributes:
        categories: by column, in order; derived ones (``<number>_na``, parts of dates) among them.
        numbers: by column, in order; derived ones (parts of dates) among them.
        dates: columns that are taken apart.
        with_holes: category columns in which training rows were missing.
    """

    def __init__(self, cat_names: Sequence[str], cont_names: Sequence[str], date_names: Sequence[str] = ()) -> None:
        self.cat_names, self.cont_names, self.dates = list(cat_names), list(cont_names), list(date_names)
        self.categories: dict[str, Categorify] = {}
        self.numbers: dict[str, NumberColumn] = {}
        self.with_holes: list[str] = []

    @property
    def raw_columns(self) -> list[str]:
        """The columns that a raw table must have."""
        return [*self.cat_names, *self.cont_names, *self.dates]

    def fit(
        self,
        train: "pl.DataFrame | ParquetTable",
        fill: FillMissing | None,
        scale: Normalize | None,
        bins: PiecewiseLinearBins | None = None,
        target: NDArray[Any] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> "TableEncoder":
        """Fit a copy of each encoder on every column it is for.

        Args:
            train: training rows, looked at a column at a time.
            fill, scale, bins: patterns; None leaves that step out (a hole is then the mean, 0 after normalising).
            target: for bins from a tree, (rows,): numbers, or classes as whole numbers.
            weights: (rows,); a row of weight w counts as w rows.
        """
        where = "the training table"
        self.categories = {name: Categorify(missing_slot=True).fit(train[name]) for name in self.cat_names}
        self.with_holes = [name for name in self.cat_names if _has_holes(train[name])]
        self.numbers, memories = {}, {}
        for name in self.cont_names:
            self._fit_number(train[name], fill, scale, bins, target, weights)
        for name in self.dates:
            moments = to_datetimes(train[name], where)
            for part in self._derived(date_parts(moments.dt.date().unique(), where, DATE_CATEGORIES)):
                self.categories[part.name] = Categorify(missing_slot=True).fit(part)
            for part in self._derived(date_parts(moments, where, DATE_NUMBERS)):
                self._fit_number(part, fill, scale, bins, target, weights)
        for name, column in self.numbers.items():
            if fill and column.fill.had_missing and name + NA not in self.categories:
                memories[name + NA] = Categorify(missing_slot=True).fit(pl.Series([False, True]))
        self.categories |= memories
        return self

    def _fit_number(
        self,
        values: pl.Series,
        fill: FillMissing | None,
        scale: Normalize | None,
        bins: PiecewiseLinearBins | None,
        target: NDArray[Any] | None,
        weights: NDArray[np.float64] | None,
    ) -> None:
        """Fit a copy of each encoder on one number column."""
        plain = FillMissing("constant", 0.0 if fill else _mean(values, weights))
        filler = FillMissing(fill.strategy, fill.constant) if fill else plain
        filled = filler.fit(values, weights).encode(values)
        scaler = Normalize(scale.ddof).fit(filled, weights) if scale else Normalize()
        column = NumberColumn(filler, scaler, float(filled.min()), float(filled.max()))
        if bins is not None:
            binned = PiecewiseLinearBins(bins.how, bins.n_bins, bins.min_leaf)
            column.bins = binned.fit(scaler.encode(filled).astype(np.float64), target, weights)
        self.numbers[values.name] = column

    def _derived(self, parts: pl.DataFrame) -> list[pl.Series]:
        """The parts of a date, but for those whose name a raw column has, which is taken instead."""
        return [part for part in parts if part.name not in self.raw_columns]

    def encode(
        self, frame: pl.DataFrame, where: str = "the table"
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], Drift]:
        """Category codes, (rows, categories), numbers, (rows, numbers), and what was new.

        Raises:
            DataError: a column is not there, with its name and the closest.
        """
        require_columns(self.raw_columns, frame.columns, where[0].upper() + where[1:])
        table = self._columns(frame, where)
        drift = Drift(len(frame))
        codes = np.empty((len(frame), len(self.categories)), dtype=np.int32)
        numbers = np.empty((len(frame), len(self.numbers)), dtype=np.float32)
        raws = {name: _numbers_of(table[name]) for name in self.numbers}
        new_holes = set(self.cat_names) - set(self.with_holes)
        for at, (name, categorify) in enumerate(self.categories.items()):
            if self._is_na(name):
                codes[:, at] = 1 + np.isnan(raws[name.removesuffix(NA)])  # the codes of false and true
            else:
                codes[:, at] = _codes_of(categorify, table[name])
            _count(drift.unknown, name, int(np.count_nonzero(codes[:, at] == 0)))
            if name in new_holes:
                _count(drift.missing, name, int(np.count_nonzero(codes[:, at] == categorify.missing_code)))
        for at, (name, column) in enumerate(self.numbers.items()):
            raw = raws[name]
            if not column.fill.had_missing:
                _count(drift.missing, self._raw_name(name), int(np.isnan(raw).sum()))
            _count(drift.beyond, name, int(((raw < column.low) | (raw > column.high)).sum()))
            numbers[:, at] = column.scale.encode(np.where(np.isnan(raw), column.fill.fill, raw))
        return codes, numbers, drift

    def encode_row(self, row: Mapping[str, Any]) -> tuple[NDArray[np.int32], NDArray[np.float32], Drift]:
        """`encode` for one row as a mapping from columns to values, mostly without building a table.

        Raises:
            DataError: a column is not there.
        """
        require_columns(self.raw_columns, row, "The row")
        if self.dates:
            return self.encode(pl.DataFrame([to_series([row[name]], name) for name in self.raw_columns]), "the row")
        drift = Drift(1)
        codes = np.empty((1, len(self.categories)), dtype=np.int32)
        numbers = np.empty((1, len(self.numbers)), dtype=np.float32)
        raws = {name: _number_of(row[name]) for name in self.numbers}
        for at, (name, categorify) in enumerate(self.categories.items()):
            if self._is_na(name):
                codes[0, at] = 1 + math.isnan(raws[name.removesuffix(NA)])
            else:
                codes[0, at] = code = categorify.encode_one(row[name])
                _count(drift.unknown, name, int(code == 0))
                _count(drift.missing, name, int(code == categorify.missing_code and name not in self.with_holes))
        for at, (name, column) in enumerate(self.numbers.items()):
            raw, is_hole = raws[name], math.isnan(raws[name])
            _count(drift.missing, name, int(is_hole and not column.fill.had_missing))
            _count(drift.beyond, name, int(raw < column.low or raw > column.high))
            value = column.fill.fill if is_hole else raw
            numbers[0, at] = column.scale.encode_one(value)
        return codes, numbers, drift

    def decode(self, codes: NDArray[np.int32], numbers: NDArray[np.float32]) -> pl.DataFrame:
        """The raw columns of encoded rows, (rows, categories) and (rows, numbers); dates to the minute, numbers without
        the digits that 32 bits do not hold.

        What was unknown or missing is missing, what was filled is missing where a category remembers it.
        """
        categories = {name: one.decode(codes[:, at]) for at, (name, one) in enumerate(self.categories.items())}
        values = {
            name: pl.Series(_rounded(one.scale.decode(numbers[:, at]), one.scale.std))
            for at, (name, one) in enumerate(self.numbers.items())
        }
        for name in [name for name in categories if self._is_na(name)]:
            column = values[name.removesuffix(NA)]
            values[name.removesuffix(NA)] = column.set(categories[name] == "true", None)
        for name in self.dates:
            seconds = values.get(f"{name}_elapsed", pl.Series([None] * len(codes), dtype=pl.Float64))
            values[name] = ((seconds / 60).round() * 60e6).cast(pl.Int64).cast(pl.Datetime("us"))
        return pl.DataFrame([(categories | values)[name].alias(name) for name in self.raw_columns])

    def borders(self) -> list[list[float]]:
        """Borders of each number column's bins, in normalised units; none where there are none."""
        return [[] if column.bins is None else column.bins.borders.tolist() for column in self.numbers.values()]

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {
            "cat_names": self.cat_names,
            "cont_names": self.cont_names,
            "dates": self.dates,
            "with_holes": self.with_holes,
            "categories": {name: one.to_json() for name, one in self.categories.items()},
            "numbers": {
                name: {
                    "fill": one.fill.to_json(),
                    "scale": one.scale.to_json(),
                    "low": one.low,
                    "high": one.high,
                    "bins": None if one.bins is None else one.bins.to_json(),
                }
                for name, one in self.numbers.items()
            },
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "TableEncoder":
        """The encoder back from `to_json`."""
        encoder = cls(form["cat_names"], form["cont_names"], form["dates"])
        encoder.with_holes = form["with_holes"]
        encoder.categories = {name: Categorify.from_json(one) for name, one in form["categories"].items()}
        for name, one in form["numbers"].items():
            bins = None if one["bins"] is None else PiecewiseLinearBins.from_json(one["bins"])
            fill, scale = FillMissing.from_json(one["fill"]), Normalize.from_json(one["scale"])
            encoder.numbers[name] = NumberColumn(fill, scale, one["low"], one["high"], bins)
        return encoder

    def _raw_name(self, name: str) -> str:
        """The column that a number column comes from: itself, or the date that it is a part of."""
        if name in self.cont_names:
            return name
        return next(date for date in self.dates if name in {f"{date}_{part}" for part in DATE_NUMBERS})

    def _is_na(self, name: str) -> bool:
        """Whether a category column is the memory of a number column's holes."""
        return name not in self.cat_names and name.endswith(NA) and name.removesuffix(NA) in self.numbers

    def _columns(self, frame: pl.DataFrame, where: str) -> dict[str, pl.Series]:
        """The raw columns and the parts of the dates, by name; no frame, which to make takes longer than a few rows."""
        parts = [part for name in self.dates for part in self._derived(date_parts(frame[name], where))]
        return {one.name: one for one in [*(frame[name] for name in self.raw_columns), *parts]}


def _count(counts: dict[str, int], name: str, number: int) -> None:
    if number:
        counts[name] = number


def _rounded(values: NDArray[np.float64], std: float) -> NDArray[np.float64]:
    """Normalised 32-bit numbers, decoded, less the digits that come from their being 32-bit."""
    return np.asarray(np.round(values, 6 - math.floor(math.log10(std))) + 0.0)  # no minus before a zero


def _has_holes(values: pl.Series) -> bool:
    """Whether a value is missing; not a number counts as missing."""
    return values.null_count() > 0 or (values.dtype.is_float() and bool(values.is_nan().any()))


def _mean(values: pl.Series, weights: NDArray[np.float64] | None) -> float:
    """Mean of what is known; 0 where nothing is."""
    numbers = to_numbers(values)
    known = ~np.isnan(numbers)
    return weighted_mean_std(numbers[known], None if weights is None else weights[known])[0] if known.any() else 0.0


def _codes_of(categorify: Categorify, values: pl.Series) -> NDArray[np.int32]:
    """`Categorify.encode`, a few values of the simple types one by one."""
    if len(values) > FEW or values.dtype not in (pl.String, pl.Int64, pl.Enum):
        return categorify.encode(values)
    return np.array([categorify.encode_one(value) for value in values.to_list()], dtype=np.int32)


def _numbers_of(values: pl.Series) -> NDArray[np.float64]:
    """`to_numbers`, a few values of the simple types one by one."""
    if len(values) > FEW or values.dtype not in (pl.Float64, pl.Int64):
        return to_numbers(values)
    return np.array([_number_of(value) for value in values.to_list()], dtype=np.float64)


def _number_of(value: Any) -> float:
    """`to_numbers` for one value."""
    if value is None:
        return math.nan
    if isinstance(value, float | int | np.floating | np.integer):
        return float(value) if math.isfinite(value) else math.nan
    return float(to_numbers(to_series([value]))[0])
