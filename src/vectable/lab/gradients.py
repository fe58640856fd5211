"""Gradients by trying: change one number a little, see what the function does. For checking those found by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vectable.errors import VectableError, require
from vectable.lab.arrays import Array


def finite_differences(function: Callable[[Array], float], x: ArrayLike, step: float = 1e-6) -> Array:
    """The gradient of `function` at `x`, of the shape of x, by central differences.

    `(f(x + h) - f(x - h)) / 2h` with h = step * max(1, |x|); the error shrinks with the square of h. The lesson's
    workbook goes one way only, `(f(x + h) - f(x)) / h` with h = 0.01, whose error shrinks with h: see `one_sided`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.finite_differences(lambda x: float(x @ x), np.array([1.0, -2.0])).round(4).tolist()
        [2.0, -4.0]
    """
    at = np.array(x, dtype=np.float64)
    slopes = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        kept = at[index]
        h = step * max(1.0, abs(float(kept)))
        at[index] = kept + h
        above = function(at)
        at[index] = kept - h
        below = function(at)
        at[index] = kept
        slopes[index] = (above - below) / (2 * h)
    return slopes


def one_sided(function: Callable[[Array], float], x: ArrayLike, step: float = 0.01) -> Array:
    """The workbook's estimate of the gradient: `(f(x + h) - f(x)) / h`, one number of x at a time.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.one_sided(lambda x: float(x @ x), np.array([1.0]), step=0.01).round(4).tolist()
        [2.01]
    """
    at = np.array(x, dtype=np.float64)
    here = function(at)
    slopes = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        kept = at[index]
        at[index] = kept + step
        slopes[index] = (function(at) - here) / step
        at[index] = kept
    return slopes


def check_gradient(
    function: Callable[..., float],
    gradient: Callable[..., Any],
    *points: ArrayLike,
    step: float = 1e-6,
    tolerance: float = 1e-5,
) -> float:
    """Compare a gradient found by hand with finite differences at a point.

    Args:
        function: takes one array or several, gives one number.
        gradient: takes the same, gives the gradient: an array, or one for each array of several.
        points: the arrays (or numbers) at which to compare.
        step: of the finite differences.
        tolerance: the largest difference allowed, relative to the larger of 1 and the gradient's largest number.

    Returns:
        The largest difference found, relative in that way.

    Raises:
        VectableError: the two differ by more, are of other shapes, or are not finite numbers; the message says where.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.array([1.0, -2.0])) < 1e-6
        True
    """
    require(bool(points), "check_gradient needs a point: one array for each argument of the function.")
    arrays = [np.array(point, dtype=np.float64) for point in points]
    given = gradient(*[one.copy() for one in arrays])
    by_hand: list[Any] = [given]
    if len(arrays) > 1 or _is_list_of_one(given, arrays[0]):
        by_hand = list(given)
    if len(by_hand) != len(arrays):
        raise VectableError(f"The gradient has {len(by_hand)} parts, the point {len(arrays)}; return one for each.")
    worst = 0.0
    for which, part in enumerate(by_hand):
        found = np.asarray(part, dtype=np.float64)
        expected = finite_differences(_with_one_free(function, arrays, which), arrays[which], step)
        worst = max(worst, _difference(found, expected, which, tolerance))
    return worst


def _is_list_of_one(given: object, point: Array) -> bool:
    return isinstance(given, list | tuple) and len(given) == 1 and np.shape(given[0]) == point.shape


def _with_one_free(function: Callable[..., float], arrays: list[Array], which: int) -> Callable[[Array], float]:
    return lambda x: float(function(*arrays[:which], x, *arrays[which + 1 :]))


def _difference(found: Array, expected: Array, which: int, tolerance: float) -> float:
    name = f"The gradient by argument {which}"
    if found.shape != expected.shape:
        raise VectableError(f"{name} has shape {found.shape}, the argument {expected.shape}.")
    if not (np.isfinite(found).all() and np.isfinite(expected).all()):
        raise VectableError(f"{name} is not finite everywhere, or the function is not; move the point.")
    if found.size == 0:
        return 0.0
    apart = np.abs(found - expected) / max(1.0, float(np.abs(expected).max()))
    worst = np.unravel_index(int(apart.argmax()), apart.shape)
    if apart[worst] > tolerance:
        where = f" at {tuple(int(i) for i in worst)}" if worst else ""
        raise VectableError(
            f"{name}{where} is {found[worst]:.6g} by hand, {expected[worst]:.6g} by finite differences."
        )
    return float(apart[worst])
