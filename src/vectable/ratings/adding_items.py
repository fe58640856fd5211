"""Taking in an item that training did not know: its id, its title, its place in the vocabulary."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import polars as pl

from vectable.data.encoders.categorify import Categorify
from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.side_tables import lengthen
from vectable.errors import VectableError, is_whole, require


def with_item(data: RatingsData, item: Any, title: str | None) -> RatingsData:
    """The same data with one more item behind the known ones.

    Raises:
        VectableError: an id that is known already, or a text where all ids are numbers.
    """
    item = _like_ids(item, data.item_ids.vocabulary)
    if data.item_ids.encode_one(item):
        raise VectableError(f"The item {item!r} is known already.")
    item_ids = Categorify(data.item_ids.vocabulary)
    item_ids.grow(pl.Series([item]))
    titles = data.titles
    if titles is not None:
        titles = pl.concat([titles.rename(""), pl.Series([title], dtype=pl.String)])
    table = lengthen(data.item_table, item_ids, data.columns.item)
    return replace(data, item_ids=item_ids, titles=titles, item_table=table)


def next_id(ids: pl.Series) -> int | str:
    """An id that is not among `ids`: the highest number and 1, or "new item 1"."""
    if ids.dtype == pl.Int64:
        return int(ids.to_numpy().max(initial=0)) + 1
    taken = set(ids)
    return next(name for number in count(1) if (name := f"new item {number}") not in taken)


def as_features(features: Any, side: str) -> Mapping[str, Any] | None:
    """Features of a new row, known to be a mapping.

    Raises:
        VectableError: they are something else.
    """
    require(
        features is None or isinstance(features, Mapping),
        f"Features must be a mapping from columns of the {side}s' side table to values, {{'column': value}}; "
        f"got {features!r}.",
    )
    checked: Mapping[str, Any] | None = features
    return checked


def _like_ids(item: Any, ids: pl.Series) -> int | str:
    """A new id as the known ones are: numbers stay numbers, and among texts it becomes one."""
    require(
        isinstance(item, str) or is_whole(item, -(2**63)), f"item must be an id, a text or an integer; got {item!r}."
    )
    if ids.dtype != pl.Int64:
        return str(item)
    found = pl.Series([str(item)]).cast(pl.Int64, strict=False)[0]
    require(
        found is not None and str(found) == str(item),
        f"item must be an integer, as the ids of the known items are; got {item!r}.",
    )
    return int(found)
