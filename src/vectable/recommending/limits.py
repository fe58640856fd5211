"""Limits that depend on the rest of the list: at most so many items per author, genre or title.

A limit is a class with `ListLimit`'s two methods and a line in `limits_of`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.ratings.side_features import holds_several, parts_of
from vectable.data.vocabularies import Vocabularies
from vectable.errors import UnknownNameError, did_you_mean, quote_some
from vectable.recommending.request import ListRequest

TITLE = "title"


class ListLimit(Protocol):
    """A limit on one list, told of each item that joins it."""

    def admits(self, item: int) -> bool:
        """Whether an item may join the list."""

    def take(self, item: int) -> None:
        """An item joins the list."""


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


class GroupsByColumn:
    """The `Groups` of a data set's items by column, each made when it is first asked for."""

    def __init__(self, data: Vocabularies) -> None:
        self._data, self._made = data, dict[str, Groups]()

    def __call__(self, column: str) -> Groups:
        """Those of a column; see `Groups.of`."""
        if column not in self._made:
            self._made[column] = Groups.of(self._data, column)
        return self._made[column]


def limits_of(request: ListRequest, groups_of: Callable[[str], Groups]) -> list[Callable[[], ListLimit]]:
    """What makes the limits that a request asks for, new ones for each list.

    Args:
        groups_of: the values of a column by its name.
    """
    return [partial(Cap, groups_of(column), most) for column, most in (request.max_per or {}).items()]


class Cap:
    """A limit on the number of items of one list that share a value.

    Args:
        groups: the values of the items.
        most: how many items each value may have.
    """

    def __init__(self, groups: Groups, most: int) -> None:
        self._groups, self._most, self._taken = groups, most, Counter[int]()

    def admits(self, item: int) -> bool:
        """Whether each of an item's values has room for one more."""
        return all(self._taken[value] < self._most for value in self._groups.of_item(item))

    def take(self, item: int) -> None:
        """Count an item's values."""
        self._taken.update(self._groups.of_item(item))


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
