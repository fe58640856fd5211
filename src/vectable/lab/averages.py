"""Exponentially weighted averages: the memory behind momentum, RMSProp, Adam and every smoothed loss curve."""

import numpy as np
from numpy.typing import ArrayLike

from vectable.lab.arrays import Array


def ewma(values: ArrayLike, beta: float = 0.98, debias: bool = False, start: float = 0.0) -> Array:
    """`s = beta * s + (1 - beta) * x` after every value, (n,).

    Args:
        values: (n,).
        beta: how much of the past is kept; the average looks back over about `1 / (1 - beta)` values.
        debias: divide by `1 - beta**(i + 1)`, which takes the start at 0 out (Kingma & Ba 2015, section 3).
        start: the average before the first value; 0 where `debias` is used.

    Examples:
        >>> from vectable import lab
        >>> lab.ewma([1.0, 1.0], 0.9).round(3).tolist()
        [0.1, 0.19]
        >>> lab.ewma([1.0, 1.0], 0.9, debias=True).round(3).tolist()
        [1.0, 1.0]
    """
    averages, s = [], start
    for i, x in enumerate(np.asarray(values, dtype=np.float64)):
        s = beta * s + (1 - beta) * x
        averages.append(s / (1 - beta ** (i + 1)) if debias else s)
    return np.array(averages)
