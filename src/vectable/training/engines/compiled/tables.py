"""A table of embeddings with its optimizer state, packed so that one row is one stretch of memory."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LANES = 16
"""Floats in a vector of the kernels; rows are padded to whole ones."""

WEIGHTS, FIRST, ROOTS = range(3)
"""The stretches of a row: weights, first moments, square roots of the second moments."""


class Table:
    """One table: factors and biases, their two moments, and the step each row is at.

    Attributes:
        packed: (rows, 3, width) float32, beginning at a cache line. Factors, then the bias, then zeros.
        last: the step of the schedule each row is at, (rows,) int32.
        width: factors + 1, rounded up to whole vectors.
    """

    def __init__(self, factors: Floats, bias: Floats) -> None:
        self.n_rows, self.n_factors = factors.shape
        self.width = -(-(self.n_factors + 1) // LANES) * LANES
        self.packed = _aligned_zeros(self.n_rows * 3 * self.width).reshape(self.n_rows, 3, self.width)
        self.last = np.zeros(self.n_rows, dtype=np.int32)
        self.write(WEIGHTS, factors, bias)

    def write(self, stretch: int, factors: Floats, bias: Floats) -> None:
        """Replace one stretch of every row.

        Args:
            stretch: WEIGHTS, FIRST or ROOTS.
            factors, bias: (rows, n_factors) and (rows,).
        """
        if factors.shape != (self.n_rows, self.n_factors) or bias.shape != (self.n_rows,):
            raise ValueError(
                f"a table of {self.n_rows} rows with {self.n_factors} factors cannot take "
                f"factors {factors.shape} and biases {bias.shape}"
            )
        self.packed[:, stretch, : self.n_factors] = factors
        self.packed[:, stretch, self.n_factors] = bias
        self.packed[:, stretch, self.n_factors + 1 :] = 0.0

    def read(self, stretch: int) -> tuple[Floats, Floats]:
        """Copies of one stretch of every row: (rows, n_factors) and (rows,)."""
        part = self.packed[:, stretch]
        return part[:, : self.n_factors].copy(), part[:, self.n_factors].copy()


def _aligned_zeros(count: int, boundary: int = 64) -> Floats:
    """Zeros whose first byte is at a multiple of `boundary`, so that rows fill whole cache lines."""
    room = np.zeros(count + boundary // 4, dtype=np.float32)
    skip = -room.ctypes.data % boundary // 4
    return room[skip : skip + count]
