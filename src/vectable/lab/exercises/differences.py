"""What differs between an answer and the solution, and where, as a sentence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def first_difference(got: Mapping[str, Any], wanted: Mapping[str, Any], tolerance: float) -> str | None:
    """A sentence about the first value that differs; None where all are alike."""
    for name, value in wanted.items():
        found = _difference(name, got[name], value, tolerance)
        if found is not None:
            return found
    return None


def _difference(name: str, got: Any, wanted: Any, tolerance: float) -> str | None:
    if got is None or got is Ellipsis:
        return f"{name} is {got}: the gap is not filled in yet."
    if isinstance(wanted, str | bool):
        return None if got == wanted else f"{name} is {got!r} and should be {wanted!r}."
    here, there = _numbers(got), _numbers(wanted)
    if here is None or there is None:
        return f"{name} is a {type(got).__name__} and should hold numbers."
    if here.shape != there.shape:
        return f"{name} has the shape {here.shape} and should have {there.shape}."
    if not here.size:
        return None
    with np.errstate(invalid="ignore"):
        off = np.abs(here - there) / np.maximum(np.abs(there), 1.0)
    alike = (here == there) | (np.isnan(here) & np.isnan(there))
    off = np.where(alike, 0.0, np.where(np.isfinite(here) & np.isfinite(there), off, np.inf))
    at = np.unravel_index(int(np.argmax(off)), off.shape)
    if off[at] <= tolerance:
        return None
    return f"{name}{_place(at)} is {_shown(here[at])} and should be {_shown(there[at])}."


def _numbers(value: Any) -> NDArray[np.float64] | None:
    """A number, an array or a tensor as 64-bit numbers; None where it is none of these."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _place(at: tuple[np.intp, ...]) -> str:
    """Where in an array, counted from 0 as in Python: `` [1, 0]``."""
    return f"[{', '.join(str(int(one)) for one in at)}]" if at else ""


def _shown(value: np.float64) -> str:
    return f"{float(value):.6g}"
