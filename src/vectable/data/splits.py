"""Which rows train and which validate. Pure functions from a table's length or times to row numbers."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

from vectable.errors import require

Rows = NDArray[np.int32]


def random_split(n_rows: int, valid_pct: float, seed: int) -> tuple[Rows, Rows]:
    """Training and validation rows: a random share `valid_pct` (0 to 1) of the rows validates.

    Both come sorted, so that the order of the file is kept. One row alone always trains.
    """
    check_share(valid_pct)
    require(isinstance(seed, Integral) and int(seed) >= 0, f"seed must be a non-negative integer; got {seed!r}.")
    shuffled = np.arange(n_rows, dtype=np.int32)
    np.random.default_rng(seed).shuffle(shuffled)
    chosen = shuffled[: _n_valid(n_rows, valid_pct)].copy()
    del shuffled
    return _cut(chosen, n_rows)


def time_split(times: NDArray[np.float64], valid_pct: float) -> tuple[Rows, Rows]:
    """Training and validation rows: the latest share `valid_pct` of the rows validates; equal times stay in order."""
    check_share(valid_pct)
    latest_first = np.argsort(times, kind="stable")[::-1].astype(np.int32)
    return _cut(latest_first[: _n_valid(len(times), valid_pct)], len(times))


def check_share(valid_pct: float) -> None:
    """Raise a sentence unless `valid_pct` is a share of rows that leaves some to train on."""
    usable = isinstance(valid_pct, Real) and 0 <= valid_pct < 1
    require(usable, f"valid_pct must be a share of the rows in [0, 1); got {valid_pct!r}.")


def _n_valid(n_rows: int, valid_pct: float) -> int:
    return max(min(int(n_rows * valid_pct), n_rows - 1), 0)


def _cut(chosen: Rows, n_rows: int) -> tuple[Rows, Rows]:
    """The rows that are not among `chosen`, and those that are, both in order."""
    held_out = np.zeros(n_rows, dtype=np.bool_)
    held_out[chosen] = True
    return np.arange(n_rows, dtype=np.int32)[~held_out], np.sort(chosen)
