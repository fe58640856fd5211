"""Categories to codes and back. Code 0 is the unknown: whatever the training rows did not show.

Where asked for, missing values have a code of their own, the last; otherwise they count as unknown.
"""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.column_encoder import ColumnInput
from vectable.data.encoders.graph import Value
from vectable.data.io.frames import as_text, to_column
from vectable.data.io.saved_columns import DTYPES, column_from_json
from vectable.data.io.single_values import is_missing
from vectable.errors import require
from vectable.folder_schema import any_value, boolean, one_of, record, wrong

Codes = NDArray[np.int32]

FORM = record(kind=one_of("integer", "text"), values=any_value, missing_slot=boolean)  # as it is saved

BLOCK = 1 << 20  # rows looked up at a time
EXACT = 2.0**53  # whole numbers from here on are not exact in a 64-bit float
# Spellings of a boolean where training showed booleans (which are kept as "false" and "true").
BOOLEANS = {
    **dict.fromkeys(("False", "FALSE", "0"), "false"),
    **dict.fromkeys(("True", "TRUE", "1"), "true"),
}

NUMBER_INPUT = ColumnInput("category", "number", "NaN")
FEW = 64  # values looked up one by one, which for a few is quicker than a join


def as_ids(values: pl.Series) -> pl.Series:
    """Bring any column of identifiers to whole numbers (Int64) or text (String); missing stays missing.

    Floats that are all whole (as pandas gives integers with missing values) become integers. Where some are not, the
    whole ones are written like integers, so that 2.0 is the same id wherever it stands. Categories, booleans and dates
    become text, and so do integers of more digits than an Int64 holds.
    """
    dtype = values.dtype
    if dtype.is_float() or dtype.is_decimal():
        numbers = values.cast(pl.Float64).fill_nan(None)
        is_whole = (numbers == numbers.round(0)) & (numbers.abs() < 2**53)
        whole = numbers.set(~is_whole, None).cast(pl.Int64)
        if whole.null_count() == numbers.null_count():
            return whole
        text = pl.when(numbers.is_not_null()).then(values.cast(pl.String))
        return pl.select(pl.coalesce(whole.cast(pl.String), text).alias(values.name)).to_series()
    if dtype.is_integer():
        narrow = values.cast(pl.Int64, strict=False)
        if narrow.null_count() == values.null_count():
            return narrow
    return as_text(values)


class Categorify:
    """A vocabulary, learned from the training rows: value -> code 1, 2, ... in sorted order; 0 is unknown.

    Categories that have an order of their own (polars Enum, pandas categories of text) keep it. Where training showed
    booleans, "True", "TRUE" and 1 are looked up as true, and so for false.

    Args:
        missing_slot: whether missing values get the code after the last value, instead of 0.

    Attributes:
        vocabulary: the known values, (categories,), Int64 or String; value of code c is ``vocabulary[c - 1]``.

    Examples:
        >>> import vectable as vt
        >>> cities = vt.Categorify().fit(["Rome", "Oslo", "Rome"])
        >>> cities.encode(["Oslo", "Rome", "Lima"]).tolist()  # 0 is unknown
        [1, 2, 0]
    """

    def __init__(self, vocabulary: pl.Series | None = None, missing_slot: bool = False) -> None:
        self.missing_slot = missing_slot
        self.vocabulary = pl.Series([], dtype=pl.String) if vocabulary is None else vocabulary

    def __len__(self) -> int:
        """Number of codes, the unknown (and the missing, where it has one) among them: the rows an embedding needs."""
        return len(self.vocabulary) + 1 + self.missing_slot

    @property
    def missing_code(self) -> int:
        """The code of a missing value."""
        return len(self.vocabulary) + 1 if self.missing_slot else 0

    def fit(
        self,
        values: pl.Series | Any,
        *,
        target: NDArray[Any] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> "Categorify":
        """Learn the vocabulary of `values`, (rows,), of any library; missing values are not part of it.

        It depends neither on a target nor on weights.
        """
        values = to_column(values)
        ids = as_ids(values.unique()).drop_nulls().unique()
        in_order = values.dtype.categories if isinstance(values.dtype, pl.Enum) else ids.sort()
        self.vocabulary = in_order.filter(in_order.is_in(ids.implode())).alias("")
        self._forget()
        return self

    def encode(self, values: pl.Series | Any) -> Codes:
        """Codes of `values`, (rows,) int32; 0 for what the vocabulary does not hold, `missing_code` for missing."""
        if isinstance(values, pl.Series) and values.dtype.is_integer() and len(values) > FEW and self._is_compact:
            return self._codes_by_table(values)
        given = _ids_of(values)
        ids = self._like_vocabulary(given)
        if len(self.vocabulary) == 0 or len(ids) <= FEW:
            codes = np.array([self._code_of.get(value, 0) for value in ids], dtype=np.int32)
        else:
            known = pl.arange(1, len(self.vocabulary) + 1, dtype=pl.Int32, eager=True)
            codes = ids.replace_strict(self.vocabulary, known, default=0, return_dtype=pl.Int32).to_numpy(writable=True)
        if self.missing_slot:
            codes[given.is_null().to_numpy()] = self.missing_code
        return codes

    def encode_one(self, value: Any) -> int:
        """The code of one value, mostly without building a column."""
        if isinstance(value, str):
            value = str(value)  # of a kind of its own, such as np.str_
        elif isinstance(value, np.integer):
            value = value.item()
        if type(value) in (int, str) and (code := self._code_of.get(value)) is not None:
            return code
        return self.missing_code if is_missing(value) else int(self.encode([value])[0])

    def decode(self, codes: Codes) -> pl.Series:
        """Values of `codes`, (rows,); missing for code 0."""
        codes = np.asarray(codes)
        known = pl.Series((codes > 0) & (codes <= len(self.vocabulary)))
        if len(self.vocabulary) == 0:
            return pl.Series([None] * len(codes), dtype=self.vocabulary.dtype)
        values = self.vocabulary.gather(np.clip(codes, 1, len(self.vocabulary)) - 1)
        return pl.select(pl.when(known).then(values)).to_series()

    def grow(self, values: pl.Series) -> int:
        """Append the values not yet known, sorted, behind the others; codes given out stay. Returns how many.

        A vocabulary of numbers that meets a text becomes one of texts.
        """
        require(not self.missing_slot, "A vocabulary with a slot for missing values cannot grow: that slot would move.")
        ids = as_ids(values).drop_nulls().unique()
        if self._like_vocabulary(ids).has_nulls():
            self.vocabulary = self.vocabulary.cast(pl.String)
            self._forget()
        ids = self._like_vocabulary(ids)
        new = ids.filter(self.encode(ids) == 0).sort()
        self.vocabulary = pl.concat([self.vocabulary, new.alias("")])
        self._forget()
        return len(new)

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        kind = "integer" if self.vocabulary.dtype == pl.Int64 else "text"
        return {"kind": kind, "values": self.vocabulary.to_list(), "missing_slot": self.missing_slot}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "Categorify":
        """The encoder back from `to_json`."""
        form = FORM(form, "vocabulary")
        values = column_from_json(form["values"], DTYPES[form["kind"]], "vocabulary.values")
        if values.null_count() or values.n_unique() < len(values):
            wrong("vocabulary.values", form["values"], "different values, none of them missing")
        return cls(values, form["missing_slot"])

    def describe(self) -> ColumnInput:
        """How a graph takes the column: as text where the categories are text, or whole numbers that no 64-bit float
        keeps apart."""
        known = self.vocabulary
        is_text = not known.dtype.is_integer() or bool((known.abs() >= EXACT).any())
        return ColumnInput("category", "text", self._missing_text) if is_text else NUMBER_INPUT

    def to_onnx(self, value: Value) -> Value:
        """Codes, (rows,) int64, of a column of text or of 64-bit floats, whichever `describe` names."""
        if value.is_text:
            code_of = {str(known): code for code, known in enumerate(self.vocabulary, start=1)}
            spellings = BOOLEANS if self._holds_booleans else {}
            also = {spelling: code_of[known] for spelling, known in spellings.items() if known in code_of}
            return value.look_up({**code_of, **also, self._missing_text: self.missing_code})
        is_whole = value.graph.add("Floor", value).equals(value) & (value.graph.add("Abs", value) < EXACT)
        number_of = {int(known): code for code, known in enumerate(self.vocabulary.cast(pl.Int64), start=1)}
        codes = value.where(is_whole, 0).cast("int64").look_up(number_of).where(is_whole, 0)
        return codes.where(~value.is_nan(), self.missing_code)

    @cached_property
    def _code_of(self) -> dict[Any, int]:
        return {value: code for code, value in enumerate(self.vocabulary, start=1)}

    def _forget(self) -> None:
        self.__dict__.pop("_code_of", None)

    @property
    def _holds_booleans(self) -> bool:
        """Whether the vocabulary is of booleans: "false", "true" or both, and nothing else."""
        known = self.vocabulary
        return 1 <= len(known) <= 2 and known.dtype == pl.String and set(known) <= {"false", "true"}

    @property
    def _missing_text(self) -> str:
        """What stands for a missing text: the empty one, or where that is a category, a word that is none."""
        word = ""
        while word in self.vocabulary.cast(pl.String):
            word += "<missing>"
        return word

    @property
    def _is_compact(self) -> bool:
        """Whether the vocabulary is of whole numbers that fill much of their range: then a table beats a join."""
        if self.vocabulary.dtype != pl.Int64 or len(self.vocabulary) == 0:
            return False
        known = self.vocabulary.to_numpy()
        low, high = int(known.min()), int(known.max())
        return high - low < 1_000_000 + 8 * len(self.vocabulary) and abs(low) < 2**62

    def _codes_by_table(self, values: pl.Series) -> Codes:
        """`encode` for whole numbers by one look-up a value, a block at a time, with no copy of the column."""
        known = self.vocabulary.to_numpy()
        below = int(known.min()) - 1
        table = np.zeros(int(known.max()) - below + 1, dtype=np.int32)
        table[known - below] = np.arange(1, len(known) + 1, dtype=np.int32)
        codes = np.empty(len(values), dtype=np.int32)
        for first in range(0, len(values), BLOCK):
            part = values.slice(first, BLOCK)
            numbers = part.cast(pl.Int64, strict=False).fill_null(below).to_numpy()
            inside = (numbers >= below) & (numbers <= below + len(table) - 1)
            found = table[np.where(inside, numbers - below, 0)]
            if self.missing_slot and part.null_count():
                found[part.is_null().to_numpy()] = self.missing_code
            codes[first : first + BLOCK] = found
        return codes

    def _like_vocabulary(self, ids: pl.Series) -> pl.Series:
        """ "42" is looked up as 42 where the vocabulary holds numbers ("042" is not 42), and the other way round."""
        if self._holds_booleans:
            return ids.cast(pl.String).replace(BOOLEANS)
        if ids.dtype == self.vocabulary.dtype:
            return ids
        cast = ids.cast(self.vocabulary.dtype, strict=False)
        return cast.set(cast.cast(ids.dtype) != ids, None)


def _ids_of(values: Any) -> pl.Series:
    """Ids to look up; numbers and texts together are looked up as text without a warning."""
    return as_ids(to_column(values, quiet=True))
