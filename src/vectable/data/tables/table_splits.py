"""Which rows of a table are held out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.date_text import DateText
from vectable.data.encoders.kinds import kind_of
from vectable.data.encoders.number_text import NumberText
from vectable.data.encoders.text_options import TextOptions
from vectable.data.io.parquet_table import ParquetTable
from vectable.data.io.wording import count_of
from vectable.data.splits import random_split, time_split
from vectable.data.tables.targets import ClassTarget, Target
from vectable.errors import DataError, did_you_mean, require, warn

Rows = NDArray[np.int32]


def split_rows(
    frame: pl.DataFrame | ParquetTable,
    valid_pct: float,
    seed: int,
    split: str,
    valid_rows: Sequence[int] | NDArray[Any] | None,
    options: TextOptions,
) -> tuple[Rows, Rows]:
    """Numbers of the rows to train on and of those held out, both sorted.

    Args:
        valid_pct: share of the rows held out.
        split: "random", or the name of a column by which the latest rows are held out.
        valid_rows: numbers of the rows to hold out, instead of a share.
        options: how text is read.
    """
    if valid_rows is not None:
        held_out = np.unique(np.asarray(valid_rows, dtype=np.int32))
        inside = len(held_out) == 0 or (held_out[0] >= 0 and held_out[-1] < len(frame))
        require(
            inside and len(held_out) < len(frame),
            f"valid_rows names rows beyond the table's {len(frame):,}, or all of them.",
        )
        return np.setdiff1d(np.arange(len(frame), dtype=np.int32), held_out), held_out
    if split == "random":
        return random_split(len(frame), valid_pct, seed)
    if split not in frame.columns:
        hint = did_you_mean(split, frame.columns)
        raise DataError(f"split is {split!r}: neither 'random' nor a column.{hint}")
    return time_split(_in_time(frame[split], options), valid_pct)


def _in_time(values: pl.Series, options: TextOptions) -> NDArray[np.float64]:
    """Numbers in the order of a column's values, (rows,); text that is dates or numbers by what it says."""
    found = kind_of(values, options).text if values.dtype == pl.String else None
    if isinstance(found, DateText):
        values = found.read(values)
    elif isinstance(found, NumberText):
        values = pl.Series(found.read(values)).fill_nan(None)
    return values.rank("dense").fill_null(0).to_numpy().astype(np.float64)


def without_unseen_classes(valid: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Validation rows whose class training shows; how many others there are is a warning."""
    if not isinstance(target, ClassTarget) or len(valid) == 0:
        return valid
    known = target.encode(valid) >= 0
    if not known.all():
        unseen = valid.filter(pl.Series(~known))[target.name].unique().to_list()
        count = int((~known).sum())
        message = f"{count_of(count, 'validation row')} {'has' if count == 1 else 'have'} a class that no training row"
        warn(f"{message} has ({', '.join(map(repr, unseen[:5]))}); they are left out.")
    return valid.filter(pl.Series(known))
