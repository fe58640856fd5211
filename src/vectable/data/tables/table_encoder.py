"""From the columns of a raw table to the two blocks of numbers that a net takes: category codes and numbers.

A table encoder is an ordered set of column encoders. It is fitted on training rows, saved with the model, and never
fails on a later row: an unknown category, a missing value where training had none, an extra or reordered column are
handled and counted. Only a column that is not there at all is an error.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.column_encoder import ColumnBlock
from vectable.data.encoders.graph import Graph, Value
from vectable.data.encoders.kinds import COLUMNS, Kind, column_from_json, column_to_json, new_column
from vectable.data.encoders.number_text import NumberText
from vectable.data.encoders.outputs import NumberOutput
from vectable.data.encoders.recipe import Recipe
from vectable.data.encoders.table_column import TableColumn
from vectable.data.tables.drift import Drift
from vectable.data.tables.older_encoder import columns_of_older_form
from vectable.errors import require_columns
from vectable.folder_schema import list_of, mapping, record, wrong

if TYPE_CHECKING:
    from vectable.data.io.parquet_table import ParquetTable

COLUMNS_FORM = record(columns=list_of(mapping))  # as it is saved

Codes = NDArray[np.int32]
Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Places:
    """Where the outputs of a column stand in the two blocks.

    Attributes:
        categories: names of the category outputs.
        codes, numbers: places of its category and number outputs.
    """

    categories: list[str]
    codes: list[int]
    numbers: list[int]

    @classmethod
    def of(cls, column: TableColumn, code_at: Mapping[str, int], number_at: Mapping[str, int]) -> "Places":
        """The places of a column's outputs, by the place of every output."""
        outputs = column.outputs
        names = list(outputs.categories)
        return cls(names, [code_at[name] for name in names], [number_at[name] for name in outputs.numbers])


class TableEncoder:
    """The fitted encoder of every column.

    Args:
        kinds: the kind of each raw column by its name, a key of `vectable.data.encoders.kinds.COLUMNS` or a `Kind`
            with how its text is read; columns of one kind stand together.
        recipe: how number columns are encoded.

    Attributes:
        columns: the encoders by raw column, in order.
        categories: the vocabulary of each category output, in order: the categories, the parts of dates, then the
            memories of missing numbers.
        numbers: the encoder of each number output, in order.
    """

    def __init__(self, kinds: Mapping[str, str | Kind], recipe: Recipe | None = None) -> None:
        places = {kind: at for at, kind in enumerate(COLUMNS)}
        by_kind = sorted(kinds.items(), key=lambda one: places[one[1] if isinstance(one[1], str) else one[1].kind])
        pattern, taken = recipe or Recipe(), frozenset(kinds)
        self._hold(new_column(kind, name, pattern, taken) for name, kind in by_kind)

    @property
    def raw_columns(self) -> list[str]:
        """The columns that a raw table must have."""
        return list(self.columns)

    def names_of(self, kind: str) -> list[str]:
        """The raw columns of a kind."""
        return [name for name, column in self.columns.items() if column.kind == kind]

    @property
    def decimal(self) -> str:
        """The decimal sign that numbers written as text have in raw tables, "." or ","."""
        texts = [getattr(column, "text", None) for column in self.columns.values()]
        return "," if any(isinstance(text, NumberText) and text.decimal == "," for text in texts) else "."

    def fit(
        self,
        train: "pl.DataFrame | ParquetTable",
        target: NDArray[Any] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> "TableEncoder":
        """Fit the encoder of every column.

        Args:
            train: training rows, looked at a column at a time.
            target: for bins from a tree, (rows,): numbers, or classes as whole numbers.
            weights: (rows,); a row of weight w counts as w rows.
        """
        for name, column in self.columns.items():
            column.fit(train[name], target=target, weights=weights)
        self._hold(self.columns.values())
        return self

    def places(self, name: str) -> Places:
        """Where the outputs of a raw column stand in the encoded blocks."""
        return self._places[name]

    def encode(self, frame: pl.DataFrame, where: str = "the table") -> tuple[Codes, Numbers, Drift]:
        """Category codes, (rows, categories), numbers, (rows, numbers), and what was new.

        Raises:
            DataError: a column is not there, with its name and the closest.
        """
        require_columns(self.columns, frame.columns, where[0].upper() + where[1:])
        given = {series.name: series for series in frame.get_columns()}
        drift = Drift(len(frame))
        codes = np.empty((len(frame), len(self.categories)), dtype=np.int32)
        numbers = np.empty((len(frame), len(self.numbers)), dtype=np.float32)
        for name, column in self.columns.items():
            block, places = column.encode(given[name]), self._places[name]
            for output, to, one in zip(places.categories, places.codes, block.codes, strict=True):
                codes[:, to] = one
                _count(drift.unknown, output, int(np.count_nonzero(one == 0)))
            for to, number in zip(places.numbers, block.numbers, strict=True):
                numbers[:, to] = number
            _count(drift.missing, name, block.new_missing)
            drift.beyond |= block.beyond
        return codes, numbers, drift

    def encode_one(self, row: Mapping[str, Any]) -> tuple[Codes, Numbers, Drift]:
        """`encode` for one row as a mapping from columns to values, mostly without building a table.

        Raises:
            DataError: a column is not there.
        """
        require_columns(self.columns, row, "The row")
        drift = Drift(1)
        codes = np.empty((1, len(self.categories)), dtype=np.int32)
        numbers = np.empty((1, len(self.numbers)), dtype=np.float32)
        for name, column in self.columns.items():
            one, places = column.encode_one(row[name]), self._places[name]
            for output, to, code in zip(places.categories, places.codes, one.codes, strict=True):
                codes[0, to] = code
                _count(drift.unknown, output, int(code == 0))
            for to, number in zip(places.numbers, one.numbers, strict=True):
                numbers[0, to] = number
            _count(drift.missing, name, one.new_missing)
            drift.beyond |= one.beyond
        return codes, numbers, drift

    def decode(self, codes: Codes, numbers: Numbers) -> pl.DataFrame:
        """Encoded rows as a raw table again: what was unknown is missing, and a missing number is so where a category
        remembers it."""
        series = []
        for name, column in self.columns.items():
            places = self._places[name]
            block = ColumnBlock([codes[:, at] for at in places.codes], [numbers[:, at] for at in places.numbers])
            series.append(pl.Series(column.decode(block)).alias(name))
        return pl.DataFrame(series)

    def to_onnx(self, graph: Graph) -> tuple[Value, Value]:
        """`encode` in a graph that takes the raw columns: codes, (rows, categories) int32, and numbers, (rows, numbers)
        float32."""
        codes: dict[int, Value] = {}
        numbers: dict[int, Value] = {}
        for name, column in self.columns.items():
            values = column.to_onnx(graph.input(name, column.describe().dtype))
            places = self._places[name]
            codes |= zip(places.codes, values.codes, strict=True)
            numbers |= zip(places.numbers, values.numbers, strict=True)
        return (
            graph.side_by_side([codes[at] for at in range(len(codes))], "int32"),
            graph.side_by_side([numbers[at] for at in range(len(numbers))], "float32"),
        )

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {"columns": [column_to_json(column) for column in self.columns.values()]}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "TableEncoder":
        """The encoder back from `to_json`, of this version or an earlier one."""
        encoder = cls({})
        forms = COLUMNS_FORM(form, "encoder")["columns"] if "columns" in form else columns_of_older_form(form)
        if len({one.get("name") for one in forms}) < len(forms):
            wrong("encoder.columns", forms, "columns of different names")
        encoder._hold(column_from_json(one) for one in forms)
        return encoder

    def _hold(self, columns: Iterable[TableColumn]) -> None:
        """Keep the encoders, and where in the blocks the outputs of each stand: memories behind all other codes."""
        self.columns = {column.name: column for column in columns}
        each = [column.outputs for column in self.columns.values()]
        found = [(name, one, name in outputs.memories) for outputs in each for name, one in outputs.categories.items()]
        self.categories: dict[str, Categorify] = {name: one for name, one, _ in sorted(found, key=lambda one: one[2])}
        self.numbers: dict[str, NumberOutput] = {n: one for outputs in each for n, one in outputs.numbers.items()}
        code_at = {name: at for at, name in enumerate(self.categories)}
        number_at = {name: at for at, name in enumerate(self.numbers)}
        self._places = {name: Places.of(column, code_at, number_at) for name, column in self.columns.items()}


def _count(counts: dict[str, int], name: str, number: int) -> None:
    if number:
        counts[name] = number
