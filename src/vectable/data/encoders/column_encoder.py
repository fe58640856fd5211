"""What an encoder is: from the values of a column to numbers and back, known once.

`encode` takes a whole column, `encode_one` one value without building a column, and `to_onnx` records the same
calculation for programs without Python. `tests/test_column_encoder.py` holds every encoder to the contract: the three
agree bit for bit for every value, missing and unknown ones among them.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.graph import Value

Encoded = TypeVar("Encoded")
One = TypeVar("One", covariant=True)
Recorded = TypeVar("Recorded", covariant=True)


class ColumnEncoder(Protocol[Encoded, One, Recorded]):
    """Encodes one column.

    `Encoded` is what a column of values becomes, `One` what a value becomes, `Recorded` what it is in a graph.
    """

    def fit(
        self, values: Any, *, target: NDArray[Any] | None = None, weights: NDArray[np.float64] | None = None
    ) -> Self:
        """Learn from the training values, (rows,); itself.

        Args:
            target: what is predicted, (rows,), for encoders that look at it: numbers, or classes as whole numbers.
            weights: (rows,); a row of weight w counts as w rows.
        """

    def encode(self, values: Any) -> Encoded:
        """The column as numbers; what training never showed is encoded as unknown or missing, never refused."""

    def encode_one(self, value: Any) -> One:
        """`encode` for one value."""

    def decode(self, encoded: Encoded) -> pl.Series | NDArray[Any]:
        """The values back, as far as the encoding keeps them apart; missing for what was unknown or missing."""

    def to_json(self) -> dict[str, Any]:
        """The fitted encoder as plain JSON values, from which its `from_json` makes it again."""

    def to_onnx(self, value: Value) -> Recorded:
        """The calculation of `encode`, recorded in the graph of `value`, the column as it is handed in."""


@dataclass(frozen=True)
class ColumnInput:
    """How a column is handed to a graph.

    Attributes:
        kind: the kind of column.
        type: "text", "number" or "seconds since 1970".
        missing: what stands for a missing value.
    """

    kind: str
    type: str
    missing: str

    @property
    def dtype(self) -> Any:
        """The type of the graph's input."""
        return str if self.type == "text" else "float64"


# ---------------------------------------------------------------- columns of a table


@dataclass(frozen=True)
class ColumnBlock:
    """A raw column of a table, encoded.

    Attributes:
        codes: of each of its category outputs, (rows,) int32.
        numbers: of each of its number outputs, (rows,) float32.
        new_missing: number of missing values, where training had none.
        beyond: by number output, the number of values outside the range that training showed.
    """

    codes: list[NDArray[np.int32]] = field(default_factory=list)
    numbers: list[NDArray[np.float32]] = field(default_factory=list)
    new_missing: int = 0
    beyond: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnRow:
    """One value of a raw column, encoded; attributes as those of `ColumnBlock`, a number in place of an array."""

    codes: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    new_missing: int = 0
    beyond: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnValues:
    """A raw column in a graph: its category outputs, int64, and its number outputs, float32."""

    codes: list[Value] = field(default_factory=list)
    numbers: list[Value] = field(default_factory=list)
