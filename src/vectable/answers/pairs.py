"""Rows and reasons of models of ratings: from what people write to codes, and from terms to JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.answers.named_items import Json, NamedItems
from vectable.data.io.frames import to_column
from vectable.data.pair_columns import to_times
from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.titled_items import codes_by_id_or_title
from vectable.errors import require
from vectable.recommending.answer import Notes
from vectable.recommending.names import note_unknown_rows
from vectable.recommending.terms import Term

Codes = NDArray[np.int32]


def pairs_of(data: RatingsData, rows: Sequence[Mapping[str, Any]], notes: Notes) -> tuple[Codes, Codes]:
    """User and item codes of rows, each a mapping with both columns; items may be ids or titles.

    Raises:
        VectableError: a row without these columns.
    """
    columns = data.columns
    for at, row in enumerate(rows):
        require(
            isinstance(row, Mapping) and columns.user in row and columns.item in row,
            f"Row {at} has not both {columns.user!r} and {columns.item!r}; each row is a mapping with these keys.",
        )
    if not rows:
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
    users = data.user_ids.encode([row[columns.user] for row in rows])
    named = to_column([row[columns.item] for row in rows], quiet=True)
    items = codes_by_id_or_title(named, data.item_ids, data.codes_by_title)
    note_unknown_rows(notes, columns.user, users, False)
    note_unknown_rows(notes, columns.item, items, True)
    return users, items


def times_of(rows: Sequence[Mapping[str, Any]], column: str | None) -> NDArray[np.float64] | None:
    """The times of rows; None where there is no column of them, or a row has none.

    Raises:
        DataError: values that are no times.
    """
    if column is None or not rows or not all(column in row for row in rows):
        return None
    return np.asarray(to_times(to_column([row[column] for row in rows], quiet=True), column, "the rows").to_numpy())


def terms_as_json(terms: Iterable[Term], items: NamedItems) -> list[Json]:
    """``{"term", "meaning", "points"}`` for each term; a "because" also has its item, and what the user gave it."""
    return [
        {"term": term.name, "meaning": term.meaning, "points": term.points}
        | (items.row(term.item) | {"your_rating": term.rating} if term.item else {})
        for term in terms
    ]
