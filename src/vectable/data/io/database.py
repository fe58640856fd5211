"""A connection to a database: queries and tables travel as blocks of Arrow, never a row at a time."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from typing import Any

import polars as pl

from vectable.data.io.database_address import DatabaseAddress
from vectable.data.io.forks import polars_threads
from vectable.data.io.wording import first_line
from vectable.errors import DataError, VectableError

_REFUSED = {
    "password authentication failed": "the server refuses the user's name or password",
    "no password supplied": "the server asks for a password; set PGPASSWORD, or name it in the address",
    "Connection refused": "no server answers there; see whether it runs, and on which port",
    "could not translate host name": "there is no host of that name",
    "timeout expired": "the server does not answer in time",
    "does not exist": "the server knows no such database or user",
}
"""What the driver says where a connection fails, and what that means."""

SQLITE_TYPES_FROM = 65_536  # rows: SQLite's columns have the types of the values that the first block holds


class Database:
    """An open connection with one transaction that ends with `commit`, or is undone when the connection closes.

    Args:
        address: where it is.
        manager: the module of the driver manager.
        connection: of that module.
    """

    def __init__(self, address: DatabaseAddress, manager: Any, connection: Any) -> None:
        self.address, self._manager, self._connection = address, manager, connection

    def read(self, query: str) -> pl.DataFrame:
        """The rows of a query, block by block into one frame.

        Raises:
            DataError: the database refuses the query, or its rows cannot be read.
        """
        polars_threads.check()
        options = {"adbc.sqlite.query.batch_rows": str(SQLITE_TYPES_FROM)} if self.address.driver == "sqlite" else {}
        with self._told("The query"), self._statement(**options) as statement:
            statement.set_sql_query(query)
            stream, _ = statement.execute_query()
            return pl.DataFrame(stream)

    def run(self, command: str) -> None:
        """Run a command that gives no rows.

        Raises:
            DataError: the database refuses it.
        """
        with self._told("The command"), self._statement() as statement:
            statement.set_sql_query(command)
            statement.execute_update()

    def append(self, frame: pl.DataFrame, table: str, schema: str | None = None, create: bool = False) -> None:
        """Add the rows of a frame to a table, which is made of the frame's columns first where `create` says so.

        Raises:
            DataError: the database refuses it.
        """
        mode = "create" if create else "append"
        options = {"adbc.ingest.target_table": table, "adbc.ingest.mode": f"adbc.ingest.mode.{mode}"}
        if schema is not None:
            options["adbc.ingest.target_db_schema"] = schema
        with self._told(f"The table {table!r}"), self._statement(**options) as statement:
            statement.bind_stream(frame)
            statement.execute_update()

    def commit(self) -> None:
        """Let everything since the connection was opened take effect at once.

        Raises:
            DataError: the database refuses it.
        """
        with self._told("The transaction"):
            self._connection.commit()

    @contextmanager
    def _statement(self, **options: str) -> Iterator[Any]:
        with closing(self._manager.AdbcStatement(self._connection)) as statement:
            statement.set_options(**options)
            yield statement

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """The errors of the driver, and of the frame that its blocks become, as one sentence."""
        try:
            yield
        except pl.exceptions.DuplicateError as problem:
            raise DataError(f"{what} gives two columns one name: {first_line(problem)}; name them with AS.") from None
        except (self._manager.Error, pl.exceptions.PolarsError) as problem:
            raise DataError(f"{what} failed at {self.address.shown}: {_words_of(problem)}.") from None
        except pl.exceptions.PanicException:
            raise DataError(f"{what} gives a column of a type that has no counterpart here; cast it to text.") from None


@contextmanager
def connected(address: DatabaseAddress, writes: bool = False) -> Iterator[Database]:
    """A connection, closed afterwards; what was not committed is undone.

    Args:
        writes: False for a connection that cannot change anything.

    Raises:
        VectableError: the extra `sql` is not installed.
        DataError: the database cannot be reached; the sentence never holds a password.
    """
    manager, driver = _drivers(address.driver)
    try:
        database = manager.AdbcDatabase(driver=driver, uri=address.text)
    except manager.Error as problem:
        raise _unreachable(address, problem) from None
    with closing(database):
        try:
            connection = manager.AdbcConnection(database)
        except manager.Error as problem:
            raise _unreachable(address, problem) from None
        with closing(connection):
            connection.set_autocommit(False)
            opened = Database(address, manager, connection)
            if not writes and address.driver == "postgresql":
                opened.run("SET TRANSACTION READ ONLY")
            yield opened


def _drivers(name: str) -> tuple[Any, str]:
    """The driver manager, and the path of the driver of a kind of database."""
    try:
        manager, driver = import_module("adbc_driver_manager"), import_module(f"adbc_driver_{name}")
    except ImportError as problem:
        raise VectableError(
            f"Databases need the package {problem.name!r}, which is not installed: pip install 'vectable[sql]'."
        ) from None
    return manager, driver._driver_path()  # noqa: SLF001 - the driver has no public name for it without pyarrow


def _unreachable(address: DatabaseAddress, problem: Exception) -> DataError:
    """Only what is known to hold no part of the address is given in the driver's words."""
    said = str(problem)
    why = next((meaning for words, meaning in _REFUSED.items() if words in said), "the driver cannot open it")
    return DataError(f"The database {address.shown} cannot be reached: {why}.")


def _words_of(problem: BaseException) -> str:
    """What the database itself says, without the drivers' words around it."""
    said = str(problem)
    said = said.rpartition("ERROR:")[2] if "ERROR:" in said else said
    line = (said.strip().splitlines() or [type(problem).__name__])[0]
    line = re.sub(r"^(got external error: )?([A-Z_]+: )?(\[\w+\] )?(Failed to \w+ query: )?", "", line)
    hint = "; cast it to one type in the query" if "Type mismatch in column" in line else ""
    return line.rstrip(". ") + hint
