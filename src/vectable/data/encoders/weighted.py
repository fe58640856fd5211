"""Statistics in which a row of weight w counts as w rows: the same numbers as repeating it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SQUARES_FIT = 1e140  # beyond, the sum of squares of a table's column may be no 64-bit number


def weighted_quantile(values: Floats, share: float, weights: Floats | None = None) -> float:
    """Middle of the values at which the running weight reaches `share` of the whole; the median for one half."""
    if weights is None:
        ordered, reached = np.sort(values), share * len(values)
        low, high = int(np.ceil(reached * (1 - 1e-12))) - 1, int(reached * (1 + 1e-12))
    else:
        order = np.argsort(values, kind="stable")
        ordered, running = values[order], np.cumsum(weights[order])
        reached = share * running[-1]
        low = int(np.searchsorted(running, reached * (1 - 1e-12)))
        high = int(np.searchsorted(running, reached * (1 + 1e-12), side="right"))
    last = len(ordered) - 1
    return float((ordered[min(max(low, 0), last)] + ordered[min(high, last)]) / 2)


def weighted_mode(values: Floats, weights: Floats | None = None) -> float:
    """The value with the largest weight, the smallest such value where several have."""
    distinct, which = np.unique(values, return_inverse=True)
    return float(distinct[np.bincount(which, weights).argmax()])


def weighted_mean_std(values: Floats, weights: Floats | None = None, ddof: int = 0) -> tuple[float, float]:
    """Mean and standard deviation, with `ddof` taken off the number of rows."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest > SQUARES_FIT:
        mean, std = weighted_mean_std(values / largest, weights, ddof)
        return mean * largest, std * largest
    if weights is None:  # the same sums without the weights, which a long column would feel
        total, mean = float(len(values)), float(values.sum() / len(values))
        squares = float(((values - mean) ** 2).sum())
    else:
        total = float(weights.sum())
        mean = float((weights * values).sum() / total)
        squares = float((weights * (values - mean) ** 2).sum())
    return mean, float(np.sqrt(squares / max(total - ddof, 1e-12))) if total > ddof else 0.0
