"""Columns and tables in a saved folder: as JSON values, or in Arrow's layout, without a Python object for each row.

In Arrow's layout a column of text is its UTF-8 bytes one after the other and where each value begins, so that a
vocabulary of millions is read at the speed of the disk. The arrays lie in the folder's safetensors, whose sizes are
checked against the file: readers of Arrow's own files trust what these say of themselves, and a folder may come from
anywhere.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.frames import as_text
from vectable.folder_schema import Array, any_value, check_array, list_of, one_of, record, text, wrong

if TYPE_CHECKING:
    from vectable.folder_schema import Numbers

DTYPES: dict[str, Any] = {
    "integer": pl.Int64,
    "float": pl.Float64,
    "boolean": pl.Boolean,
    "text": pl.String,
    "texts": pl.List(pl.String),
    "numbers": pl.List(pl.Float64),
}
"""The types of saved columns; a column of another type is saved as text."""

BLOCK = 1 << 20  # rows joined, or bytes of text taken apart, at a time
ITEMS = {"texts": "text", "numbers": "float"}  # the type of what the lists of a type hold
VALUES = {"integer": "int64", "float": "float64", "boolean": "bool"}
TABLE = record(columns=list_of(record(name=text, dtype=one_of(*DTYPES), values=any_value)))


def plain(series: pl.Series) -> tuple[str, pl.Series]:
    """Which of `DTYPES` holds a column, and the column in it."""
    kind = _name_of(series.dtype)
    try:
        return kind, series.cast(DTYPES[kind])
    except pl.exceptions.PolarsError:  # more digits than an integer has, a list of something odd
        return "text", as_text(series)


def _name_of(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List | pl.Array):
        return "numbers" if dtype.inner.is_numeric() else "texts"
    if dtype == pl.Boolean:
        return "boolean"
    return "integer" if dtype.is_integer() else "float" if dtype.is_float() else "text"


# ---------------------------------------------------------------- as JSON


def table_to_json(frame: pl.DataFrame) -> dict[str, Any]:
    """A frame as plain JSON values: numbers, booleans, texts and lists of them as they are, everything else as text."""
    columns = []
    for series in frame:
        kind, kept = plain(series)
        columns.append({"name": series.name, "dtype": kind, "values": kept.to_list()})
    return {"columns": columns}


def table_from_json(form: Any, where: str = "table", n_rows: int | None = None) -> pl.DataFrame:
    """The frame back from `table_to_json`.

    Args:
        n_rows: how many rows it must have.

    Raises:
        ArtifactError: its columns are of different lengths, of one name, or not of their type.
    """
    columns = TABLE(form, where)["columns"]
    series = [column_from_json(one["values"], DTYPES[one["dtype"]], f"{where}.{one['name']}") for one in columns]
    return _side_by_side(
        {one["name"]: column for one, column in zip(columns, series, strict=True)}, series, where, n_rows
    )


def column_from_json(values: Any, dtype: Any, where: str) -> pl.Series:
    """A column of the values of a JSON list, or of one that was read from arrays.

    Raises:
        ArtifactError: they are not all of that type.
    """
    if not isinstance(values, list | pl.Series):
        wrong(where, values, "a list")
    try:
        if isinstance(values, pl.Series):
            return values.cast(dtype)
        return pl.Series(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        wrong(where, values, f"a list of values of type {dtype}")


def _side_by_side(
    columns: Mapping[str, pl.Series], all_of_them: list[pl.Series], where: str, n_rows: int | None
) -> pl.DataFrame:
    lengths = {len(one) for one in all_of_them}
    if len(columns) < len(all_of_them) or len(lengths) > 1 or (n_rows is not None and lengths != {n_rows}):
        wrong(
            where,
            dict(columns),
            f"columns of {'one length' if n_rows is None else f'{n_rows:,} rows'}, each of its name",
        )
    return pl.DataFrame(columns)


# ---------------------------------------------------------------- in Arrow's layout


def column_to_arrays(series: pl.Series) -> tuple[str, dict[str, NDArray[Any]]]:
    """A column as its type, one of `DTYPES`, and arrays by name.

    "values" of numbers and booleans; "bytes" and "offsets" of texts, text r being ``bytes[offsets[r]:offsets[r + 1]]``;
    of lists "offsets", and the arrays of what they hold as "items...."; and "valid", where values are missing.
    """
    kind, column = plain(series)
    arrays: dict[str, NDArray[Any]] = {}
    if column.null_count():
        arrays["valid"] = column.is_not_null().to_numpy()
    if kind in VALUES:
        arrays["values"] = column.fill_null(0 if kind != "boolean" else False).to_numpy()
    elif kind == "text":
        parts = [column.slice(first, BLOCK).str.join("").item() or "" for first in range(0, len(column), BLOCK)]
        arrays["bytes"] = np.frombuffer("".join(parts).encode(), dtype=np.uint8)
        arrays["offsets"] = _offsets(column.str.len_bytes())
    else:
        arrays["offsets"] = _offsets(column.list.len())
        _, items = column_to_arrays(column.drop_nulls().list.explode(empty_as_null=False, keep_nulls=False))
        arrays |= {f"items.{name}": one for name, one in items.items()}
    return kind, {name: np.ascontiguousarray(one) for name, one in arrays.items()}


def column_from_arrays(kind: str, tensors: Mapping[str, "Numbers"], sizes: dict[str, int], where: str) -> pl.Series:
    """The column back from `column_to_arrays`.

    Args:
        kind: its type.
        tensors: its arrays by name.
        sizes: how many "rows" it must have, if that is known.

    Raises:
        ArtifactError: the arrays do not fit together.
    """
    if kind in VALUES:
        column = pl.Series(_take(tensors, "values", Array(VALUES[kind], "rows"), sizes, where))
    elif kind == "text":
        content = _take(tensors, "bytes", Array("uint8", "bytes"), {}, where)
        column = _texts(content, _take_offsets(tensors, len(content), sizes, where), where)
    else:
        inner = {name.removeprefix("items."): one for name, one in tensors.items() if name.startswith("items.")}
        items = column_from_arrays(ITEMS[kind], inner, {}, f"{where}.items")
        column = _lists(items, _take_offsets(tensors, len(items), sizes, where))
    if "valid" in tensors:
        valid = _take(tensors, "valid", Array("bool", "rows"), sizes, where)
        column = column.set(pl.Series(~valid), None)
    return column.cast(DTYPES[kind])


def _take(tensors: Mapping[str, "Numbers"], name: str, array: Array, sizes: dict[str, int], where: str) -> NDArray[Any]:
    if name not in tensors:
        wrong(f"{where}.{name}", None, "there")
    return check_array(tensors[name], array, sizes, f"{where}.{name}")


def _take_offsets(tensors: Mapping[str, "Numbers"], end: int, sizes: dict[str, int], where: str) -> NDArray[np.int64]:
    offsets = _take(tensors, "offsets", Array("int32 int64", "rows+1", least=0), sizes, where).astype(np.int64)
    if offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < 0).any():
        wrong(f"{where}.offsets", offsets, f"rising from 0 to {end:,}")
    return offsets


def _offsets(lengths: pl.Series) -> NDArray[Any]:
    ends = np.cumsum(lengths.fill_null(0).to_numpy(), dtype=np.int64)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends])
    return offsets.astype(np.int32) if offsets[-1] < 2**31 else offsets


def _texts(content: NDArray[np.uint8], offsets: NDArray[np.int64], where: str) -> pl.Series:
    """Texts from their bytes, a block at a time."""
    blocks, first = [pl.Series([], dtype=pl.String)], 0
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, offsets[first] + BLOCK, side="right")) - 1
        last = max(last, first + 1)
        part = offsets[first : last + 1]
        try:
            blocks.append(_block_of_texts(content[part[0] : part[-1]], part - part[0]))
        except UnicodeDecodeError:
            wrong(f"{where}.bytes", content, "texts in UTF-8")
        first = last
    return pl.concat(blocks)


def _block_of_texts(content: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pl.Series:
    """Some texts: set apart by a character that none of them holds, and split there."""
    unused = np.flatnonzero(np.bincount(content, minlength=128)[:128] == 0)
    if len(unused) == 0:
        whole = content.tobytes()
        return pl.Series([whole[a:b].decode() for a, b in pairwise(offsets)])
    n_rows = len(offsets) - 1
    apart = np.full(len(content) + n_rows, unused[0], dtype=np.uint8)
    apart[np.arange(len(content)) + np.repeat(np.arange(n_rows), np.diff(offsets))] = content
    return pl.Series([apart[:-1].tobytes().decode()]).str.split(chr(unused[0])).explode()


def _lists(items: pl.Series, offsets: NDArray[np.int64]) -> pl.Series:
    """Lists of items, list r being ``items[offsets[r]:offsets[r + 1]]``."""
    n_rows = len(offsets) - 1
    row = np.repeat(np.arange(n_rows), np.diff(offsets))
    filled = pl.DataFrame({"row": row, "items": items}).group_by("row", maintain_order=True).agg("items")
    every = pl.DataFrame({"row": np.arange(n_rows)}).join(filled, on="row", how="left", maintain_order="left")
    return every["items"].fill_null(pl.Series([[]], dtype=pl.List(items.dtype)))
