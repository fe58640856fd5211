"""Work on rows in a few threads, so divided that the result does not depend on how many there are."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORTH_A_THREAD = 100_000  # entries: below, a thread costs more than it saves


def usable_threads(n_entries: int, threads: int | None = None) -> int:
    """The number of threads for a number of entries: those asked for, else as many as there are processors to use."""
    if threads is not None:
        return threads
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, n_entries // WORTH_A_THREAD))


def in_parts(run: Callable[[int, int], Any], parts: list[tuple[int, int]]) -> None:
    """Call ``run(first, last)`` for each part, in as many threads as there are parts."""
    if len(parts) == 1:
        run(*parts[0])
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(lambda part: run(*part), parts))


def equal_work(starts: NDArray[np.int64], parts: int, block: int = 1) -> list[tuple[int, int]]:
    """Ranges of blocks of `block` rows with about as many entries each, from the places where rows start."""
    n_blocks = -(-(len(starts) - 1) // block)
    by_block = starts[np.minimum(np.arange(n_blocks + 1) * block, len(starts) - 1)]
    inner = np.searchsorted(by_block, by_block[-1] * np.arange(1, parts) / parts)
    borders = [0, *np.clip(inner, 0, n_blocks).tolist(), n_blocks]
    return [(first, last) for first, last in pairwise(borders) if last > first] or [(0, 0)]
