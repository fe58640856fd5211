"""The range that a sigmoid keeps predictions in: a little outside the scale, so that its ends can be reached."""

from collections.abc import Sequence
from typing import Any

from vectable.errors import VectableError, is_finite, warn


def choose_range(low: float, high: float, y_range: Sequence[float] | str | None) -> tuple[float, float] | None:
    """The range for ratings from `low` to `high`: as given, an eighth of the scale beyond both ends for "auto", or
    None.

    Raises:
        VectableError: it is not a range.
    """
    suggested = _beyond(low, high)
    if y_range is None:
        return None
    if isinstance(y_range, str) and y_range == "auto":
        return suggested
    pair: Any = (
        y_range if isinstance(y_range, tuple | list) and len(y_range) == 2 and all(map(is_finite, y_range)) else None
    )
    if pair is None or pair[0] >= pair[1]:
        raise VectableError(
            f"y_range must be (low, high) with low below high, e.g. {suggested} for these ratings; got {y_range!r}."
        )
    check_within(low, high, (pair[0], pair[1]))
    return float(pair[0]), float(pair[1])


def check_within(low: float, high: float, y_range: tuple[float, float]) -> None:
    """Warn when the ratings reach beyond what the model can predict."""
    if low < y_range[0] or high > y_range[1]:
        suggested = _beyond(low, high)
        warn(
            f"The ratings go from {low:g} to {high:g}, and y_range {y_range} cannot reach them all; "
            f"use one a little outside, y_range=({suggested[0]:g}, {suggested[1]:g})."
        )


def _beyond(low: float, high: float) -> tuple[float, float]:
    beyond = (high - low) / 8 or 1.0
    return low - beyond, high + beyond
