"""Training ratings in the two orders that the sampler reads them in: by user and by item."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Layout:
    """Ratings sorted by user, within a user by their group, and the way from there to the order by item.

    Attributes:
        user, item: codes, (ratings,), from 1 on.
        value: (ratings,) float32.
        user_starts, item_starts: (users + 2,) and (items + 2,): those of row r are ``starts[r]`` to ``starts[r + 1]``.
        by_item: places in the order by user, in the order by item, (ratings,).
        users_by_item: ``user[by_item]``.
        group_starts: where each group of ratings with an offset of their own begins, (groups + 1,), or None.
        group_keys: user and day of each group, (groups, 2), or None.
    """

    user: Codes
    item: Codes
    value: NDArray[np.float32]
    user_starts: NDArray[np.int64]
    item_starts: NDArray[np.int64]
    by_item: NDArray[np.int64]
    users_by_item: Codes
    group_starts: NDArray[np.int64] | None = None
    group_keys: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        user: Codes,
        item: Codes,
        value: NDArray[np.float32],
        n_users: int,
        n_items: int,
        day: NDArray[np.int64] | None = None,
    ) -> "Layout":
        """Sort; `n_users` and `n_items` count the known ones, `day` asks for groups of the same user and day."""
        order = np.argsort(user, kind="stable") if day is None else np.lexsort((day, user))
        user, item, value = user[order], item[order], value[order]
        by_item = np.argsort(item, kind="stable")
        starts = keys = None
        if day is not None:
            day = day[order]
            new = np.ones(len(user), dtype=np.bool_)
            new[1:] = (user[1:] != user[:-1]) | (day[1:] != day[:-1])
            first = np.flatnonzero(new)
            starts = np.append(first, len(user)).astype(np.int64)
            keys = np.column_stack([user[first].astype(np.int64), day[first]])
        return cls(
            user, item, value, _starts(user, n_users), _starts(item, n_items), by_item, user[by_item], starts, keys
        )

    def __len__(self) -> int:
        return len(self.value)


def days(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """The day of each time: times are milliseconds, seconds or days since 1970, recognized by their size."""
    largest = float(np.abs(times).max(initial=0.0))
    unit = 86_400_000 if largest > 1e11 else 86_400 if largest > 1e6 else 1
    return np.floor(times / unit).astype(np.int64)


def _starts(codes: Codes, n_rows: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=n_rows + 1))]).astype(np.int64)
