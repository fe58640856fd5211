"""Named tables of mixed columns that come with the package, each with the column that is usually predicted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from vectable.data.sets.shipped_files import read_shipped

if TYPE_CHECKING:
    from vectable.data.tables.table_data import TableData

TRAIN, TEST = "train", "test"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class TableInfo:
    """What is known of a named table before it is loaded.

    Attributes:
        name: for `vectable.datasets.load`.
        about: one line.
        rows, columns: how many, the target among the columns.
        licence, source: as in `TableSet`.
        shipped: whether it comes with the package: all do.
    """

    name: str
    about: str
    rows: int
    columns: int
    licence: str
    source: str
    shipped: bool = True

    def __str__(self) -> str:
        """A paragraph for people."""
        counts = f"{self.rows:,} rows, {self.columns} columns"
        return (
            f"{self.name}: {self.about} ({counts}). Comes with the package. Licence: {self.licence}. "
            f"Source: {self.source}."
        )


@dataclass(frozen=True, eq=False, repr=False)
class TableSet:
    """A table with the column that is usually predicted, and smaller tables that go with it.

    Attributes:
        name: as `vectable.datasets.load` knows it.
        table: a row an example.
        target: name of the column to predict.
        cat_names, cont_names: the columns to predict from, or None: all, by the rule of kinds.
        split: name of the column that says "train" or "test" where the set comes split, else None.
        more: other tables, by name.
        licence: under which the data may be used.
        source: whom to name, and where the data comes from.
    """

    name: str
    table: pl.DataFrame
    target: str
    cat_names: Sequence[str] | None = None
    cont_names: Sequence[str] | None = None
    split: str | None = None
    more: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    licence: str = ""
    source: str = ""

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by name, the main one first."""
        return {self.name: self.table, **self.more}

    @property
    def train(self) -> pl.DataFrame:
        """The training rows without the column that marks them; all rows where the set does not come split."""
        return self._part(TRAIN)

    @property
    def test(self) -> pl.DataFrame:
        """The test rows without the column that marks them; none where the set does not come split."""
        return self._part(TEST)

    def to_data(
        self, target: str | Sequence[str] | None = None, valid_pct: float = 0.2, seed: int = 42, **how: Any
    ) -> "TableData":
        """Split and encode the training rows, as `TableData.from_df` does; test rows are never among them.

        Args:
            target: another column to predict, or several.
            valid_pct: share of the training rows held out, 0 to 1.
            seed: of the split.
            how: further arguments of `from_df`.
        """
        from vectable.data.tables.table_data import TableData

        wanted = target or self.target
        targets = [wanted] if isinstance(wanted, str) else wanted
        arguments: dict[str, Any] = {
            "cat_names": _less(self.cat_names, targets),
            "cont_names": _less(self.cont_names, targets),
            "valid_pct": valid_pct,
            "seed": seed,
        }
        return TableData.from_df(self.train, wanted, **(arguments | how))

    def without(self, columns: Sequence[str]) -> "TableSet":
        """The same set, some of its columns left out."""
        cats, conts = _less(self.cat_names, columns), _less(self.cont_names, columns)
        return replace(self, table=self.table.drop(columns), cat_names=cats, cont_names=conts)

    def _part(self, which: str) -> pl.DataFrame:
        if self.split is None:
            return self.table if which == TRAIN else self.table.clear()
        return self.table.filter(pl.col(self.split) == which).drop(self.split)

    def __repr__(self) -> str:
        """Name, counts, target, licence."""
        parts = "" if self.split is None else f", {len(self.test):,} of them for testing"
        beside = f"; with it {', '.join(self.more)}" if self.more else ""
        return (
            f"TableSet({self.name!r}: {len(self.table):,} rows{parts}, {self.table.width} columns, target "
            f"{self.target!r}{beside}; {self.licence.split(';')[0]})"
        )


def _less(names: Sequence[str] | None, columns: Sequence[str]) -> list[str] | None:
    """The names that are not among `columns`; None for all."""
    return None if names is None else [name for name in names if name not in columns]


def _adult(known: TableInfo) -> TableSet:
    return TableSet(
        name=known.name,
        table=read_shipped("adult", "adult.parquet"),
        target="salary",
        split="split",
        licence=known.licence,
        source=known.source,
    )


def _flights(known: TableInfo) -> TableSet:
    flights = read_shipped("flights", "flights.parquet").sort("month", "day", "hour", maintain_order=True)
    names = pl.col("weekday").replace_strict(dict(enumerate(WEEKDAYS)), return_dtype=pl.Enum(WEEKDAYS))
    return TableSet(
        name=known.name,
        table=flights.with_columns(names),
        target="air_time",
        cat_names=["origin", "dest", "carrier", "month", "weekday", "hour"],
        cont_names=[],
        more={name: read_shipped("flights", f"{name}.parquet") for name in ("airports", "airlines")},
        licence=known.licence,
        source=known.source,
    )


TABLES: dict[str, tuple[TableInfo, Callable[[TableInfo], TableSet]]] = {
    "adult": (
        TableInfo(
            "adult",
            "people of the 1994 census of the United States, and whether they earned more than 50,000 dollars",
            48_842,
            15,
            "CC BY 4.0; the licence covers the data files only",
            "Barry Becker and Ronny Kohavi, Adult, UCI Machine Learning Repository, 1996, doi 10.24432/C5XW20",
        ),
        _adult,
    ),
    "flights": (
        TableInfo(
            "flights",
            "flights that left New York City in 2013, a sample of nycflights13, with their airports and airlines",
            140_000,
            10,
            "CC0 1.0",
            "Hadley Wickham, nycflights13, https://github.com/tidyverse/nycflights13, from data of the Bureau of "
            "Transportation Statistics; sampled",
        ),
        _flights,
    ),
}
"""What is known of each, and what reads it."""
