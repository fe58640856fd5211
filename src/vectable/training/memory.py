"""Large blocks of memory that one step frees are kept for the next.

The C library of Linux gives blocks beyond 32 MB back to the system when they are freed, and the system hands them out
again page by page, each set to zero first. A step on photographs frees and asks for hundreds of megabytes; that costs
it a third of its time and more.
"""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

# Numbers of glibc's malloc.h for mallopt.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
MOST = 2**31 - 1
# Where glibc arrives by itself once a block of 32 MB was freed.
USUAL = {MMAP_MAX: 65_536, MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20}


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Keep what is freed inside; afterwards it goes back to the system. Does nothing with another C library."""
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(MMAP_MAX, 0)
    libc.mallopt(TRIM_THRESHOLD, MOST)
    try:
        yield
    finally:
        for number, value in USUAL.items():
            libc.mallopt(number, value)
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library where it is glibc, else None."""
    if platform.libc_ver()[0] != "glibc":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
