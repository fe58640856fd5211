"""Side tables: what is known of items and users besides the pairs, brought into the order of a vocabulary."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from vectable.data.encoders.categorify import Categorify
from vectable.data.io.files import read_table
from vectable.data.io.frames import to_polars
from vectable.data.vocabularies import NamedColumns
from vectable.errors import DataError


def side_table(table: Any, id_column: str, ids: Categorify, what: str) -> pl.DataFrame | None:
    """The side columns of a table of items or users (a frame or a file), a row for each entry of the vocabulary."""
    if table is None:
        return None
    frame = read_side_table(table, what)
    if frame.width == 0:
        raise DataError(f"The {what} table has no columns.")
    key = id_column if id_column in frame.columns else frame.columns[0]
    codes = ids.encode(frame[key])
    known = codes > 0
    if not known.any():
        raise DataError(
            f"No value of column {key!r} of the {what} table is a {id_column!r} of the ratings "
            f"(its first is {frame[key][0] if len(frame) else None!r}, the ratings' first is "
            f"{ids.vocabulary[0]!r}); "
            f"name its id column {id_column!r}."
        )
    side = frame.filter(pl.Series(known)).with_columns(pl.Series("", codes[known])).unique("", keep="first")
    order = pl.DataFrame({"": np.arange(1, len(ids), dtype=np.int32)})
    joined = order.join(side, on="", how="left", maintain_order="left").drop("")
    return joined.with_columns(ids.vocabulary.alias(key)).rename({key: id_column})


def read_side_table(table: Any, what: str) -> pl.DataFrame:
    """A table of items or users, by its file or as a frame."""
    if isinstance(table, str | Path):
        return read_table(table)
    return to_polars(table, f"the {what} table")[0]


def lengthen(table: pl.DataFrame | None, ids: Categorify, id_column: str) -> pl.DataFrame | None:
    """The same side columns for a vocabulary that grew: missing for what came."""
    if table is None:
        return None
    known, new = ids.vocabulary[: len(table)], ids.vocabulary[len(table) :]
    return pl.concat([table.with_columns(known.alias(id_column)), pl.DataFrame({id_column: new})], how="diagonal")


def named_items(frame: pl.DataFrame, columns: NamedColumns) -> pl.DataFrame | None:
    """Item and title of every row, where the table of ratings itself has a column of titles apart from the ids."""
    if columns.title is None or columns.title == columns.item or columns.title not in frame.columns:
        return None
    return frame.select(columns.item, columns.title)


def item_titles(
    named: pl.DataFrame | None, columns: NamedColumns, item_ids: Categorify, item_table: pl.DataFrame | None
) -> pl.Series | None:
    """A title for each item in vocabulary order, missing where none is known; None where there are none at all.

    Args:
        named: what `named_items` found.
    """
    if columns.title is None or columns.title == columns.item:
        return None
    if named is not None:
        codes = item_ids.encode(named[columns.item])
        first = pl.DataFrame({"code": codes, "title": named[columns.title].cast(pl.String)}).drop_nulls()
        first = first.filter(pl.col("code") > 0).unique("code", keep="first")
        order = pl.DataFrame({"code": np.arange(1, len(item_ids), dtype=np.int32)})
        return order.join(first, on="code", how="left", maintain_order="left")["title"]
    if item_table is not None and columns.title in item_table.columns:
        return item_table[columns.title].cast(pl.String).alias("title")
    return None
