"""How much each training row counts: by a column of weights, and by its class."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.number_text import find_numbers, read_numbers
from vectable.data.io.frames import to_series
from vectable.data.io.parquet_table import ParquetTable
from vectable.data.tables.targets import ClassTarget, Target
from vectable.errors import DataError, require

ClassWeight = str | dict[Any, float] | None


def weights_in(train: pl.DataFrame | ParquetTable, column: str) -> NDArray[np.float64]:
    """The weights in a column, (rows,), 0 or more.

    Raises:
        DataError: a weight that is none, with its value; or all are 0.
    """
    values = train[column]
    found = find_numbers(values) if values.dtype == pl.String else None
    rows = read_numbers(values, None if found is None else found.text)
    usable = rows >= 0
    if not usable.all() or rows.sum() == 0:
        row = int(np.argmin(usable))
        raise DataError(
            f"Column {column!r} holds the weight {train[column][row]!r}; weights are 0 or more, and not all 0."
        )
    return rows


def loss_weights(
    train: pl.DataFrame | ParquetTable, target: Target, counts: NDArray[np.float64] | None, class_weight: ClassWeight
) -> NDArray[np.float32] | None:
    """The weight of each row in the loss, (rows,); None where all count alike.

    Args:
        counts: how often each row counts, (rows,), or None.
        class_weight: "balanced", the weight of each class, or None.
    """
    if counts is None and class_weight is None:
        return None
    rows = np.ones(len(train)) if counts is None else counts
    if class_weight is not None:
        if not isinstance(target, ClassTarget):
            raise DataError("class_weight needs a target of classes.")
        rows = rows * _of_classes(target, target.encode(train), rows, class_weight)
    return rows.astype(np.float32)


def _of_classes(
    target: ClassTarget, codes: NDArray[np.int64], rows: NDArray[np.float64], by_class: str | dict[Any, float]
) -> NDArray[np.float64]:
    """The weight of each row's class, (rows,): as given, or such that all classes weigh the same in the loss."""
    if by_class == "balanced":
        counts = np.bincount(codes, rows, minlength=target.n_outputs)
        return np.asarray((rows.sum() / (target.n_outputs * np.maximum(counts, 1e-12)))[codes])
    if isinstance(by_class, str):
        raise DataError(f"class_weight must be 'balanced', or the weight of each class; got {by_class!r}.")
    named = np.concatenate([target.numbers_of(to_series([one])) for one in by_class])
    require(
        bool((named >= 0).all()), f"class_weight names a class that is not there; there are {target.classes.to_list()}."
    )
    table = np.ones(target.n_outputs)
    table[named] = list(by_class.values())
    return table[codes]
