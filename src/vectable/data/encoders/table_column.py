"""What a table asks of the encoder of one of its columns, whatever the kind of column."""

from typing import ClassVar, Protocol

from vectable.data.encoders.column_encoder import ColumnBlock, ColumnEncoder, ColumnInput, ColumnRow, ColumnValues
from vectable.data.encoders.outputs import Outputs


class TableColumn(ColumnEncoder[ColumnBlock, ColumnRow, ColumnValues], Protocol):
    """The encoder of a raw column, which becomes some category outputs and some number outputs.

    Made from a name, a `Recipe` and the names that other columns have; from JSON by ``from_json``.
    """

    kind: ClassVar[str]
    name: str

    @property
    def outputs(self) -> Outputs:
        """What the column becomes, after `fit`."""

    def describe(self) -> ColumnInput:
        """How a graph takes the column."""

    def summary(self) -> str:
        """What training showed, in a few words."""
