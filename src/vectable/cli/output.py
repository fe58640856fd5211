"""What commands print: tables for people, JSON for programs, progress on standard error either way."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from vectable.errors import DataError

if TYPE_CHECKING:
    import polars as pl


def progress_console(quiet: bool = False) -> Console:
    """Where training tells how it goes: standard error, so that standard output stays for results."""
    return Console(stderr=True, quiet=quiet)


def tell(message: str) -> None:
    """A line about what happened, on standard error."""
    print(message, file=sys.stderr)


def make_folder(folder: Path) -> Path:
    """Make a folder to write into, unless it is there.

    Raises:
        DataError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise DataError(f"The folder {str(folder)!r} cannot be made: {problem.strerror or problem}.") from problem
    return folder


def print_json(value: Any) -> None:
    """One JSON document on standard output; a number that is not finite becomes null, a date text."""
    print(json.dumps(_plain(value), ensure_ascii=False, indent=2, default=str))


def print_table(frame: "pl.DataFrame", title: str | None = None) -> None:
    """A table for people: text to the left, as it is, numbers to the right and rounded."""
    console = Console(markup=False, emoji=False, highlight=False)
    if title:
        console.print(title, style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    console.print(table)
    console.print()


def print_frame(frame: "pl.DataFrame", as_json: bool, title: str | None = None) -> None:
    """Rows as JSON objects, or a table."""
    if as_json:
        print_json(frame.to_dicts())
    else:
        print_table(frame, title)


def print_rows(frame: "pl.DataFrame", out: Path | None, as_json: bool) -> None:
    """Rows into a file, as JSON objects, or as CSV."""
    if out is not None:
        write_rows(frame, out)
    elif as_json:
        print_json(frame.to_dicts())
    else:
        print(frame.write_csv(), end="")


def write_rows(frame: "pl.DataFrame", out: Path) -> None:
    """Rows into a file, told."""
    from vectable.data.io.writing import write_table

    write_table(frame, out)
    tell(f"{len(frame):,} rows written to {out}")


def errors_frame(measured: dict[str, Any], name: str = "this model") -> "pl.DataFrame":
    """The model's validation errors and the baselines' in one table, the best first."""
    import polars as pl

    rows = {name: measured, **measured["baselines"]}
    shown = [
        {"": label, "rmse": one["rmse"], "mae": one["mae"], "mse": one["valid_loss"]} for label, one in rows.items()
    ]
    return pl.DataFrame(shown).sort("rmse")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3f}"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def kept_in(folder: Path | None, *part: str) -> dict[str, Any]:
    """The arguments with which a fit goes on from a folder, if one was named, where it was killed."""
    return {} if folder is None else {"checkpoint": folder.joinpath(*part), "resume": True}
