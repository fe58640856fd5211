"""Short names for the types of a kernel's arguments."""

from typing import Any

import numba
from numba import types

f4, f8, i4, i8, u1 = numba.float32, numba.float64, numba.int32, numba.int64, numba.uint8


def array(kind: Any, dimensions: int = 1) -> Any:
    """A contiguous array that is written to."""
    return types.Array(kind, dimensions, "C")


def read_only(kind: Any, dimensions: int = 1) -> Any:
    """A contiguous array that is only read; one that may be written to fits as well."""
    return types.Array(kind, dimensions, "C", readonly=True)
