"""Learning rates that change: each a function of the position, 0 at the first step, 1 after the last."""

import math
from collections.abc import Callable

import numpy as np

from vectable.lab.arrays import Array


def linear(start: float, end: float, position: float) -> float:
    """A straight line.

    Examples:
        >>> from vectable import lab
        >>> lab.linear(1.0, 3.0, 0.5)
        2.0
    """
    return start + (end - start) * position


def cosine(start: float, end: float, position: float) -> float:
    """Half a cosine, flat at both ends (Loshchilov & Hutter 2017).

    Examples:
        >>> from vectable import lab
        >>> [round(lab.cosine(1.0, 0.0, at), 3) for at in (0, 0.5, 1)]
        [1.0, 0.5, 0.0]
    """
    return start + (end - start) * (1 - math.cos(math.pi * position)) / 2


def exponential(start: float, end: float, position: float) -> float:
    """Equal ratios: what the learning-rate finder walks up.

    Examples:
        >>> from vectable import lab
        >>> round(lab.exponential(1e-4, 1.0, 0.5), 6)
        0.01
    """
    return float(start * (end / start) ** position)


def one_cycle(
    lr_max: float,
    steps: int,
    warm_up: Callable[[float, float, float], float] = cosine,
    pct_start: float = 0.25,
    div: float = 25.0,
    final_div: float = 1e5,
) -> Array:
    """Up from `lr_max / div`, then down a cosine to `lr_max / final_div` (Smith 2018), (steps,).

    The defaults are those of the current reference library; the lesson's are `linear`, 0.3, 25 and 25e4. Step i stands
    at i / steps, so the last step is just short of the end. torch's `OneCycleLR` stands at i / (steps - 1), and the top
    at `pct_start * steps - 1`.

    Examples:
        >>> from vectable import lab
        >>> rates = lab.one_cycle(1.0, 100)
        >>> int(rates.argmax()), round(float(rates[0]), 4), float(rates[-1]) < 1e-3
        (25, 0.04, True)
    """
    return np.array(
        [_two_phases(i / steps, lr_max / div, lr_max, lr_max / final_div, warm_up, pct_start) for i in range(steps)]
    )


def one_cycle_momentum(
    steps: int,
    moms: tuple[float, float, float] = (0.95, 0.85, 0.95),
    warm_up: Callable[[float, float, float], float] = cosine,
    pct_start: float = 0.25,
) -> Array:
    """Momentum while `one_cycle` goes up and down: down and up, (steps,).

    Examples:
        >>> from vectable import lab
        >>> momenta = lab.one_cycle_momentum(100)
        >>> round(float(momenta[0]), 2), round(float(momenta.min()), 2)
        (0.95, 0.85)
    """
    return np.array([_two_phases(i / steps, *moms, warm_up, pct_start) for i in range(steps)])


def _two_phases(
    position: float,
    start: float,
    middle: float,
    end: float,
    warm_up: Callable[[float, float, float], float],
    pct_start: float,
) -> float:
    if position < pct_start:
        return warm_up(start, middle, position / pct_start)
    return cosine(middle, end, (position - pct_start) / (1 - pct_start))
