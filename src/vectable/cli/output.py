"""What commands print: tables for people and JSON for programs on standard output, the rest on standard error."""

import json
import math
import os
import sys
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.table import Table

from vectable.errors import DataError

if TYPE_CHECKING:
    import polars as pl


def progress_console(quiet: bool = False) -> Console:
    """The console that training reports on: standard error, so that standard output stays for results.

    In a terminal a live bar; in a pipe, and where NO_COLOR is set, one line per epoch without control characters.
    """
    return _console(sys.stderr, quiet)


def report(message: str) -> None:
    """A line about what happened, on standard error."""
    print(message, file=sys.stderr)


def make_folder(folder: Path) -> Path:
    """Make a folder to write into, unless it exists.

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
    print(json.dumps(_plain(value), ensure_ascii=False, indent=2, default=_other))


def print_table(frame: "pl.DataFrame", title: str | None = None) -> None:
    """A table for people: text to the left, as it is, numbers to the right and rounded."""
    console = _console(sys.stdout)
    if title:
        console.print(title, style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    console.print(table)
    console.print()


def print_text(text: str) -> None:
    """A paragraph for people, as wide as the screen, with a blank line after it."""
    _console(sys.stdout).print(text + "\n")


def print_lines(frame: "pl.DataFrame") -> None:
    """A table of texts, one line per row; the last column ends where the screen ends, at a word."""
    *others, last = ([column.name, *column] for column in frame)
    widths = [max(map(len, column)) + 2 for column in others]
    room = max(_console(sys.stdout).width - sum(widths), 12)
    for *cells, about in zip(*others, last, strict=True):
        start = "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        print(start + shorten(about, room, placeholder=" ..."))


def print_frame(frame: "pl.DataFrame", as_json: bool, title: str | None = None) -> None:
    """Rows as JSON objects, or a table."""
    if as_json:
        print_json(frame.to_dicts())
    else:
        print_table(frame, title)


def print_or_write(frame: "pl.DataFrame", out: Path | None, as_json: bool, title: str) -> None:
    """Rows into a file where one is named, else as JSON objects or a table."""
    if out is not None:
        write_rows(frame, out)
    else:
        print_frame(frame, as_json, title)


def print_rows(frame: "pl.DataFrame", out: Path | None, as_json: bool) -> None:
    """Rows into a file, as JSON objects, or as CSV."""
    if out is not None:
        write_rows(frame, out)
    elif as_json:
        print_json(frame.to_dicts())
    else:
        print(frame.write_csv(), end="")


def print_paths(paths: list[Path], as_json: bool) -> None:
    """The files that were written, one per line or as JSON."""
    if as_json:
        print_json({"written": [str(path) for path in paths]})
    else:
        for path in paths:
            print(path)


def write_rows(frame: "pl.DataFrame", out: Path) -> None:
    """Rows into a file, with a line that reports it."""
    from vectable.data.io.writing import write_table

    write_table(frame, out)
    report(f"{len(frame):,} rows written to {out}")


def _console(stream: TextIO, quiet: bool = False) -> Console:
    """A console that moves the cursor and styles text in a terminal alone, and not where NO_COLOR is set."""
    live = stream.isatty() and not os.environ.get("NO_COLOR")
    return Console(
        file=stream, quiet=quiet, force_terminal=live, force_jupyter=False, markup=False, emoji=False, highlight=False
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3f}"
    return str(value)


def _other(value: Any) -> Any:
    """A value that JSON does not know: numbers of NumPy as Python's, everything else as text."""
    return _plain(value.item()) if hasattr(value, "item") else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
