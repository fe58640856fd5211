"""From what a person writes, an id or a title, to the code of a user or an item, and telling what is unknown."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.vocabularies import Vocabularies
from vectable.errors import UnknownNameError, closest, quote_some, warn

AVERAGE = "the average one stands in"
SEARCHED_FOR_CLOSE = 200_000  # names: among more, no close ones are looked for


def find_codes(
    data: Vocabularies, names: Iterable[Any], is_item: bool, then: str = AVERAGE, must_exist: bool = False
) -> NDArray[np.int32]:
    """Codes for ids or, for items, titles; 0 for what is neither, which is told.

    Text is looked for among the titles first (a book may be called "1984"), everything else among the ids. Where
    several items share a title, it means the one with most ratings.

    Args:
        then: what becomes of an unknown one, for the warning.
        must_exist: raise instead.

    Raises:
        UnknownNameError: unknown, and `must_exist`; with the closest names.
    """
    names = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    codes = (data.item_ids if is_item else data.user_ids).encode(names)
    if is_item and data.titles is not None:
        titled = data.codes_by_title
        found = [
            titled.get(name, code) if isinstance(name, str) else code for name, code in zip(names, codes, strict=True)
        ]
        codes = np.array(found, dtype=np.int32)
    missing = [name for name, code in zip(names, codes, strict=True) if code == 0]
    if missing:
        _tell(data, missing, is_item, then, must_exist)
    return codes


def tell_unknown(column: str, codes: NDArray[np.int32], then: str = AVERAGE) -> None:
    """Warn with the number of rows whose code is 0, if there are any."""
    unknown = int(np.count_nonzero(codes == 0))
    if unknown:
        told = f"{unknown:,} of {len(codes):,} rows have a {column!r} that training never showed: {then}."
        warn(told)


def _tell(data: Vocabularies, missing: list[Any], is_item: bool, then: str, must_exist: bool) -> None:
    known = data.item_names(np.arange(1, len(data.item_ids))) if is_item else data.user_ids.vocabulary
    near = closest(missing[0], known) if len(known) <= SEARCHED_FOR_CLOSE else []
    hint = f" Close to {missing[0]!r}: {quote_some(near)}." if near else ""
    what = f"{'item' if is_item else 'user'}{'s' if len(missing) > 1 else ''}"
    told = f"{len(missing):,} unknown {what} ({quote_some(missing, 3)})"
    if must_exist:
        raise UnknownNameError(f"{told}: training never showed it.{hint}")
    warn(f"{told}: {then}.{hint}")
