"""An offset for each user's day: which one a rating has."""

import numpy as np
from numpy.typing import NDArray

from vectable.sampling.layout import days

Floats = NDArray[np.float64]
Keys = NDArray[np.int64]


def day_keys(users: NDArray[np.int32], times: Floats) -> Keys:
    """User and day in one number each, (ratings,)."""
    return (users.astype(np.int64) << 32) + (days(times) + (1 << 31))


def offset_keys(users: NDArray[np.int32], times: Floats) -> Keys:
    """User and day of every offset that some ratings have, rising."""
    return np.unique(day_keys(users, times))


def places_of(keys: Keys | None, users: NDArray[np.int32], times: Floats | None) -> NDArray[np.int64] | None:
    """The offset of each row's user and day, or the place after the last where training saw none; None without keys.

    Args:
        keys: user and day of every offset, rising.
    """
    if keys is None:
        return None
    if times is None or len(keys) == 0:
        return np.full(len(users), len(keys))
    wanted = day_keys(users, times)
    at = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[at] == wanted, at, len(keys))
