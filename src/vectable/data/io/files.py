"""Tables from files: CSV, TSV and other separated text, Parquet, Arrow, JSON; which kind a file is, it says itself."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import polars as pl
from polars.exceptions import PanicException, PolarsError

from vectable.data.io.separated_text import SeparatedText
from vectable.data.io.wording import count_of, first_line, repeated
from vectable.errors import DataError, did_you_mean, quote_some

_STARTS = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow stream",
    b"\x1f\x8b": "gzip",
}
_NOT_TABLES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save its sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save its sheet as CSV",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it, or compress it with gzip",
    b"BZh": "compressed with bzip2; unpack it, or compress it with gzip",
    b"\xfd7zXZ": "compressed with xz; unpack it, or compress it with gzip",
    b"FEA1": "a Feather file of version 1; write it again as Parquet or as Feather version 2",
}
_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


def read_table(
    path: str | Path,
    *,
    sep: str | None = None,
    has_header: bool | None = None,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    decimal: str = ".",
) -> pl.DataFrame:
    """Read a file as a table.

    Parquet, Arrow and JSON files are known by how they begin or by their suffix; everything else is separated
    text, gzip-compressed or not. The last three arguments but `columns` are for separated text.

    Args:
        path: the file.
        sep: separator, of one or more characters. By default a comma for .csv and a tab for .tsv, and for
            another suffix, or where that does not occur, what of ``:: tab ; | ,`` and spaces the first lines agree
            on. With a separator of more than one character, quotation marks are ordinary characters.
        has_header: whether the first line names the columns. Without one they are column_1, column_2, ... By default
            it does, but where `columns` is given and the first line holds numbers as the lines below do.
        columns: names for the columns, in the file's order, in place of the header's where there is one.
        encoding: of the text; any name Python knows. UTF-8 may begin with a byte-order mark.
        decimal: "," where numbers have a decimal comma: then those with a point or a comma stay text, to be read in
            that spelling.

    Returns:
        The table; see `column_types` for what becomes a number. A file of only a header has 0 rows.

    Raises:
        DataError: when there is no such file, when it cannot be read as what it seems to be, with the line
            where known, and when `columns` does not fit.

    Warns:
        VectableWarning: when the line taken as the header holds nothing but numbers; when `columns` is given and
            nothing tells a header from a row.
    """
    path = existing_file(path)
    names = None if columns is None else list(columns)
    if names is not None and (twice := repeated(names)):
        raise DataError(f"columns names {twice[0]!r} more than once; every column needs a name of its own.")
    kind = _kind(path)
    try:
        if kind in _BINARY_READERS:
            frame = _read_binary(path, kind)
        else:
            frame = SeparatedText(path, kind == "gzip", sep, has_header, names, encoding).read(decimal)
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror or problem}.") from None
    if names is None:
        return frame
    if len(names) != frame.width:
        raise DataError(
            f"{path} has {count_of(frame.width, 'column')} ({quote_some(frame.columns)}), "
            f"but columns gives {count_of(len(names), 'name')}; give one per column, in the file's order."
        )
    frame.columns = names
    return frame


def existing_file(path: str | Path) -> Path:
    """The path of a file that is there, or a sentence that says what is there instead."""
    path = expanded(path)
    if path.is_dir():
        inside = sorted(_files_in(path))
        holds = f" It holds {quote_some(inside, 6)}." if inside else ""
        raise DataError(f"{path} is a folder; name a file in it.{holds}")
    if path.is_file():
        return path
    if path.exists():
        raise DataError(f"{path} is not an ordinary file, and is read more than once; save it as one first.")
    if not path.parent.is_dir():
        raise DataError(f"No such file: {path} (the folder {path.parent} does not exist).")
    hint = did_you_mean(path.name, _files_in(path.parent)) or f" Its folder {_whole(path.parent)} has none like it."
    raise DataError(f"No such file: {path}.{hint}")


def expanded(path: str | Path) -> Path:
    """The path with ``~`` as the user's home.

    Raises:
        DataError: there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as problem:
        raise DataError(f"{str(path)!r} cannot be found: {first_line(problem)}") from None


def _files_in(folder: Path) -> list[str]:
    """The names of the files in a folder; none where it may not be read."""
    try:
        return [one.name for one in folder.iterdir() if one.is_file()]
    except OSError:
        return []


def _whole(folder: Path) -> Path:
    """A folder's path from the root, where there is one: a working directory may have been deleted."""
    try:
        return folder.resolve()
    except OSError:
        return folder


def _kind(path: Path) -> str:
    """The file's kind by its first bytes, else by its suffix, else "text"."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror}.") from None
    if not start:
        raise DataError(f"{path} is empty.")
    for magic, what in _NOT_TABLES.items():
        if start.startswith(magic):
            raise DataError(f"{path} is {what}.")
    for magic, kind in _STARTS.items():
        if start.startswith(magic):
            return kind
    return _SUFFIXES.get(path.suffix.lower(), "text")


def _read_binary(path: Path, kind: str) -> pl.DataFrame:
    try:
        with path.open("rb") as file:
            return _BINARY_READERS[kind](file)
    except (PolarsError, PanicException, ValueError, OSError, RuntimeError) as problem:
        raise DataError(
            f"{path} is damaged, or no {_SAID[kind]} file in spite of its name: {first_line(problem)}."
        ) from None


_SAID = {
    "parquet": "Parquet",
    "arrow": "Arrow",
    "arrow stream": "Arrow stream",
    "json": "JSON",
    "jsonl": "JSON Lines",
}
_BINARY_READERS: dict[str, Callable[[IO[bytes]], pl.DataFrame]] = {
    "parquet": pl.read_parquet,
    "arrow": pl.read_ipc,
    "arrow stream": pl.read_ipc_stream,
    "json": lambda file: pl.read_json(file.read(), infer_schema_length=None),
    "jsonl": lambda file: pl.read_ndjson(file, infer_schema_length=None),
}
