"""The dense corner of a large table of ratings: the people and things that have most ratings among themselves."""

import numpy as np

from vectable.errors import is_whole, require
from vectable.lab.arrays import Array, Codes


def dense_corner(user: Codes, item: Codes, rating: Array, n: int = 15) -> tuple[Array, Codes, Codes]:
    """At most `n` users by `n` items with few missing ratings, found by taking turns.

    From the most-rated items: the users who rated most of them, the items that these rated most, and so on until
    nothing changes. Ties go to the lower code, so the same ratings give the same corner.

    Args:
        user, item: codes from 0, (ratings,) each.
        rating: (ratings,).
        n: the most users and items.

    Returns:
        The matrix (users, items), NaN where there is no rating and the mean where there are several; the codes of its
        rows; those of its columns.

    Raises:
        VectableError: no ratings, or n out of range.
    """
    require(is_whole(n, 1), f"The corner's size must be a positive integer; got {n!r}.")
    require(len(rating) > 0, "There are no ratings to take a corner of.")
    items = most_common(item, n)
    users: Codes = np.zeros(0, dtype=np.int64)
    for _ in range(20):
        before = users, items
        users = most_common(user[np.isin(item, items)], n)
        items = most_common(item[np.isin(user, users)], n)
        if all(np.array_equal(a, b) for a, b in zip(before, (users, items), strict=True)):
            break
    users, items = np.sort(users), np.sort(items)
    inside = np.isin(user, users) & np.isin(item, items)
    rows, columns = np.searchsorted(users, user[inside]), np.searchsorted(items, item[inside])
    total, count = np.zeros((2, len(users), len(items)))
    np.add.at(total, (rows, columns), rating[inside])
    np.add.at(count, (rows, columns), 1)
    with np.errstate(invalid="ignore"):
        return total / count, users, items


def most_common(codes: Codes, n: int) -> Codes:
    """The `n` codes that occur most often, the commonest first."""
    found, counts = np.unique(codes, return_counts=True)
    return found[np.argsort(-counts, kind="stable")[:n]]
