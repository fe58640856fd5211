"""Items as JSON values: id, title and number of known rows, from lists made once."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.vocabularies import Vocabularies

Json = dict[str, Any]


class NamedItems:
    """The items of a vocabulary by code.

    Args:
        data: names, titles and counts.
        count: what the number of an item's training rows is called: "ratings" or "count".
    """

    def __init__(self, data: Vocabularies, count: str) -> None:
        self.data, self.count = data, count

    def rows(self, codes: Sequence[int] | NDArray[np.int32], **figures: NDArray[Any] | Sequence[Any]) -> list[Json]:
        """A mapping for each item: its name, its figures, and its number of training rows."""
        columns = [one.tolist() if isinstance(one, np.ndarray) else list(one) for one in figures.values()]
        return [
            self.row(int(code), dict(zip(figures, values, strict=True)))
            for code, *values in zip(codes, *columns, strict=True)
        ]

    def row(self, code: int, figures: Mapping[str, Any] | None = None) -> Json:
        """One item as people know it, with figures between its name and its number of rows."""
        return self.name(code) | dict(figures or {}) | {self.count: self._counts[code]}

    def name(self, code: int) -> Json:
        """Id, and title where there are titles."""
        return {"item": self._ids[code]} | ({} if self._titles is None else {"title": self._titles[code]})

    @cached_property
    def _ids(self) -> list[Any]:
        return [None, *self.data.item_ids.vocabulary.to_list()]

    @cached_property
    def _titles(self) -> list[str | None] | None:
        return None if self.data.titles is None else self.data.item_names(np.arange(len(self.data.item_ids))).to_list()

    @cached_property
    def _counts(self) -> list[int]:
        counts: list[int] = self.data.item_counts.tolist()
        return counts
