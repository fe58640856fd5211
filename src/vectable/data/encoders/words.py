"""Words of columns of text as features: what titles and descriptions have in common, without a table of meanings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from vectable.data.encoders.categorify import Categorify
from vectable.folder_schema import map_of, mapping

LEAST = 3  # rows that must share a word
MOST = 1_000  # words of all columns, the most frequent ones of more
SEVERAL = 1.5  # words per row, in the mean, from which on a text is one
VALUE = 0.5
"""Of a word that a row has, beside 1 of a category: there are many, and each tells less."""


class SharedWords:
    """Which words of which columns are features.

    Args:
        vocabularies: the words of each column.
    """

    def __init__(self, vocabularies: Mapping[str, Categorify]) -> None:
        self.vocabularies = dict(vocabularies)

    @classmethod
    def fit(cls, table: pl.DataFrame, names: Sequence[str]) -> "SharedWords":
        """Take the words of the columns `names` that enough rows have; a column without any is left out."""
        counts = [
            pl.DataFrame({"word": words_of(table[name]).explode().drop_nulls()})
            .group_by("word")
            .len("rows")
            .filter(pl.col("rows") >= LEAST)
            .with_columns(column=pl.lit(name))
            for name in names
        ]
        if not counts:
            return cls({})
        frequent = pl.concat(counts).sort("rows", "column", "word", descending=[True, False, False]).head(MOST)
        taken = {name: frequent.filter(column=name)["word"] for name in names}
        return cls({name: Categorify().fit(words) for name, words in taken.items() if len(words)})

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.vocabularies)

    @property
    def n_features(self) -> int:
        """Number of words."""
        return sum(len(one) - 1 for one in self.vocabularies.values())

    def encode(self, table: pl.DataFrame) -> Any:
        """Features of the rows of a table that has the columns, sparse (rows, words)."""
        blocks = [sparse.csr_matrix((len(table), 0))]
        for name, vocabulary in self.vocabularies.items():
            lists = words_of(table[name])
            rows = np.repeat(np.arange(len(table)), lists.list.len().fill_null(0).to_numpy())
            codes = vocabulary.encode(lists.explode(empty_as_null=False, keep_nulls=False))
            blocks.append(_indicators(rows, codes, (len(table), len(vocabulary) - 1)))
        return sparse.hstack(blocks, format="csr")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: one.to_json() for name, one in self.vocabularies.items()}

    @classmethod
    def from_json(cls, form: Any, where: str) -> "SharedWords":
        """The words back from `to_json`.

        Raises:
            PartError: they have another form.
        """
        return cls({name: Categorify.from_json(one) for name, one in map_of(mapping)(form, where).items()})


def is_prose(column: pl.Series) -> bool:
    """Whether a column holds texts of several words."""
    if column.dtype != pl.String or column.null_count() == len(column):
        return False
    lengths = words_of(column.drop_nulls()).list.len()
    return float(lengths.sum()) >= SEVERAL * len(lengths)


def words_of(column: pl.Series) -> pl.Series:
    """The different words of each text in small letters, a list a row."""
    return column.cast(pl.String).str.to_lowercase().str.extract_all(r"\w+").list.unique(maintain_order=True)


def _indicators(rows: NDArray[np.intp], codes: NDArray[np.int32], shape: tuple[int, int]) -> Any:
    known = codes > 0
    return sparse.csr_matrix((np.full(known.sum(), VALUE), (rows[known], codes[known] - 1)), shape=shape)
