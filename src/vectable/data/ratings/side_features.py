"""Side columns of users or items as sparse rows of numbers: categories, numbers, dates and several-valued texts.

Fitted on the training side table, saved with the model, and never failing on a later row: what training never showed
becomes nothing at all, which is what is known of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from vectable.data.encoders.bins import PiecewiseLinearBins
from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.fill_missing import to_numbers
from vectable.data.encoders.kinds import COLUMNS, kind_of
from vectable.data.encoders.recipe import Recipe
from vectable.data.tables.table_encoder import TableEncoder
from vectable.errors import DataError, VectableError, did_you_mean, quote_some, warn

SEPARATOR = "|"
SEVERAL = 0.05  # of the rows with a separator in a text column make it several-valued
BINS = 8  # of a number column
SHARED = 10
"""Rows per value, on average, that "auto" asks of a category: postcodes and dates as text cost more than they add."""
LEAST = 2  # rows that must share a category: what one row alone has says nothing about another


class SideFeatures:
    """Which columns of a side table are taken, and how they are encoded.

    Attributes:
        encoder: of categories, numbers and dates.
        several: vocabularies of the several-valued columns, ``Action|Comedy``.
        kept: features that enough rows have, (features before, ) bool.
        left_out: why a column is not taken, by name.
    """

    def __init__(self) -> None:
        self.encoder = TableEncoder({})
        self.several: dict[str, Categorify] = {}
        self.kept: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self.left_out: dict[str, str] = {}

    @property
    def columns(self) -> list[str]:
        """The columns taken."""
        return [*self.encoder.raw_columns, *self.several]

    def fit(self, table: pl.DataFrame, names: Sequence[str], choose: bool = False) -> "SideFeatures":
        """Decide what the columns `names` of a table are, and learn their values.

        Args:
            choose: leave out ids and categories of which few rows share a value; else all that can be used are taken.
        """
        kinds: dict[str, str] = {}
        for name in names:
            column = table[name]
            if column.drop_nulls().n_unique() < 2:
                self.left_out[name] = "no value at all" if column.null_count() == len(column) else "one value only"
            elif holds_several(column):
                self.several[name] = Categorify().fit(parts_of(column).explode())
            else:
                found = kind_of(column)
                if choose and (why := _tells_little(column, found.kind)):
                    self.left_out[name] = why
                elif found.kind in COLUMNS:
                    kinds[name] = found.kind
                else:
                    self.left_out[name] = found.why
        self.encoder = TableEncoder(kinds, Recipe(bins=PiecewiseLinearBins("quantile", BINS))).fit(table)
        everything = self._encode(table)
        self.kept = np.ones(everything.shape[1], dtype=np.bool_)
        self.kept = np.asarray((everything != 0).sum(axis=0)).ravel() >= LEAST
        for name in self.encoder.names_of("category"):
            values = table[name].drop_nulls()
            if values.n_unique() == len(values):
                self.left_out[name] = "no two rows share a value"
        return self

    def encode(self, table: pl.DataFrame) -> Any:
        """Features of the rows of a table that has the columns, sparse (rows, features)."""
        return self._encode(table)[:, np.flatnonzero(self.kept)].tocsr()

    def encode_one(self, given: Mapping[str, Any], what: str, besides: Sequence[str] = ()) -> NDArray[np.float64]:
        """Features of one row from some of the columns, (features,); what is not given is missing.

        Args:
            besides: other columns that may be given, which somebody else encodes.

        Raises:
            VectableError: a column that the model does not know, with the closest.
        """
        names = [*self.columns, *besides]
        for name in given:
            if name not in names:
                known, hint = quote_some(names, 12) or "none", did_you_mean(name, names)
                raise VectableError(f"The model knows no feature {name!r} of {what}s.{hint} It knows {known}.")
        if not self.columns:
            return np.zeros(0)
        given = {name: value for name, value in given.items() if name not in besides}
        row = pl.DataFrame({name: [_joined(given.get(name))] for name in self.columns}, strict=False)
        unheard = [
            f"{name} {given[name]!r}" for name in given if given[name] is not None and self._is_unheard(row, name)
        ]
        if unheard:
            warn(
                f"{len(unheard):,} of {len(given):,} features of the new {what} have a value that training never "
                f"showed ({', '.join(unheard[:3])}): such a value says nothing."
            )
        return np.asarray(self.encode(row).toarray()[0], dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {
            "encoder": self.encoder.to_json(),
            "several": {name: one.to_json() for name, one in self.several.items()},
            "kept": self.kept.tolist(),
            "left_out": self.left_out,
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "SideFeatures":
        """The encoder back from `to_json`."""
        found = cls()
        found.encoder = TableEncoder.from_json(form["encoder"])
        found.several = {name: Categorify.from_json(one) for name, one in form["several"].items()}
        found.kept, found.left_out = np.array(form["kept"], dtype=np.bool_), form["left_out"]
        return found

    def _is_unheard(self, row: pl.DataFrame, name: str) -> bool:
        """Whether the one value of a column is, or holds, nothing that training showed: no such category, no number."""
        if name in self.several:
            return bool((self.several[name].encode(parts_of(row[name]).explode()) == 0).any())
        if name in self.encoder.names_of("number"):
            return not np.isfinite(to_numbers(row[name])).all()
        if name in self.encoder.names_of("date"):
            return False  # one that does not parse is an error
        return self.encoder.categories[name].encode_one(row[name][0]) == 0

    def _encode(self, table: pl.DataFrame) -> Any:
        """All features, before those of too few rows are left out."""
        codes, numbers, _ = self.encoder.encode(table)
        blocks = [
            _indicators(np.arange(len(table)), codes[:, at], len(one), len(table))
            for at, one in enumerate(self.encoder.categories.values())
        ]
        for at, one in enumerate(self.encoder.numbers.values()):
            assert one.bins is not None
            blocks.append(sparse.csr_matrix(one.bins.encode(numbers[:, at].astype(np.float64))))
        for name, vocabulary in self.several.items():
            lists = parts_of(table[name])
            counts = lists.list.len().fill_null(0).to_numpy()
            rows = np.repeat(np.arange(len(table)), counts)
            values = vocabulary.encode(lists.explode(empty_as_null=False, keep_nulls=False))
            share = 1 / np.sqrt(np.maximum(counts, 1))[rows]
            blocks.append(_indicators(rows, values, len(vocabulary), len(table), share))
        return sparse.hstack(blocks, format="csr") if blocks else sparse.csr_matrix((len(table), 0))


def history(rows: NDArray[np.int32], others: NDArray[np.int32], n_rows: int, n_others: int) -> Any:
    """Whom each row was rated with in training, divided by the root of their number: sparse (rows, others).

    Args:
        rows, others: codes of the training pairs, from 1 on.
    """
    ones = np.ones(len(rows), dtype=np.float64)
    pairs = sparse.csr_matrix((ones, (rows - 1, others - 1)), shape=(n_rows, n_others))
    pairs.data[:] = 1.0  # rated twice is rated
    roots = np.sqrt(np.maximum(np.diff(pairs.indptr), 1))
    return sparse.diags(1 / roots) @ pairs


def history_of(others: NDArray[np.int32], n_others: int) -> NDArray[np.float64]:
    """`history` of one new row, (others,); those that training did not know are left out."""
    row = np.zeros(n_others)
    known = np.unique(others[others <= n_others]) - 1
    row[known] = 1 / np.sqrt(max(len(known), 1))
    return row


def side_columns(names: str | Iterable[str] | None, table: pl.DataFrame | None, never: Iterable[str]) -> list[str]:
    """Which columns of a side table are asked for: all but `never` with "auto", none with None.

    Raises:
        DataError: a column named that the table does not have is reported by the caller, who knows both tables.
    """
    if names is None or table is None:
        return []
    if isinstance(names, str) and names == "auto":
        return [name for name in table.columns if name not in set(never)]
    if isinstance(names, str):
        raise DataError(f"features must be 'auto', None, or a list of columns of the side tables; got {names!r}.")
    return [name for name in names if name in table.columns and name not in set(never)]


def _tells_little(column: pl.Series, kind: str) -> str | None:
    """Why a column is not taken unasked, or None."""
    values = column.drop_nulls()
    if kind == "number" and column.dtype.is_integer() and values.n_unique() == len(values):
        return "a number for each row, as an id"
    if kind == "category" and len(values) < SHARED * values.n_unique():
        return f"{values.n_unique():,} values for {len(values):,} rows"
    return None


def holds_several(column: pl.Series) -> bool:
    """Whether a column has several values per row: lists, or texts with a separator."""
    if column.dtype == pl.List(pl.String):
        return True
    if column.dtype != pl.String:
        return False
    known = column.drop_nulls()
    return len(known) > 0 and known.str.contains(SEPARATOR, literal=True).sum() >= SEVERAL * len(known)


def parts_of(column: pl.Series) -> pl.Series:
    """The values of each row, a list a row."""
    if column.dtype == pl.List(pl.String):
        return column
    return column.cast(pl.String).str.split(SEPARATOR)


def _joined(value: Any) -> Any:
    """A list of values as the text that the side table would have had."""
    return SEPARATOR.join(map(str, value)) if isinstance(value, list | tuple | set) else value


def _indicators(
    rows: NDArray[Any], codes: NDArray[np.int32], n_codes: int, n_rows: int, share: NDArray[np.float64] | None = None
) -> Any:
    """A feature a code, 1 (or its share) where a row has it; the unknown has none."""
    known = codes > 0
    values = np.ones(len(codes)) if share is None else share
    place = (rows[known], codes[known] - 1)
    return sparse.csr_matrix((values[known], place), shape=(n_rows, n_codes - 1))
