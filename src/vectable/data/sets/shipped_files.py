"""The tables that come with the package, read as a file would be."""

import importlib.resources

import polars as pl


def read_shipped(name: str, file: str) -> pl.DataFrame:
    """A table of the shipped data set `name`, its whole numbers as 64-bit integers."""
    where = importlib.resources.files("vectable.data.sets") / "shipped" / name / file
    with where.open("rb") as opened:
        frame = pl.read_parquet(opened)
    narrow = pl.col(pl.UInt8, pl.UInt16, pl.Int16, pl.Int32)
    return frame.with_columns(narrow.cast(pl.Int64))
