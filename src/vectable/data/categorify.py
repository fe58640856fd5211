"""Categories to codes and back. Code 0 is the unknown: whatever the training rows did not show."""

import warnings
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.errors import ArtifactError

Codes = NDArray[np.int32]


def as_ids(values: pl.Series) -> pl.Series:
    """Bring any column of identifiers to whole numbers (Int64) or text (String); missing stays missing.

    Floats that are all whole (pandas makes integers with holes floats) become integers; categories,
    booleans, dates and other floats become text.
    """
    dtype = values.dtype
    if dtype.is_integer():
        return values.cast(pl.Int64) if dtype != pl.Int64 else values
    if dtype.is_float():
        values = values.fill_nan(None)
        whole = values.drop_nulls()
        if bool(((whole == whole.round(0)) & (whole.abs() < 2**53)).all()):
            return values.cast(pl.Int64)
    return values if dtype == pl.String else values.cast(pl.String)


class Categorify:
    """A vocabulary, learned from the training rows: value -> code 1, 2, ... in sorted order; 0 is unknown.

    Attributes:
        vocabulary: the known values, (categories,), Int64 or String; value of code c is ``vocabulary[c - 1]``.
    """

    def __init__(self, vocabulary: pl.Series | None = None) -> None:
        self.vocabulary = pl.Series([], dtype=pl.String) if vocabulary is None else vocabulary

    def __len__(self) -> int:
        """Number of codes, the unknown among them: the rows an embedding needs."""
        return len(self.vocabulary) + 1

    def fit(self, values: pl.Series) -> "Categorify":
        """Learn the vocabulary of `values`, (rows,); missing values are not part of it."""
        self.vocabulary = as_ids(values).drop_nulls().unique().sort().alias("")
        self._forget()
        return self

    def encode(self, values: pl.Series | Any) -> Codes:
        """Codes of `values`, (rows,) int32; 0 for what the vocabulary does not hold and for missing."""
        series = values if isinstance(values, pl.Series) else _series(values)
        ids = self._like_vocabulary(as_ids(series))
        if len(self.vocabulary) == 0 or len(ids) == 0:
            return np.zeros(len(ids), dtype=np.int32)
        if len(ids) <= 64:
            return np.array([self._code_of.get(value, 0) for value in ids], dtype=np.int32)
        codes = pl.arange(1, len(self), dtype=pl.Int32, eager=True)
        return ids.replace_strict(self.vocabulary, codes, default=0, return_dtype=pl.Int32).to_numpy(writable=True)

    def decode(self, codes: Codes) -> pl.Series:
        """Values of `codes`, (rows,); missing for code 0."""
        codes = np.asarray(codes)
        known = pl.Series(codes > 0)
        if len(self.vocabulary) == 0:
            return pl.Series([None] * len(codes), dtype=self.vocabulary.dtype)
        values = self.vocabulary.gather(np.maximum(codes, 1) - 1)
        return pl.select(pl.when(known).then(values)).to_series()

    def grow(self, values: pl.Series) -> int:
        """Append the values not yet known, sorted, behind the others; codes given out stay. Returns how many."""
        ids = self._like_vocabulary(as_ids(values)).drop_nulls().unique()
        new = ids.filter(self.encode(ids) == 0).sort()
        self.vocabulary = pl.concat([self.vocabulary, new.alias("").cast(self.vocabulary.dtype)])
        self._forget()
        return len(new)

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        kind = "integer" if self.vocabulary.dtype == pl.Int64 else "text"
        return {"kind": kind, "values": self.vocabulary.to_list()}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "Categorify":
        """The encoder back from `to_json`."""
        dtypes = {"integer": pl.Int64, "text": pl.String}
        if form.get("kind") not in dtypes:
            raise ArtifactError(f"A vocabulary is of kind {form.get('kind')!r}; this program knows {list(dtypes)}.")
        return cls(pl.Series(form["values"], dtype=dtypes[form["kind"]]))

    @cached_property
    def _code_of(self) -> dict[Any, int]:
        return {value: code for code, value in enumerate(self.vocabulary, start=1)}

    def _forget(self) -> None:
        self.__dict__.pop("_code_of", None)

    def _like_vocabulary(self, ids: pl.Series) -> pl.Series:
        """ "42" is looked up as 42 where the vocabulary holds numbers, and the other way round."""
        return ids if ids.dtype == self.vocabulary.dtype else ids.cast(self.vocabulary.dtype, strict=False)


def _series(values: Any) -> pl.Series:
    values = list(values) if not isinstance(values, np.ndarray) else values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pl.Series(values)
        except (TypeError, pl.exceptions.PolarsError):  # numbers and texts together: look all up as text
            return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
