"""Which vectors point the same way."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def cosines(vectors: NDArray[np.float32]) -> Callable[[int, NDArray[np.int32] | slice], NDArray[np.float32]]:
    """A function from a row and other rows of `vectors`, (rows, width), to their cosines, -1 to 1.

    Vectors are compared after the mean vector is taken away: what all have in common says nothing about likeness.
    """
    centred = vectors - vectors[1:].mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return lambda row, others: centred[others] @ centred[row]


def nearest(vectors: NDArray[np.float32], row: int, n: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The `n` rows of `vectors`, (rows, width), most like one of them by cosine, itself and row 0 left out.

    Returns:
        Row numbers and cosines, the most alike first.
    """
    alike = cosines(vectors)(row, slice(None))
    alike[[0, row]] = -np.inf
    best = np.argsort(-alike, kind="stable")[: max(min(n, len(vectors) - 2), 0)]
    return best.astype(np.int32), alike[best]
