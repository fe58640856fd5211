"""What is to be predicted: classes or numbers, turned into what a loss takes, and predictions turned back."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import BOOLEANS, Categorify
from vectable.data.encoders.kinds import kind_of
from vectable.data.encoders.normalize import SMALLEST
from vectable.data.encoders.number_text import MISSING_WORDS, NumberText, find_numbers, read_numbers
from vectable.data.encoders.text_options import TextOptions
from vectable.data.io.frames import as_text
from vectable.data.io.parquet_table import ParquetTable
from vectable.data.io.typed_values import values_from_json, values_to_json
from vectable.errors import DataError, require, warn
from vectable.folder_schema import boolean, list_of, mapping, number, one_of, part, record, text, wrong

KINDS = ("classes", "numbers")
CLASSES = record(name=text, classes=mapping)  # as it is saved
NUMBERS = record(
    names=list_of(text, 1),
    log=boolean,
    normalize=boolean,
    mean=list_of(number()),
    std=list_of(number(SMALLEST)),
    low=list_of(number()),
    high=list_of(number()),
)  # as it is saved


class Columns(Protocol):
    """A table whose columns are asked for by name."""

    def __getitem__(self, name: str, /) -> pl.Series:
        """One column, (rows,)."""


class ClassTarget:
    """Classes, of which there are two or more. They are distinguished by their values and keep their type.

    Attributes:
        classes: in order, (classes,); code c is ``classes[c]``. Numbers, booleans and dates are sorted, and so is text;
            categories that have an order of their own keep it.
    """

    kind = "classes"

    def __init__(self, name: str, classes: pl.Series | None = None) -> None:
        self.name = name
        self.classes = pl.Series([], dtype=pl.String) if classes is None else classes

    @property
    def n_outputs(self) -> int:
        """Outputs of a model: one per class."""
        return len(self.classes)

    @property
    def labels(self) -> list[str]:
        """The classes as text, for tables and plots."""
        return as_text(self.classes).to_list()

    def fit(self, train: Columns) -> "ClassTarget":
        """Learn the classes of the training rows.

        Raises:
            DataError: fewer than two.
        """
        values = train[self.name].drop_nulls()
        if isinstance(values.dtype, pl.Enum):
            shown = values.unique().cast(pl.String).implode()
            self.classes = values.dtype.categories.filter(values.dtype.categories.is_in(shown)).alias("")
        else:
            values = values.cast(pl.String) if values.dtype == pl.Categorical else values
            self.classes = values.unique().sort().alias("")
        if len(self.classes) < 2:
            only = f"one class, {self.classes[0]!r}" if len(self.classes) else "no value"
            raise DataError(
                f"The target {self.name!r} has {only} in the training rows: there is nothing to tell apart."
            )
        return self

    def encode(self, frame: Columns) -> NDArray[np.int64]:
        """Class numbers, (rows,); -1 for a class that is not in the training data."""
        return self.numbers_of(frame[self.name])

    def numbers_of(self, values: pl.Series) -> NDArray[np.int64]:
        """`encode` of a column."""
        known, numbers = self.classes, pl.arange(len(self.classes), dtype=pl.Int64, eager=True)
        alike = _in_type(values, known.dtype)
        return alike.replace_strict(known, numbers, default=-1, return_dtype=pl.Int64).to_numpy(writable=True)

    def decode(self, outputs: NDArray[Any]) -> pl.Series:
        """The likeliest class of each row of probabilities, (rows, classes)."""
        return self.classes.gather(np.asarray(outputs).argmax(axis=1)).alias(self.name)

    def to_json(self) -> dict[str, Any]:
        """The target as plain JSON values."""
        return {"kind": self.kind, "name": self.name, "classes": values_to_json(self.classes)}


def _in_type(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Values in the type of the classes; missing where that would make another value of them."""
    if values.dtype == dtype:
        return values
    missing = pl.Series(values.name, [None] * len(values), dtype=dtype)
    if values.dtype in (pl.Enum, pl.Categorical):
        return _in_type(values.cast(pl.String), dtype)
    if dtype == pl.Boolean and values.dtype == pl.String:
        return values.replace(BOOLEANS).replace_strict(["false", "true"], [False, True], default=None)
    if dtype.is_temporal() != values.dtype.is_temporal():
        return missing
    try:
        cast = values.cast(dtype, strict=False)
        return cast.set(cast.cast(values.dtype, strict=False) != values, None)
    except pl.exceptions.PolarsError:
        return missing


class NumberTarget:
    """One number, or several at once; on a logarithmic scale where asked.

    Attributes:
        names: columns, one a number.
        log: whether the model learns ``log(1 + y)`` (y at least 0).
        texts: how a column that is text writes its numbers, by name.
        mean, std: of the encoded training targets, by which they are normalised, (numbers,).
        low, high: of the training targets as given, (numbers,).
    """

    kind = "numbers"

    def __init__(
        self,
        names: list[str],
        log: bool = False,
        normalize: bool = True,
        texts: Mapping[str, NumberText | None] | None = None,
    ) -> None:
        self.names, self.log, self.normalize = names, log, normalize
        self.texts = dict(texts or {})
        self.mean, self.std = np.zeros(len(names)), np.ones(len(names))
        self.low, self.high = np.zeros(len(names)), np.zeros(len(names))

    @property
    def name(self) -> str:
        """The columns in words."""
        return ", ".join(self.names)

    @property
    def n_outputs(self) -> int:
        """Outputs of a model: one a number."""
        return len(self.names)

    def fit(self, train: Columns, weights: NDArray[np.float64] | None = None) -> "NumberTarget":
        """Learn mean and spread of the training rows."""
        from vectable.data.encoders.weighted import weighted_mean_std

        raw = self._read(train)
        self.low, self.high = raw.min(axis=0), raw.max(axis=0)
        if self.log and (raw < 0).any():
            raise DataError(
                f"The target {self.name!r} goes below 0 ({raw.min():g}): it has no logarithm; leave out log."
            )
        if self.normalize:
            scaled = self._scaled(raw)
            both = [weighted_mean_std(scaled[:, at], weights) for at in range(len(self.names))]
            self.mean = np.array([mean for mean, _ in both])
            self.std = np.array([std if std > 0 else 1.0 for _, std in both])
        return self

    def encode(self, frame: Columns) -> NDArray[np.float32]:
        """What the model learns, (rows,) for one number, (rows, numbers) for several."""
        raw = self._read(frame)
        encoded = ((self._scaled(raw) - self.mean) / self.std).astype(np.float32)
        return encoded[:, 0] if len(self.names) == 1 else encoded

    def decode(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Outputs as numbers of the target's own scale, (rows,) or (rows, numbers)."""
        values = np.asarray(outputs, dtype=np.float64)
        values = values.reshape(len(values), len(self.names)) * self.std + self.mean
        values = np.expm1(values) if self.log else values
        return values[:, 0] if len(self.names) == 1 else values

    def to_json(self) -> dict[str, Any]:
        """The target as plain JSON values."""
        numbers = {key: getattr(self, key).tolist() for key in ("mean", "std", "low", "high")}
        return {"kind": self.kind, "names": self.names, "log": self.log, "normalize": self.normalize, **numbers}

    def _read(self, frame: Columns) -> NDArray[np.float64]:
        """The numbers as given, (rows, numbers)."""
        return np.column_stack([read_numbers(frame[name], self.texts.get(name)) for name in self.names])

    def _scaled(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log1p(raw) if self.log else raw


Target = ClassTarget | NumberTarget


def make_target(
    frame: Columns, names: list[str], kind: str | None, log: bool, options: TextOptions | None = None
) -> Target:
    """Classes for text, booleans, categories and whole numbers of up to 20 values, else numbers; or as `kind` says.

    Text that is numbers beyond doubt is numbers.
    """
    require(kind in (None, *KINDS), f"task must be one of {list(KINDS)}; got {kind!r}.")
    if kind is None:
        several = len(names) > 1 or log
        kind = "numbers" if several or kind_of(frame[names[0]], options).kind == "number" else "classes"
    if kind == "numbers":
        return NumberTarget(names, log, texts={name: _spelling(frame[name], options) for name in names})
    require(len(names) == 1, f"Classes are predicted one column at a time, and the targets are {names}.")
    dtype = frame[names[0]].dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        raise DataError(f"The target {names[0]!r} is {dtype}, neither classes nor numbers; take it apart first.")
    return ClassTarget(names[0])


def _spelling(values: pl.Series, options: TextOptions | None) -> NumberText | None:
    """How a column of text writes its numbers; None where it is not text, or writes them plainly."""
    if values.dtype != pl.String:
        return None
    found = find_numbers(values, (options or TextOptions()).decimal)
    return None if found is None else found.text


def target_from_json(form: dict[str, Any]) -> Target:
    """The target back from its `to_json`."""
    if part(form, "kind", one_of(*KINDS), "target.") == "classes":
        form = CLASSES(form, "target")
        classes = form["classes"]
        known = values_from_json(classes) if "type" in classes else Categorify.from_json(classes).vocabulary
        if len(known) < 2 or known.null_count() or known.n_unique() < len(known):
            wrong("target.classes", classes, "two or more different classes")
        return ClassTarget(form["name"], known)  # version 0.1 kept classes as a vocabulary, as text or whole numbers
    form = NUMBERS(form, "target")
    if {len(form[key]) for key in ("mean", "std", "low", "high")} != {len(form["names"])}:
        wrong("target.mean", form["mean"], "as long as target.names")
    target = NumberTarget(form["names"], form["log"], form["normalize"])
    for key in ("mean", "std", "low", "high"):
        setattr(target, key, np.array(form[key], dtype=np.float64))
    return target


def _is_missing(values: pl.Series, words: bool = False) -> NDArray[np.bool_]:
    """Whether each target is missing, (rows,).

    Args:
        words: whether a word for a missing value counts as missing, where all else in a column of text is numbers.
    """
    if words and values.dtype == pl.String and find_numbers(values) is not None:
        values = values.set(values.str.strip_chars().str.to_lowercase().is_in(MISSING_WORDS), None)
    return (values.fill_nan(None) if values.dtype.is_float() else values).is_null().to_numpy()


def with_targets(frame: pl.DataFrame | ParquetTable, names: list[str], valid_rows: Any = None) -> tuple[Any, Any]:
    """The rows whose targets are all there, and the numbers that `valid_rows` have among them.

    How many others there are is a warning.

    Raises:
        DataError: no row has a target.
    """
    there = ~np.any([_is_missing(frame[name], words=True) for name in names], axis=0)
    if there.all():
        return frame, valid_rows
    if not there.any():
        raise DataError(f"No row has a target: column {names[0]!r} is missing in all {len(frame):,}.")
    warn(f"{int((~there).sum()):,} of {len(frame):,} rows have no target and are left out.")
    if valid_rows is not None:
        valid_rows = np.flatnonzero(np.isin(np.flatnonzero(there), valid_rows))
    return frame.filter(pl.Series(there)), valid_rows


def check_target(frame: Columns, target: Target) -> None:
    """Raise a sentence for the first row whose target is missing or, for numbers, not a finite number."""
    for name in target.names if isinstance(target, NumberTarget) else [target.name]:
        values = frame[name]
        if isinstance(target, NumberTarget):
            usable = np.isfinite(read_numbers(values, target.texts.get(name)))
        else:
            usable = ~_is_missing(values)
        if not usable.all():
            row = int(np.argmin(usable))
            is_gone = values[row] is None or values[row] != values[row]
            drop = ", or leave them out with missing_target='drop'" if is_gone else ""
            what = "missing" if is_gone else f"{values[row]!r}, which is not a finite number"
            raise DataError(
                f"The target in row {row + 1:,} of the table (column {name!r}) is {what}; {int((~usable).sum()):,} of "
                f"{len(values):,} rows are like that. Correct them{drop}."
            )
