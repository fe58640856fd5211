"""Where a new rating lies with a given probability: about a mean, or the shortest run of ordered categories."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from vectable.errors import is_finite, require

Floats = NDArray[np.float64]


def check_level(level: Any) -> None:
    """Raise a sentence unless `level` is a probability between 0 and 1."""
    require(is_finite(level) and 0 < level < 1, f"level must be in (0, 1), e.g. 0.9; got {level!r}.")


def interval_about(
    mean: Floats, spread: Floats, noise: float, level: float, limits: tuple[float, float]
) -> NDArray[np.float32]:
    """Lowest and highest, (rows, 2), within the scale.

    Args:
        mean, spread: expected ratings, not clipped, and their standard deviations, (rows,).
        noise: variance of a single rating about its expectation.
    """
    reach = ndtri(0.5 + level / 2) * np.sqrt(spread**2 + noise)
    return np.column_stack([mean - reach, mean + reach]).clip(*limits).astype(np.float32)


def shortest_runs(probabilities: Floats, categories: Floats, level: float) -> NDArray[np.float32]:
    """Lowest and highest category of the shortest run with at least `level`, (rows, 2); of equals the likeliest."""
    rows, n = probabilities.shape
    upto = np.concatenate([np.zeros((rows, 1)), probabilities.cumsum(axis=1)], axis=1)
    found = np.tile(categories[[0, -1]], (rows, 1))
    open_ = np.ones(rows, dtype=np.bool_)
    for length in range(1, n):
        within = upto[:, length:] - upto[:, :-length]
        best = within.argmax(axis=1)
        enough = open_ & (within.max(axis=1) >= level)
        found[enough] = np.column_stack([categories[best], categories[best + length - 1]])[enough]
        open_ &= ~enough
    return found.astype(np.float32)
