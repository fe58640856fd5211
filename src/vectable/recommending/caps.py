"""A limit on the number of items per author, genre or title in one list."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.ratings.side_features import holds_several, parts_of
from vectable.data.vocabularies import Vocabularies
from vectable.errors import UnknownNameError, did_you_mean, quote_some

TITLE = "title"


@dataclass(frozen=True)
class Groups:
    """The values that items have in one column.

    Attributes:
        starts: (items + 2,): those of item i are ``values[starts[i]:starts[i + 1]]``; a missing value is none.
        values: numbers of values.
    """

    starts: NDArray[np.int64]
    values: NDArray[np.int64]

    @classmethod
    def of(cls, data: Vocabularies, column: str) -> "Groups":
        """The values of a column of the items' side table, or the titles.

        Raises:
            UnknownNameError: there is no such column.
        """
        found = _column(data, column)
        lists = parts_of(found) if holds_several(found) else found
        at = pl.DataFrame({"item": np.arange(1, len(found) + 1), "value": lists})
        at = (at.explode("value") if isinstance(lists.dtype, pl.List) else at).drop_nulls().unique()
        at = at.sort("item")
        counts = np.bincount(at["item"].to_numpy(), minlength=len(found) + 1)
        return cls(np.concatenate([[0], np.cumsum(counts)]), at["value"].rank("dense").to_numpy().astype(np.int64))

    def of_item(self, item: int) -> list[int]:
        """The numbers of an item's values."""
        found: list[int] = self.values[self.starts[item] : self.starts[item + 1]].tolist()
        return found


class Room:
    """What one list still has room for.

    Args:
        caps: groups, and how many items each of their values may have in the list.
    """

    def __init__(self, caps: Sequence[tuple[Groups, int]]) -> None:
        self._caps = [(groups, most, Counter[int]()) for groups, most in caps]

    def admits(self, item: int) -> bool:
        """Whether an item may join the list."""
        return all(taken[value] < most for groups, most, taken in self._caps for value in groups.of_item(item))

    def take(self, item: int) -> None:
        """Let an item join the list."""
        for groups, _, taken in self._caps:
            taken.update(groups.of_item(item))


def check_columns(data: Vocabularies, max_per: Mapping[str, int]) -> None:
    """Raise a sentence for a column that items do not have."""
    for column in max_per:
        _column(data, column)


def _column(data: Vocabularies, column: str) -> pl.Series:
    if data.item_table is not None and column in data.item_table.columns:
        return data.item_table[column]
    if column in (TITLE, data.columns.title):
        return data.item_names(np.arange(1, len(data.item_ids)))
    known = [*(() if data.item_table is None else data.item_table.columns), TITLE]
    raise UnknownNameError(
        f"max_per names {column!r}, which is not a column of the items' side table.{did_you_mean(column, known)} "
        f"There are {quote_some(known, 20)}."
    )
