"""A table by a query to a database."""

import json

import polars as pl

from vectable.data.io.database import connected
from vectable.data.io.database_address import parse_address
from vectable.errors import DataError, require


def read_sql(address: str, query: str) -> pl.DataFrame:
    """Read the rows that a query gives, streamed as blocks of Arrow into one frame; nothing is changed there.

    Args:
        address: ``postgresql://user@host:port/database`` or ``sqlite:///file.db``. A password stands in the address or,
            better, in the variable PGPASSWORD or in ~/.pgpass; it is never printed or saved.
        query: one SELECT.

    Returns:
        The table. PostgreSQL's `numeric` becomes 64-bit floats; types that are not known here and are text, as `json`
        is, stay text.

    Raises:
        VectableError: the extra `sql` is not installed.
        DataError: the address is none, the server is not there or refuses the user or the query, there is no row, or a
            column holds bytes.
    """
    require(isinstance(query, str) and bool(query.strip()), "The query is empty; write a SELECT.")
    with connected(parse_address(address)) as database:
        frame = database.read(query)
        where = database.address.shown
    if frame.width == 0:
        raise DataError(f"The query at {where} gives no table; it must be one SELECT.")
    if len(frame) == 0:
        raise DataError(f"The query at {where} gives no rows; its columns are {', '.join(frame.columns)}.")
    return frame.with_columns(_plain(column) for column in frame)


def _plain(column: pl.Series) -> pl.Series:
    """A column of a type that only its database knows by what it is stored as."""
    kind = ""
    if isinstance(column.dtype, pl.BaseExtension):
        kind = json.loads(column.dtype.ext_metadata() or "{}").get("type_name", "")
        column = column.ext.storage()
    if column.dtype == pl.Binary:
        raise DataError(
            f"Column {column.name!r} holds bytes{f' ({kind})' if kind else ''}, as a uuid does; cast it to text in the "
            f"query: CAST({column.name} AS text) AS {column.name}."
        )
    return column.cast(pl.Float64) if kind == "numeric" else column
