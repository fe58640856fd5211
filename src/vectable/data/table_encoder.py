"""From the columns of a raw table to the two blocks of numbers a net takes: category codes and numbers.

The encoder is fitted on training rows, saved with the model, and never fails on a later row: an unknown category, a
hole where training had none, an extra or reordered column are handled and counted. Only a column that is not there at
all is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.bins import PiecewiseLinearBins
from vectable.data.categorify import Categorify, as_ids
from vectable.data.dates import CATEGORIES as DATE_CATEGORIES
from vectable.data.dates import date_parts
from vectable.data.fill_missing import FillMissing, to_numbers
from vectable.data.normalize import Normalize
from vectable.errors import require_columns

NA = "_na"


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
    """

    def __init__(self, cat_names: Sequence[str], cont_names: Sequence[str], date_names: Sequence[str] = ()) -> None:
        self.cat_names, self.cont_names, self.dates = list(cat_names), list(cont_names), list(date_names)
        self.categories: dict[str, Categorify] = {}
        self.numbers: dict[str, NumberColumn] = {}

    @property
    def raw_columns(self) -> list[str]:
        """The columns that a raw table must have."""
        return [*self.cat_names, *self.cont_names, *self.dates]

    def fit(
        self,
        train: pl.DataFrame,
        fill: FillMissing | None,
        scale: Normalize | None,
        bins: PiecewiseLinearBins | None = None,
        target: NDArray[Any] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> "TableEncoder":
        """Fit a copy of each encoder on every column it is for.

        Args:
            train: training rows.
            fill, scale, bins: patterns; None leaves that step out (a hole is then 0 after normalising).
            target: for bins from a tree, (rows,): numbers, or classes as whole numbers.
            weights: (rows,); a row of weight w counts as w rows.
        """
        table = self._with_date_parts(train, "the training table")
        parts = [f"{name}_{part}" for name in self.dates for part in DATE_CATEGORIES]
        number_parts = [name for name in table.columns if name not in train.columns and name not in parts]
        self.categories = {name: Categorify(missing_slot=True).fit(table[name]) for name in [*self.cat_names, *parts]}
        for name in [*self.cont_names, *number_parts]:
            values = table[name]
            filler = FillMissing(fill.strategy, fill.constant) if fill else FillMissing("constant")
            filled = filler.fit(values, weights).encode(values)
            scaler = Normalize(scale.ddof).fit(filled, weights) if scale else Normalize()
            column = NumberColumn(filler, scaler, float(filled.min(initial=np.inf)), float(filled.max(initial=-np.inf)))
            if bins is not None:
                binned = PiecewiseLinearBins(bins.how, bins.n_bins, bins.min_leaf)
                column.bins = binned.fit(scaler.encode(filled).astype(np.float64), target, weights)
            self.numbers[name] = column
            if fill and filler.had_missing:
                self.categories[name + NA] = Categorify(missing_slot=True).fit(pl.Series([False, True]))
        return self

    def encode(
        self, frame: pl.DataFrame, where: str = "the table"
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], Drift]:
        """Category codes, (rows, categories), numbers, (rows, numbers), and what was new.

        Raises:
            DataError: a column is not there, with its name and the closest.
        """
        require_columns(self.raw_columns, frame.columns, where[0].upper() + where[1:])
        table = self._with_date_parts(frame, where)
        drift = Drift(len(frame))
        codes = np.empty((len(frame), len(self.categories)), dtype=np.int32)
        numbers = np.empty((len(frame), len(self.numbers)), dtype=np.float32)
        for at, (name, categorify) in enumerate(self.categories.items()):
            values = pl.Series(np.isnan(to_numbers(table[name.removesuffix(NA)]))) if self._is_na(name) else table[name]
            codes[:, at] = categorify.encode(values)
            _count(drift.unknown, name, int(np.count_nonzero(codes[:, at] == 0)))
        for at, (name, column) in enumerate(self.numbers.items()):
            raw = to_numbers(table[name])
            if not column.fill.had_missing:
                _count(drift.missing, name, int(np.isnan(raw).sum()))
            _count(drift.beyond, name, int(((raw < column.low) | (raw > column.high)).sum()))
            numbers[:, at] = column.scale.encode(np.where(np.isnan(raw), column.fill.fill, raw))
        return codes, numbers, drift

    def encode_row(self, row: Mapping[str, Any]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """One row as a mapping from columns to values, without building a table: (1, categories) and (1, numbers).

        Raises:
            DataError: a column is not there.
        """
        require_columns(self.raw_columns, row, "The row")
        if self.dates:
            codes, numbers, _ = self.encode(pl.DataFrame([{name: row[name] for name in self.raw_columns}]), "the row")
            return codes, numbers
        codes = np.empty((1, len(self.categories)), dtype=np.int32)
        numbers = np.empty((1, len(self.numbers)), dtype=np.float32)
        for at, (name, categorify) in enumerate(self.categories.items()):
            value = _is_hole(row[name.removesuffix(NA)]) if self._is_na(name) else row[name]
            codes[0, at] = categorify.encode_one(value)
        for at, (name, column) in enumerate(self.numbers.items()):
            value = column.fill.fill if _is_hole(row[name]) else float(row[name])
            numbers[0, at] = (value - column.scale.mean) / (1e-7 + column.scale.std)
        return codes, numbers

    def borders(self) -> list[list[float]]:
        """Borders of each number column's bins, in normalised units; none where there are none."""
        return [[] if column.bins is None else column.bins.borders.tolist() for column in self.numbers.values()]

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {
            "cat_names": self.cat_names,
            "cont_names": self.cont_names,
            "dates": self.dates,
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
        encoder.categories = {name: Categorify.from_json(one) for name, one in form["categories"].items()}
        for name, one in form["numbers"].items():
            bins = None if one["bins"] is None else PiecewiseLinearBins.from_json(one["bins"])
            fill, scale = FillMissing.from_json(one["fill"]), Normalize.from_json(one["scale"])
            encoder.numbers[name] = NumberColumn(fill, scale, one["low"], one["high"], bins)
        return encoder

    def _is_na(self, name: str) -> bool:
        """Whether a category column is the memory of a number column's holes."""
        return name not in self.cat_names and name.endswith(NA) and name.removesuffix(NA) in self.numbers

    def _with_date_parts(self, frame: pl.DataFrame, where: str) -> pl.DataFrame:
        return pl.concat([frame, *(date_parts(frame[name], where) for name in self.dates)], how="horizontal")


def _count(counts: dict[str, int], name: str, number: int) -> None:
    if number:
        counts[name] = number


def _is_hole(value: Any) -> bool:
    if value is None:
        return True
    try:
        return not np.isfinite(float(value))
    except (TypeError, ValueError):
        return True


__all__ = ["Drift", "NumberColumn", "TableEncoder", "as_ids"]
