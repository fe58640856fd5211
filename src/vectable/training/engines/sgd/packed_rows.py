"""One side's rows with their biases, packed so that a row is one stretch of memory, and what sets each row's rate."""

import numpy as np
from numpy.typing import NDArray

from vectable.vectors import LANES

Floats = NDArray[np.float32]

FIRST_SQUARES = 0.03
"""What a row's sum of squares starts from: its first rate is the schedule's divided by the root of this."""
BIAS_GAIN = 0.25
"""The share of a row's rate at which its bias moves. A bias's gradient is several times a factor's, and at the full
rate the biases overshoot in the first epoch."""


class PackedRows:
    """The users' or the items' rows.

    Attributes:
        table: (rows, width) float32; `kernels.py` has the layout.
        squares: what divides each row's rate, see `kernels.train_lane`, (rows,) float32.
        gains: share of the row's rate at which each number of it moves, (width,) float32.
    """

    def __init__(self, factors: Floats, bias: Floats, *, of_items: bool) -> None:
        n_rows, self.n_factors = factors.shape
        self.width = -(-(self.n_factors + 2) // LANES) * LANES
        self.bias_at, one_at = self.n_factors + of_items, self.n_factors + (not of_items)
        self.table = np.zeros((n_rows, self.width), dtype=np.float32)
        self.table[:, one_at] = 1
        self.squares = np.full(n_rows, FIRST_SQUARES, dtype=np.float32)
        self.gains = np.zeros(self.width, dtype=np.float32)
        self.gains[: self.n_factors], self.gains[self.bias_at] = 1, BIAS_GAIN
        self.write(factors, bias)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def factors(self) -> Floats:
        """(rows, n_factors), a view."""
        return self.table[:, : self.n_factors]

    @property
    def bias(self) -> Floats:
        """(rows,), a view."""
        return self.table[:, self.bias_at]

    def write(self, factors: Floats, bias: Floats) -> None:
        """Take weights over: (rows, n_factors) and (rows,)."""
        self.factors[:], self.bias[:] = factors, bias
