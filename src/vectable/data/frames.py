"""Anybody's data frame in, the same kind of frame out: pandas, polars and pyarrow become polars inside.

Column by column, so that pandas needs no pyarrow beside it and a column of mixed types can be told.
"""

import importlib.util
import warnings
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from vectable.errors import DataError, VectableWarning

FrameKind = Literal["pandas", "polars", "pyarrow"]


def to_polars(frame: Any, what: str = "the table") -> tuple[pl.DataFrame, FrameKind]:
    """Take a pandas, polars (also lazy) or pyarrow table, or a dict of columns.

    Returns:
        The polars frame, and the kind that came in, so that `from_polars` can answer in it.

    Raises:
        DataError: for anything else, and for two columns of one name.
    """
    if isinstance(frame, pl.DataFrame):
        return frame, "polars"
    if isinstance(frame, pl.LazyFrame):
        return frame.collect(), "polars"
    if isinstance(frame, dict):
        return pl.DataFrame(frame), "polars"
    try:
        wrapped = nw.from_native(frame, eager_only=True)
    except (TypeError, nw.exceptions.NarwhalsError) as problem:
        raise DataError(
            f"{what} is a {type(frame).__name__}; hand in a pandas, polars or pyarrow table "
            f"(or a file's path to from_file)."
        ) from problem
    if wrapped.implementation.is_pandas():
        return _from_pandas(frame, what), "pandas"
    return wrapped.to_polars(), "pyarrow" if wrapped.implementation.is_pyarrow() else "polars"


def from_polars(frame: pl.DataFrame, kind: FrameKind) -> Any:
    """Hand a polars frame back as the `kind` of frame the user works with."""
    if kind == "polars":
        return frame
    if kind == "pyarrow":
        return frame.to_arrow()
    columns = {name: frame[name].to_numpy() for name in frame.columns}
    return nw.from_dict(columns, backend="pandas").to_native()


def table_to_json(frame: pl.DataFrame) -> dict[str, Any]:
    """A frame as plain JSON values: numbers, truths, texts and lists of them as they are, everything else as text."""
    plain = (pl.String, pl.Boolean, pl.List)
    columns = []
    for series in frame:
        dtype = series.dtype
        kept = series if dtype.is_integer() or dtype.is_float() or dtype in plain else series.cast(pl.String)
        columns.append({"name": series.name, "dtype": _dtype_name(kept.dtype), "values": kept.to_list()})
    return {"columns": columns}


def table_from_json(form: dict[str, Any]) -> pl.DataFrame:
    """The frame back from `table_to_json`."""
    return pl.DataFrame([pl.Series(one["name"], one["values"], dtype=DTYPES[one["dtype"]]) for one in form["columns"]])


DTYPES: dict[str, Any] = {
    "integer": pl.Int64,
    "float": pl.Float64,
    "boolean": pl.Boolean,
    "text": pl.String,
    "texts": pl.List(pl.String),
    "numbers": pl.List(pl.Float64),
}


def _dtype_name(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        return "texts" if dtype.inner == pl.String else "numbers"
    if dtype == pl.Boolean:
        return "boolean"
    return "integer" if dtype.is_integer() else "float" if dtype.is_float() else "text"


def _from_pandas(frame: Any, what: str) -> pl.DataFrame:
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{what} has more than one column named {twice[0]!r}; rename one of them.")
    return pl.DataFrame([_pandas_column(name, frame.iloc[:, at]) for at, name in enumerate(names)])


def _pandas_column(name: str, series: Any) -> pl.Series:
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbmM":
        return pl.Series(name, series.to_numpy())
    if not isinstance(dtype, np.dtype) and importlib.util.find_spec("pyarrow") is not None:
        return pl.Series(name, pl.from_pandas(series))
    values = [None if missing else value for value, missing in zip(series, series.isna(), strict=True)]
    types = {type(value) for value in values if value is not None}
    if len(types) > 1 and not types <= {int, float, bool, np.int64, np.float64}:
        return pl.Series(name, _as_text(name, values), dtype=pl.String)
    return pl.Series(name, values)


def _as_text(name: str, values: list[Any]) -> list[str | None]:
    texts = [None if value is None else str(value) for value in values]
    # 1 and 1.0 are equal to Python and to everybody else; 1 and "1" are not.
    merged = len({v for v in values if v is not None}) - len({t for t in texts if t is not None})
    told = f" {merged:,} values that differed before are now the same." if merged > 0 else ""
    warnings.warn(
        f"Column {name!r} mixes {', '.join(sorted({type(v).__name__ for v in values if v is not None}))}; "
        f"all its values are taken as text.{told}",
        VectableWarning,
        stacklevel=2,
    )
    return texts
