"""Embedding vectors as files that other programs read."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.writing import write_table, write_whole

METADATA = "_metadata"


def vector_table(about: pl.DataFrame, vectors: NDArray[np.float32]) -> pl.DataFrame:
    """What is known of each row, then a column a factor: "factor_0", "factor_1", ..."""
    factors = {f"factor_{at}": vectors[:, at] for at in range(vectors.shape[1])}
    return about.hstack(pl.DataFrame(factors))


def export_vectors(path: Path, about: pl.DataFrame, vectors: NDArray[np.float32]) -> list[Path]:
    """Write one table, or for `.tsv` the pair of files that the TensorBoard projector reads.

    The projector takes a file of numbers alone, without a header, and beside it one of names with a header.

    Args:
        about: id, name and whatever else is known of each row, (rows, ...).
        vectors: (rows, width).

    Returns:
        The files written.
    """
    if path.suffix.lower() != ".tsv":
        write_table(vector_table(about, vectors), path)
        return [path]
    metadata = path.with_stem(path.stem + METADATA)
    in_a_line = about.with_columns(pl.col(pl.String).str.replace_all(r"\s+", " "))
    _write_lines(pl.DataFrame(vectors), path, header=False)
    _write_lines(in_a_line, metadata, header=True)
    return [path, metadata]


def _write_lines(frame: pl.DataFrame, path: Path, header: bool) -> None:
    """One line per row, fields between tabs and never in quotes: the projector knows no quoting."""
    write_whole(path, lambda file: frame.write_csv(file, separator="\t", include_header=header, quote_style="never"))
