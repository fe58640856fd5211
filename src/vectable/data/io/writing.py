"""Writing a table to a file, whole or not at all."""

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

import polars as pl
from polars.exceptions import PolarsError

from vectable.data.io.wording import first_line
from vectable.errors import DataError


def write_table(frame: pl.DataFrame, path: str | Path) -> Path:
    """Write a table in the format of the suffix, whole or not at all.

    Args:
        frame: the table. Columns of lists cannot go into CSV or TSV.
        path: ends in .csv, .tsv, .parquet, .pq, .arrow, .feather, .ipc, .json (an array of objects), .jsonl
            or .ndjson (an object a line). A file already there is replaced once the new one is complete.

    Returns:
        The path written.

    Raises:
        DataError: for another suffix, a missing or unwritable folder, a table the format cannot hold.
    """
    path = Path(path).expanduser()
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise DataError(f"{path} does not say what to write: its name must end in one of {', '.join(_WRITERS)}.")
    try:
        return write_whole(path, lambda file: write(frame, file))
    except PolarsError as problem:
        raise DataError(f"{path} cannot hold this table: {first_line(problem)}.") from None


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Write a file, whole or not at all; one already there is replaced once the new one is complete.

    What a process that was killed left of an earlier attempt is removed.

    Raises:
        DataError: a missing or unwritable folder.
    """
    if not path.parent.is_dir():
        raise DataError(f"{path} cannot be written: there is no folder {path.parent}; create it first.")
    if path.is_dir():
        raise DataError(f"{path} cannot be written: it is a folder.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        _remove_abandoned(path)
        with unfinished.open("xb") as file:
            write(file)
        os.replace(unfinished, path)
    except OSError as problem:
        raise DataError(f"{path} cannot be written: {problem.strerror or problem}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _remove_abandoned(path: Path) -> None:
    """Remove the unfinished files beside `path` whose writers are gone."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+)-[0-9a-f]{{8}}\.part")
    for name in os.listdir(path.parent):
        found = pattern.fullmatch(name)
        if found and not _is_running(int(found[1])):
            path.with_name(name).unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's, or not to be known
        return True
    return True


_WRITERS: dict[str, Callable[[pl.DataFrame, IO[bytes]], object]] = {
    ".csv": lambda frame, file: frame.write_csv(file),
    ".tsv": lambda frame, file: frame.write_csv(file, separator="\t"),
    ".parquet": lambda frame, file: frame.write_parquet(file),
    ".pq": lambda frame, file: frame.write_parquet(file),
    ".arrow": lambda frame, file: frame.write_ipc(file),
    ".feather": lambda frame, file: frame.write_ipc(file),
    ".ipc": lambda frame, file: frame.write_ipc(file),
    ".json": lambda frame, file: file.write(frame.write_json().encode()),
    ".jsonl": lambda frame, file: frame.write_ndjson(file),
    ".ndjson": lambda frame, file: frame.write_ndjson(file),
}
