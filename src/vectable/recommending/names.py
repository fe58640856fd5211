"""From what a person writes, an id or a title, to the code of a user or an item."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.item_search import names_like
from vectable.data.vocabularies import Vocabularies
from vectable.errors import UnknownNameError, closest, quote_some
from vectable.recommending.answer import Notes

AVERAGE = "the average one stands in"
MEAN_USER = "the list is what the average user likes best"
MEAN_USERS = "they get what the average user likes best"
MOST_POPULAR = "the list is what most users took"
MOST_POPULAR_MANY = "they get what most users took"
SEARCHED_FOR_CLOSE = 200_000  # names: among more, close ones are not looked for
FEW = 64  # names that are looked up one by one


class Id(str):
    """A text that is an id, also where a title reads the same."""

    __slots__ = ()


def find_codes(
    data: Vocabularies, names: Iterable[Any] | Any, is_item: bool, notes: Notes, then: str = AVERAGE
) -> NDArray[np.int32]:
    """Codes for ids or, for items, titles; 0 for what is neither, with a note.

    Text is looked for among the titles first (a book may be called "1984"), an `Id` and everything else among the ids.
    Where several items share a title, it means the one with most ratings.

    Args:
        then: what becomes of an unknown one, for the note.
    """
    wanted = listed(names)
    codes = _codes_by_id(data, wanted, is_item)
    if is_item and data.titles is not None:
        titled = data.codes_by_title
        pairs = zip(wanted, codes.tolist(), strict=True)
        codes = np.array(
            [titled.get(name, code) if _may_be_title(name) else code for name, code in pairs], dtype=np.int32
        )
    missing = [name for name, code in zip(wanted, codes, strict=True) if code == 0]
    kind = "unknown_item" if is_item else "unknown_user"
    notes.add(
        kind, len(missing), lambda: f"{_unknown(data, missing, is_item)}: {then}.{_close(data, missing, is_item)}"
    )
    return codes


def find_code(data: Vocabularies, name: Any, is_item: bool) -> int:
    """The code of one that must be known.

    Raises:
        UnknownNameError: it is not; with the closest names.
    """
    (code,) = find_codes(data, [name], is_item, Notes()).tolist()
    if code == 0:
        unknown, close = _unknown(data, [name], is_item), _close(data, [name], is_item)
        raise UnknownNameError(f"{unknown}: it is not in the training data.{close}")
    return int(code)


def note_unknown_rows(notes: Notes, column: str, codes: NDArray[np.int32], is_item: bool, then: str = AVERAGE) -> None:
    """Note the number of rows whose code is 0, if there are any."""
    unknown = int(np.count_nonzero(codes == 0))
    kind = "unknown_item" if is_item else "unknown_user"
    message = f"{unknown:,} of {len(codes):,} rows have a {column!r} that is not in the training data: {then}."
    notes.add(kind, unknown, lambda: message)


def user_of_list(data: Vocabularies, user: Any, notes: Notes, by_popularity: bool) -> int:
    """Code of the user whose list is asked for; 0 for an unknown one, with a note on what the list is then.

    Args:
        by_popularity: whether it is what most users took, or else what the average user likes.
    """
    return int(find_codes(data, [user], False, notes, MOST_POPULAR if by_popularity else MEAN_USER)[0])


def users_of_lists(data: Vocabularies, users: Any, notes: Notes, by_popularity: bool) -> NDArray[np.int32]:
    """As `user_of_list`, of many users; None for all known ones."""
    if users is None:
        return np.arange(1, len(data.user_ids), dtype=np.int32)
    codes = _codes_by_id(data, users, False) if isinstance(users, list) else data.user_ids.encode(users)
    then = MOST_POPULAR_MANY if by_popularity else MEAN_USERS
    note_unknown_rows(notes, data.columns.user, codes, False, then)
    return codes


def _may_be_title(name: Any) -> bool:
    return isinstance(name, str) and not isinstance(name, Id)


def listed(names: Any) -> list[Any]:
    """Names as a list; a single one becomes a list of one."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        return [names]
    return names.to_list() if isinstance(names, pl.Series) else list(names)


def _codes_by_id(data: Vocabularies, names: list[Any], is_item: bool) -> NDArray[np.int32]:
    ids = data.item_ids if is_item else data.user_ids
    if len(names) <= FEW:
        return np.array([ids.encode_one(name) for name in names], dtype=np.int32)
    return ids.encode(names)


def _unknown(data: Vocabularies, missing: list[Any], is_item: bool) -> str:
    return (
        f"{len(missing):,} unknown {'item' if is_item else 'user'}{'s' * (len(missing) > 1)} ({quote_some(missing, 3)})"
    )


def _close(data: Vocabularies, missing: list[Any], is_item: bool) -> str:
    """Known names like the first unknown one, as a sentence with a leading space; empty where there are none."""
    name, ids = missing[0], data.item_ids if is_item else data.user_ids
    if isinstance(name, Id) and data.titles is not None and (code := data.codes_by_title.get(str(name))):
        return f" It is the title of item {ids.vocabulary[code - 1]!r}."
    if is_item and isinstance(name, str):
        near = names_like(data, name)
    else:
        near = closest(name, ids.vocabulary) if len(ids) <= SEARCHED_FOR_CLOSE else []
    return f" Close to {name!r}: {quote_some(near)}." if near else ""
