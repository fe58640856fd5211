"""Anybody's data frame in, the same kind of frame out: pandas, polars and pyarrow become polars inside.

Column by column, so that pandas needs no pyarrow beside it and a column of mixed types can be reported.
"""

import importlib.util
import numbers
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.forks import polars_threads
from vectable.data.io.single_values import is_missing, to_python
from vectable.errors import DataError, warn

FrameKind = Literal["pandas", "polars", "pyarrow"]


@dataclass(frozen=True)
class LateTable:
    """A table that is read where it is needed, so that nobody else holds it and it can go as soon as it is used."""

    read: Callable[[], pl.DataFrame]


def to_polars(frame: Any, what: str = "the table") -> tuple[pl.DataFrame, FrameKind]:
    """Take a pandas, polars (also lazy) or pyarrow table, or a dict of columns.

    Returns:
        The polars frame, and the kind that came in, so that `from_polars` can answer in it.

    Raises:
        DataError: for anything else, for two columns of one name, and for columns of different lengths.
    """
    polars_threads.check()
    if isinstance(frame, LateTable):
        return frame.read(), "polars"
    if isinstance(frame, pl.DataFrame):
        return frame, "polars"
    if isinstance(frame, pl.LazyFrame):
        return frame.collect(), "polars"
    if isinstance(frame, dict):
        return _from_columns(frame, what), "polars"
    if nw.dependencies.is_pandas_dataframe(frame):
        return _from_pandas(frame, what), "pandas"
    try:
        wrapped = nw.from_native(frame, eager_only=True)
    except nw.exceptions.DuplicateError:
        raise _named_twice(frame.schema.names, what) from None
    except (TypeError, nw.exceptions.NarwhalsError) as problem:
        raise DataError(
            f"{_capital(what)} is a {type(frame).__name__}; hand in a pandas, polars or pyarrow table "
            f"(or a file's path to from_file)."
        ) from problem
    return wrapped.to_polars(), "pyarrow" if wrapped.implementation.is_pyarrow() else "polars"


def from_polars(frame: pl.DataFrame, kind: FrameKind) -> Any:
    """Hand a polars frame back as the `kind` of frame the user works with; as it is, with a warning, where that library
    is not installed."""
    polars_threads.check()
    if kind == "polars":
        return frame
    if not _installed(kind):
        warn(f"The data came as {kind}, which is not installed here: tables are polars frames.")
        return frame
    if kind == "pyarrow":
        return frame.to_arrow()
    columns = {name: _numpy_column(frame[name]) for name in frame.columns}
    return nw.from_dict(columns, backend="pandas").to_native()


def _installed(library: str) -> bool:
    """Whether a library can be imported."""
    return library in sys.modules or importlib.util.find_spec(library) is not None


def _numpy_column(series: pl.Series) -> NDArray[Any]:
    """A column for pandas; whole numbers with missing values stay whole, as objects, so that no id becomes 173.0."""
    has_missing = series.dtype.is_integer() and series.null_count() > 0
    return np.array(series.to_list(), dtype=object) if has_missing else series.to_numpy()


def numbers_of(values: pl.Series) -> NDArray[Any]:
    """A column of numbers, (rows,); in one piece it is not copied.

    ``Series.to_numpy`` joins its pieces in polars' own memory, which goes back to the system a second later.
    """
    chunks = values.get_chunks()
    return np.concatenate([chunk.to_numpy() for chunk in chunks]) if len(chunks) > 1 else values.to_numpy()


def to_series(values: Any, name: str = "", quiet: bool = False) -> pl.Series:
    """Take a column: of polars, pandas or pyarrow, a NumPy array, or any values one after the other.

    Values of several types become numbers where all are numbers, else text, with a warning unless `quiet`.
    """
    polars_threads.check()
    if isinstance(values, pl.Series):
        return values.alias(name)
    if nw.dependencies.is_pandas_series(values) or nw.dependencies.is_pandas_index(values):
        return _from_pandas_column(name, values, quiet)
    if nw.dependencies.is_pyarrow_chunked_array(values) or hasattr(values, "__arrow_c_array__"):
        return pl.Series(name, values)
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        return _from_numpy(name, values)
    return _from_values(name, list(values), quiet)


def to_column(values: Any, quiet: bool = False) -> pl.Series:
    """A column under its own name: whatever `to_series` takes, or a table of one column.

    Raises:
        DataError: a table of several columns.
    """
    polars_threads.check()
    if isinstance(values, pl.Series):
        return values
    if nw.dependencies.is_into_dataframe(values):
        frame = to_polars(values)[0]
        if frame.width != 1:
            raise DataError(f"One column is asked for, and the table has {frame.width}; hand in one of them.")
        return frame.to_series()
    name = getattr(values, "name", None)
    return to_series(values, "" if name is None else str(name), quiet)


def as_text(values: pl.Series) -> pl.Series:
    """Any column as text; missing stays missing."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError:  # lists, objects, bytes that are not text
        texts = [None if value is None else str(value) for value in values.to_list()]
        return pl.Series(values.name, texts, dtype=pl.String)


def to_numpy(values: pl.Series) -> NDArray[Any]:
    """A column without missing values as an array of its own type; of Python's objects where NumPy has no such type."""
    dtype = values.dtype
    zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    if zoned or dtype == pl.Time or dtype.is_decimal():
        array = np.empty(len(values), dtype=object)
        array[:] = values.to_list()
        return array
    return values.to_numpy()


def _from_columns(columns: dict[Any, Any], what: str) -> pl.DataFrame:
    """A dict of columns; a single value stands for as many as the others have."""
    for name in columns:
        if not is_unicode(str(name)):
            raise _no_unicode(str(name), [])
    single = {str(name): values for name, values in columns.items() if isinstance(values, str | int | float)}
    try:
        several = {
            str(name): to_series(values, str(name)) for name, values in columns.items() if str(name) not in single
        }
        frame = pl.DataFrame(several) if several else pl.DataFrame({name: [value] for name, value in single.items()})
    except (TypeError, pl.exceptions.PolarsError) as problem:
        raise DataError(f"{_capital(what)} cannot be made of these columns: {problem}.") from problem
    return frame.with_columns(pl.lit(value).alias(name) for name, value in single.items()).select(map(str, columns))


def _from_pandas(frame: Any, what: str) -> pl.DataFrame:
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise _named_twice(names, what)
    columns = (column for _, column in frame.items())
    return pl.DataFrame({name: _from_pandas_column(name, one) for name, one in zip(names, columns, strict=True)})


def _from_pandas_column(name: str, column: Any, quiet: bool = False) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return _from_numpy(name, column.to_numpy(), nan_is_missing=True)  # as it is in pandas
    kind = type(dtype).__name__
    if kind == "PeriodDtype":
        return to_series(getattr(column, "dt", column).to_timestamp(), name)
    if kind == "IntervalDtype":
        return _from_values(name, list(column))
    if hasattr(dtype, "categories"):
        return _from_categories(name, to_series(dtype.categories), getattr(column, "cat", column).codes)
    if not isinstance(dtype, np.dtype) and _has_pyarrow():
        try:
            return pl.Series(name, pl.from_pandas(column))
        except (TypeError, ValueError, NotImplementedError):  # pyarrow does not know every type of pandas
            pass
    values = [None if gone else value for value, gone in zip(column, column.isna(), strict=True)]
    return _from_values(name, values, quiet)


@cache
def _has_pyarrow() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def _from_categories(name: str, categories: pl.Series, codes: Any) -> pl.Series:
    """Categories of text keep their order; others are taken for their values."""
    at = pl.Series(np.asarray(codes, dtype=np.int64))
    values = categories.gather(at.set(at < 0, None)).alias(name)
    return values.cast(pl.Enum(categories.unique(maintain_order=True))) if values.dtype == pl.String else values


def _from_numpy(name: str, values: NDArray[Any], nan_is_missing: bool = False) -> pl.Series:
    if values.dtype.kind in "mM" and np.datetime_data(values.dtype)[0] not in ("ns", "us", "ms"):
        values = values.astype(f"{values.dtype.kind}8[us]")  # polars has no coarser ones
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    try:
        return pl.Series(name, values, nan_to_null=nan_is_missing)
    except UnicodeEncodeError:
        raise _no_unicode(name, values.tolist()) from None


def _from_values(name: str, values: list[Any], quiet: bool = False) -> pl.Series:
    if not all(isinstance(value, str | float | int | None) for value in values):
        values = [to_python(value) for value in values]
    try:
        return pl.Series(name, values)
    except UnicodeEncodeError:
        raise _no_unicode(name, values) from None
    except (TypeError, pl.exceptions.PolarsError):
        values = [None if is_missing(value) else value for value in values]
    known = [value for value in values if value is not None]
    if any(isinstance(value, str) and not is_unicode(value) for value in known):
        raise _no_unicode(name, values)
    if all(isinstance(value, str) for value in known):
        return pl.Series(name, values, dtype=pl.String)
    if all(isinstance(value, numbers.Real) for value in known):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    texts = [None if value is None else _text_of(value) for value in values]
    if not quiet:
        _warn_of_mixed(name, values, texts)
    return pl.Series(name, texts, dtype=pl.String)


def _warn_of_mixed(name: str, values: list[Any], texts: list[str | None]) -> None:
    sources = {(text, isinstance(value, str)) for text, value in zip(texts, values, strict=True)}
    merged = len(sources) - len(set(texts))
    note = (
        f" {merged:,} of them stood there both as text and as something else, and are now the same." if merged else ""
    )
    warn(
        f"Column {name!r} mixes {', '.join(sorted({type(value).__name__ for value in values if value is not None}))}; "
        f"all its values are taken as text.{note}"
    )


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: half of a surrogate pair, as undecodable bytes leave it, cannot."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


def _no_unicode(name: str, values: list[Any]) -> DataError:
    texts = (isinstance(value, str) and not is_unicode(value) for value in values)
    row = next((row for row, is_bad in enumerate(texts) if is_bad), None)
    if row is None:
        return DataError(f"The name of column {name!r} is not valid Unicode; rename it.")
    where = f"Row {row + 1:,} of column {name!r}" if name else f"Value {row + 1:,}"
    return DataError(
        f"{where} holds {values[row]!r:.80}, which is not valid Unicode; read the data in the encoding it is "
        "written in, or correct it."
    )


def _text_of(value: Any) -> str:
    """1.0 is written as 1, which it equals."""
    return str(int(value) if isinstance(value, float | np.floating) and value.is_integer() else value)


def _named_twice(names: list[str], what: str) -> DataError:
    twice = next(name for name in names if names.count(name) > 1)
    return DataError(f"{_capital(what)} has more than one column named {twice!r}; rename one of them.")


def _capital(what: str) -> str:
    return what[:1].upper() + what[1:]
