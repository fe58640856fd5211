"""Options that several commands share, each written once: its name, its type and its help."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_model, complete_one_of
from vectable.errors import VectableError, require

if TYPE_CHECKING:
    import polars as pl


def local_folder_of(text: str) -> Path:
    """The folder that an argument names; one at an address is downloaded."""
    from vectable.remote_folder import local_folder

    try:
        return local_folder(text)
    except VectableError as problem:
        raise typer.BadParameter(str(problem)) from None


Model = Annotated[
    Path,
    typer.Argument(
        help="Folder of a saved model, or an address such as hf://user/model.",
        metavar="MODEL",
        autocompletion=complete_model,
        parser=local_folder_of,
    ),
]
ModelFolder = Annotated[Path, typer.Option("--out", "-o", help="Folder to save the model in.")]
OutFile = Annotated[
    Path | None, typer.Option("--out", "-o", help="File to write: .csv, .tsv, .parquet, .arrow or .json.")
]
N = Annotated[int, typer.Option("-n", min=1, help="Number of rows to show.")]
Plots = Annotated[Path | None, typer.Option(help="Folder to draw plots into, as PNG files.")]
Raw = Annotated[
    bool, typer.Option("--raw", help="Show predictions beyond the rating scale as they are, not clipped to it.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

Seed = Annotated[int, typer.Option(help="Random seed for splitting, initialization and batching.")]
ValidPct = Annotated[float, typer.Option(help="Share of the rows held out for validation; in [0, 1).")]
Epochs = Annotated[int, typer.Option(help="Number of passes over the training rows.")]
Lr = Annotated[float, typer.Option("--lr", help="Highest learning rate of the cycle.")]
Wd = Annotated[float, typer.Option(help="Weight decay.")]
Preset = Annotated[
    str,
    typer.Option(
        help="Rules for schedules, optimizer and decay: modern or lesson.",
        autocompletion=complete_one_of("modern", "lesson"),
    ),
]
NModels = Annotated[int, typer.Option("--n-models", help="Number of models averaged at prediction time.")]


@dataclass(frozen=True)
class TextFile:
    """How a text file is read."""

    panel: ClassVar[str] = "Reading the file"

    sep: Annotated[str | None, typer.Option(help="Separator, e.g. ',' or '::' or '\\t'; auto-detected by default.")] = (
        None
    )
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first line is data; name the columns with --columns.")
    ] = False
    columns: Annotated[str | None, typer.Option(help="Names of the columns, separated by commas.")] = None
    encoding: Annotated[str, typer.Option(help="Encoding of a text file: utf-8, latin-1, cp1252, ...")] = "utf-8"
    query: Annotated[
        str | None,
        typer.Option(help="SELECT that gives the rows, where a database is named: postgresql://... or sqlite:///..."),
    ] = None

    def read(self, file: str, **more: Any) -> "pl.DataFrame":
        """The table of a file, or of a query to a database.

        Args:
            file: a path, or the address of a database.
            more: further arguments of `read_table`.

        Raises:
            VectableError: a database without a query, or a query without a database.
        """
        from vectable.data.io.database_address import is_address
        from vectable.data.io.files import read_table

        if is_address(file):
            from vectable.data.io.sql import read_sql

            require(self.query is not None, "A database needs --query 'SELECT ...': which rows to read.")
            return read_sql(file, str(self.query))
        require(self.query is None, "--query asks a database: name one, postgresql://... or sqlite:///file.db.")
        return read_table(file, **self.arguments, **more)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `read_table`."""
        return {
            "sep": self.sep,
            "has_header": False if self.no_header else None,
            "columns": names_in(self.columns),
            "encoding": self.encoding,
        }


def names_in(text: str | None) -> list[str] | None:
    """Names separated by commas; None where the option was not given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def numbers_in(text: str, kind: type, option: str) -> list[Any]:
    """Numbers separated by commas.

    Raises:
        VectableError: one of them is not a number.
    """
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError as problem:
        raise VectableError(f"{option} is {text!r}; give numbers separated by commas.") from problem
