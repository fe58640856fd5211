"""A table in Parquet files that need not fit in memory: a column or a block of rows is read when it is asked for."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.files import existing_file
from vectable.data.io.wording import first_line
from vectable.errors import DataError, is_whole, quote_some, require

BLOCK_ROWS = 1 << 17


class ParquetTable:
    """Some rows of one or several Parquet files of the same columns, in the files' order.

    ``table["age"]`` reads a column, ``table[rows]`` is the table of those rows alone, which reads nothing.

    Args:
        path: a file, a folder of ``.parquet`` files, a pattern (``days/*.parquet``), or several files. Those of a
            folder or a pattern are taken in the order of their names.
        block_rows: rows read at a time; a block lies in one file.

    Attributes:
        columns: names.
        starts: where each block's rows begin among the rows of this table, and where the last ends, (blocks + 1,).
    """

    def __init__(self, path: str | Path | Sequence[str | Path], block_rows: int = BLOCK_ROWS) -> None:
        require(is_whole(block_rows, 1), f"block_rows must be a positive integer; got {block_rows!r}.")
        self._files = parquet_files(path)
        self._lengths = [_read(file, lambda scan: scan.select(pl.len())).item() for file in self._files]
        self._schema = common_schema(self._files)
        self.columns = list(self._schema)
        self._blocks = [
            (file, first, min(block_rows, length - first))
            for file, length in zip(self._files, self._lengths, strict=True)
            for first in range(0, length, block_rows)
        ]
        self._kept = np.ones(sum(self._lengths), dtype=np.bool_)
        self._count()

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, what: Any) -> Any:
        """A column by name, or the table of the rows of some numbers."""
        if isinstance(what, str):
            return self._column(what)
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[what] = True
        return self.filter(chosen)

    def filter(self, chosen: Any) -> "ParquetTable":
        """The table of the rows for which `chosen`, (rows,), is true."""
        table = object.__new__(ParquetTable)
        table.__dict__ |= self.__dict__
        table._kept = self._kept.copy()
        table._kept[self._kept] = np.asarray(chosen)
        table._count()
        return table

    def block(self, number: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows of one block, with some columns or all."""
        file, first, length = self._blocks[number]
        names = self.columns if columns is None else list(columns)
        frame = _read(file, lambda scan: scan.select(names).slice(first, length))
        _check_length(file, len(frame), length)
        at = self._begins[number]
        return frame.filter(pl.Series(self._kept[at : at + length]))

    def collect(self) -> pl.DataFrame:
        """All rows in memory."""
        parts = [self.block(int(number)) for number in np.flatnonzero(np.diff(self.starts))]
        return pl.concat(parts) if parts else pl.DataFrame(schema=self._schema)

    def _column(self, name: str) -> pl.Series:
        parts, first = [], 0
        for file, length in zip(self._files, self._lengths, strict=True):
            part = _read(file, lambda scan: scan.select(name))[name]
            _check_length(file, len(part), length)
            parts.append(part.filter(pl.Series(self._kept[first : first + len(part)])))
            first += len(part)
        return pl.concat(parts)

    def _count(self) -> None:
        lengths = [length for _, _, length in self._blocks]
        self._begins = np.cumsum([0, *lengths])
        kept = (
            np.add.reduceat(self._kept, self._begins[:-1], dtype=np.int64) if lengths else np.zeros(0, dtype=np.int64)
        )
        self.starts: NDArray[np.int64] = np.concatenate([[0], np.cumsum(kept)])


def parquet_files(path: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files that a path, a folder, a pattern or several paths name, in order; see `ParquetTable`.

    Raises:
        DataError: there is none.
    """
    if not isinstance(path, str | Path):
        require(len(path) > 0, "path names no file; give one or several.")
        return [existing_file(one) for one in path]
    place = Path(path).expanduser()
    if place.is_dir():
        found = sorted(place.glob("*.parquet"))
        if not found:
            raise DataError(f"{path} is a folder without a file that ends in .parquet.")
        return found
    is_pattern = not place.exists() and glob.has_magic(str(path))
    found = (
        [Path(one) for one in sorted(glob.glob(str(place), recursive=True))] if is_pattern else [existing_file(path)]
    )
    if not found:
        raise DataError(f"There is no file like {path}.")
    return found


def common_schema(files: Sequence[Path]) -> pl.Schema:
    """Columns and types of the first file, which all have.

    Raises:
        DataError: a file lacks a column or has it of another type.
    """
    first = _read(files[0], lambda scan: scan.head(0)).schema
    for file in files[1:]:
        schema = _read(file, lambda scan: scan.head(0)).schema
        for name, dtype in first.items():
            if schema.get(name) != dtype:
                there = f"is {schema[name]}" if name in schema else f"is not there ({quote_some(schema)})"
                raise DataError(f"Column {name!r} of {file} {there}, and {dtype} in {files[0]}; make them the same.")
    return first


def _check_length(file: Path, found: int, expected: int) -> None:
    if found != expected:
        raise DataError(f"{file} is not what it was when it was first looked at; leave it alone while in use.")


def _read(file: Path, what: Any) -> pl.DataFrame:
    try:
        frame: pl.DataFrame = what(pl.scan_parquet(file, glob=False)).collect()
        return frame
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise DataError(f"{file} cannot be read as Parquet: {first_line(problem)}.") from None
