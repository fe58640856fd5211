"""Names as requests write them: ids keep their type, and a text is a title only where the request says so."""

import re
from typing import Any

from vectable.recommending.names import Id

WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def user_named(answers: Any, name: Any) -> Any:
    """A user's id: digits are a number where the ids are numbers."""
    ids = _ids(answers, "user_ids")
    return int(name) if _is_number_in(ids, name) else name


def item_named(answers: Any, name: Any, by: str) -> Any:
    """An item's id, or its title.

    Args:
        by: "id" or "title".
    """
    if by == "title" or not isinstance(name, str):
        return name
    return int(name) if _is_number_in(_ids(answers, "item_ids"), name) else Id(name)


def n_items(answers: Any) -> int:
    """Number of items that a list is chosen among; 0 where there are no lists."""
    ids = _ids(answers, "item_ids")
    return 0 if ids is None else len(ids)


def _ids(answers: Any, of: str) -> Any:
    return getattr(getattr(answers, "data", None), of, None)


def _is_number_in(ids: Any, name: Any) -> bool:
    numbers = ids is not None and ids.vocabulary.dtype.is_integer()
    return numbers and isinstance(name, str) and WHOLE.fullmatch(name) is not None
