"""Statistics in which a row of weight w counts as w rows: the same numbers as repeating it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SQUARES_FIT = 1e140  # beyond, the sum of squares of a table's column may be no 64-bit number


def weighted_quantile(values: Floats, share: float, weights: Floats | None = None) -> float:
    """Middle of the values at which the running weight reaches `share` of the whole; the median for one half."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    running = np.cumsum(np.ones(len(values)) if weights is None else weights[order])
    reached = share * running[-1]
    low = int(np.searchsorted(running, reached * (1 - 1e-12)))
    high = int(np.searchsorted(running, reached * (1 + 1e-12), side="right"))
    return float((ordered[min(low, len(ordered) - 1)] + ordered[min(high, len(ordered) - 1)]) / 2)


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
    weights = np.ones(len(values)) if weights is None else weights
    total = float(weights.sum())
    mean = float((weights * values).sum() / total)
    variance = float((weights * (values - mean) ** 2).sum() / max(total - ddof, 1e-12))
    return mean, float(np.sqrt(variance)) if total > ddof else 0.0
