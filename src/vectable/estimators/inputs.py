"""What an estimator is handed, checked as scikit-learn wants it and brought into the form in which weights mean
repetition."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from narwhals.stable.v2 import dependencies
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, column_or_1d, validate_data

from vectable.data.encoders.kinds import MOST_DIFFERENT
from vectable.data.io.frames import to_polars, to_series
from vectable.errors import DataError

ARRAY = {"dtype": np.float64, "ensure_all_finite": "allow-nan"}


def is_frame(X: Any) -> bool:
    """Whether the columns of `X` have types of their own: a pandas, polars or pyarrow table."""
    return bool(dependencies.is_into_dataframe(X))


def take_columns(estimator: Any, X: Any, *, reset: bool, **how: Any) -> pl.DataFrame:
    """The columns of `X`, which is a frame, or an array of numbers or list of lists, (rows, columns).

    Args:
        estimator: whose `n_features_in_` and `feature_names_in_` are set where `reset`, and else compared with.
        how: for scikit-learn's `validate_data`, of arrays.

    Returns:
        A frame with the names of the columns, "x0", "x1", ... where they have none.

    Raises:
        ValueError: scikit-learn's, for other columns than before, no rows, infinite numbers and what is not a table.
    """
    if is_frame(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        frame = to_polars(X, "X")[0]
        if len(frame) == 0:
            raise DataError(f"Found array with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required.")
        _refuse_infinite(frame)
    else:
        try:
            array = validate_data(estimator, X, reset=reset, **how)
        except ValueError as problem:
            _refuse_text(X, problem)
            raise
        columns = [to_series(array[:, at], str(at)) for at in range(array.shape[1])]
        frame = pl.DataFrame(columns)
    frame.columns = column_names(estimator)
    return frame


def column_names(estimator: Any) -> list[str]:
    """Names of the columns an estimator was fitted on, (columns,)."""
    given = getattr(estimator, "feature_names_in_", None)
    return [f"x{at}" for at in range(estimator.n_features_in_)] if given is None else [str(name) for name in given]


def take_target(estimator: Any, y: Any) -> NDArray[Any]:
    """A target of one column, (rows,), whatever its type, no value missing."""
    _require_target(estimator, y)
    values = column_or_1d(y, warn=True)
    if values.dtype.kind == "O" and (gone := to_series(values).is_null()).any():
        row = int(gone.arg_true()[0]) + 1
        raise DataError(f"Input y contains NaN: row {row:,} has no class. Drop the rows without one.")
    if values.dtype.kind in "fc":
        check_array(values, ensure_2d=False, input_name="y", estimator=estimator)
    return np.asarray(values)


def check_classes(values: NDArray[Any]) -> None:
    """Raise scikit-learn's sentence for a target that is not classes.

    Fractions are classes where there are at most 20 different ones, each for at least two rows in the mean.
    """
    different = len(np.unique(values)) if values.dtype.kind == "f" else 0
    if not 0 < different <= min(MOST_DIFFERENT, len(values) // 2):
        check_classification_targets(values)


def take_numbers(estimator: Any, y: Any) -> NDArray[np.float64]:
    """A target of finite numbers, (rows,) or (rows, numbers)."""
    _require_target(estimator, y)
    try:
        values = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=estimator)
    except ValueError as problem:
        _refuse_text(y, problem, "y")
        raise
    return column_or_1d(values, warn=True) if values.ndim == 2 and values.shape[1] == 1 else np.asarray(values)


def take_weights(sample_weight: Any, X: Any) -> NDArray[np.float64]:
    """Weights of the rows of `X`, (rows,), of weights, a number, or None for 1 each."""
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise DataError("All sample weights are zero: there is no row to learn from.")
    return np.asarray(weights)


def canonical_rows(frame: pl.DataFrame, weights: NDArray[np.float64]) -> tuple[pl.DataFrame, NDArray[np.float64]]:
    """The one form that all tables have which say the same by repeated rows, by weights or in another order.

    Rows of weight 0 are left out, equal rows become one with the sum of their weights, and the rows are sorted.

    Args:
        frame: columns and targets.
        weights: (rows,).

    Returns:
        The distinct rows, and the weight of each, (distinct rows,).
    """
    weight, columns = free_name("weight", frame.columns), frame.columns
    rows = frame.with_columns(pl.Series(weight, weights)).filter(pl.col(weight) > 0)
    rows = rows.sort(rows.columns).group_by(columns, maintain_order=True).agg(pl.col(weight).sum())
    return rows.drop(weight), rows[weight].to_numpy()


def free_name(name: str, taken: Sequence[str]) -> str:
    """A name like `name` that is not `taken`."""
    while name in taken:
        name += "_"
    return name


def held_out_rows(classes: NDArray[Any], share: float, seed: int) -> NDArray[np.int64]:
    """Numbers of a random share of the rows, the same share of each class, sorted; one row of a class stays in."""
    rng = np.random.default_rng(seed)
    chosen = []
    for one in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == one))
        chosen.append(rows[: min(round(share * len(rows)), len(rows) - 1)])
    return np.sort(np.concatenate(chosen))


def _require_target(estimator: Any, y: Any) -> None:
    if y is None:
        name = type(estimator).__name__
        raise DataError(f"This {name} estimator requires y to be passed, but the target y is None.")


def _refuse_text(values: Any, problem: ValueError, what: str = "X") -> None:
    """A sentence for the first text, of an array, that is no number; nothing where there is none."""
    array = np.asarray(values)
    if array.dtype.kind not in "OU":
        return
    for row, cells in enumerate(array.reshape(len(array), -1), start=1):
        for column, value in enumerate(cells, start=1):
            if isinstance(value, str) and not _is_number(value):
                takes = "of an array all columns are numbers: hand in a table (pandas, polars, pyarrow) for categories"
                hint = "the target is numbers: TabularClassifier predicts classes" if what == "y" else takes
                where = f"row {row:,}" if array.ndim == 1 else f"column {column:,}, row {row:,}"
                raise DataError(f"{what} holds {str(value)!r} ({where}), and {hint}.") from problem


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_infinite(frame: pl.DataFrame) -> None:
    for values in frame:
        if values.dtype.is_float() and (infinite := values.is_infinite().fill_null(False)).any():
            row = int(infinite.arg_true()[0])
            raise DataError(
                f"Input X contains infinity: column {values.name!r}, row {row + 1:,}. Correct it, or make it missing."
            )
