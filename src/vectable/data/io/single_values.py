"""One value by itself: whether it is missing, and what a value of NumPy or pandas is in plain Python."""

from typing import Any

import numpy as np


def is_missing(value: object) -> bool:
    """Whether a value stands for a missing one: None, not-a-number of any type, NaT, or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, str | bytes | int):
        return False
    try:
        return bool(value != value)
    except (TypeError, ValueError, ArithmeticError):  # an array; pandas' NA, which is neither equal nor different
        return type(value).__name__ == "NAType"


def to_python(value: object) -> object:
    """A value that polars knows: None where missing, NumPy's scalars as Python's, a period of pandas as its start and
    an interval as its text."""
    if is_missing(value):
        return None
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    if isinstance(value, np.timedelta64):
        return value.astype("timedelta64[us]").item()
    kind = type(value)
    if kind.__module__.split(".")[0] == "pandas":
        if kind.__name__ == "Period":
            return value.start_time.to_pydatetime()  # type: ignore[attr-defined]  # pandas is not imported here
        if kind.__name__ == "Interval":
            return _interval_text(value)
    return value


def _interval_text(interval: Any) -> str:
    """``(0, 3]``; pandas makes 0.0 of an end 0 where another interval of the column is missing."""
    ends = (int(end) if isinstance(end, float) and end.is_integer() else end for end in (interval.left, interval.right))
    low, high = "[" if interval.closed_left else "(", "]" if interval.closed_right else ")"
    return f"{low}{', '.join(map(str, ends))}{high}"
