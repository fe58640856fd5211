"""Features of side columns, alone and in pairs: what a comedy of the fifties is, neither comedies nor fifties say.

Words of texts stand beside them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from vectable.data.encoders.words import SharedWords
from vectable.data.ratings.side_features import LEAST, SideFeatures
from vectable.folder_schema import Default, PartError, list_of, mapping, record, whole

MOST_SINGLE = 2_000  # features that are taken alone; the most frequent ones of more
MOST_PAIRS = 1_000
PAIR = 0.6
"""Value of a pair, beside 1 of a feature alone: pairs shrink more."""

FORM = record(
    columns=mapping,
    single=list_of(whole(), 0, MOST_SINGLE),
    pairs=list_of(list_of(whole(), 2, 2), 0, MOST_PAIRS),
    words=Default({}, mapping),
)
"""The form of crossed features in a saved folder."""


class CrossedFeatures:
    """Features of a side table's columns, and products of two of them.

    Args:
        columns: encoder of the columns.
        single: the features taken, of those that the encoder makes.
        pairs: which of them are multiplied, by their place in `single`, (pairs, 2).
        words: of texts.
    """

    def __init__(
        self, columns: SideFeatures, single: NDArray[np.int64], pairs: NDArray[np.int64], words: SharedWords
    ) -> None:
        self.columns, self.single, self.pairs, self.words = columns, single, pairs, words

    @classmethod
    def fit(cls, columns: SideFeatures, table: pl.DataFrame, texts: Sequence[str] = ()) -> "CrossedFeatures":
        """Take the features, the pairs and the words that enough rows of a table have, the most frequent ones of many.

        Args:
            columns: encoder of the other columns, fitted.
            texts: columns whose words are taken.
        """
        present = columns.encode(table) != 0
        frequency = np.asarray(present.sum(axis=0)).ravel()
        single = np.sort(np.argsort(-frequency, kind="stable")[:MOST_SINGLE])
        chosen = present[:, single].astype(np.int32)
        together = sparse.triu(chosen.T @ chosen, k=1).tocoo()
        often = together.data >= LEAST
        first, second, times = together.row[often], together.col[often], together.data[often]
        best = np.sort(np.lexsort((second, first, -times))[:MOST_PAIRS])
        pairs = np.stack([first[best], second[best]], axis=1).astype(np.int64)
        return cls(columns, single, pairs, SharedWords.fit(table, texts))

    @property
    def names(self) -> list[str]:
        """The columns that are looked at."""
        return [name for name in (*self.columns.columns, *self.words.columns) if name not in self.columns.left_out]

    def encode(self, table: pl.DataFrame) -> Any:
        """Features of the rows of a table that has the columns, sparse (rows, features)."""
        return sparse.hstack([self._with_pairs(self.columns.encode(table)), self.words.encode(table)], format="csr")

    def encode_one(self, given: Mapping[str, Any], what: str) -> Any:
        """Features of one row from some of the columns, sparse (1, features); what is not given is missing.

        Raises:
            VectableError: a column that the model does not know, with the closest.
        """
        texts = pl.DataFrame({name: [given.get(name)] for name in self.words.columns}, strict=False)
        alone = self.columns.encode_one(given, what, self.words.columns)
        return sparse.hstack(
            [
                self._with_pairs(sparse.csr_matrix(alone[None])),
                self.words.encode(texts) if len(texts) else sparse.csr_matrix((1, 0)),
            ],
            format="csr",
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "columns": self.columns.to_json(),
            "single": self.single.tolist(),
            "pairs": self.pairs.tolist(),
            "words": self.words.to_json(),
        }

    @classmethod
    def from_json(cls, form: Any, where: str) -> "CrossedFeatures":
        """The features back from `to_json`.

        Raises:
            PartError: they have another form.
        """
        form = FORM(form, where)
        try:
            columns = SideFeatures.from_json(form["columns"])
        except (KeyError, TypeError, AttributeError) as error:
            raise PartError(f"{where}.columns is not an encoder of side columns") from error
        single = np.array(form["single"], dtype=np.int64)
        pairs = np.array(form["pairs"], dtype=np.int64).reshape(-1, 2)
        if single.max(initial=-1) >= int(columns.kept.sum()) or pairs.max(initial=-1) >= len(single):
            raise PartError(f"{where} names features that there are not")
        return cls(columns, single, pairs, SharedWords.from_json(form["words"], f"{where}.words"))

    @property
    def n_features(self) -> int:
        """Number of features, pairs and words among them."""
        return len(self.single) + len(self.pairs) + self.words.n_features

    def _with_pairs(self, features: Any) -> Any:
        alone = features[:, self.single].tocsc()
        products = alone[:, self.pairs[:, 0]].multiply(alone[:, self.pairs[:, 1]])
        return sparse.hstack([alone, PAIR * products], format="csr")
