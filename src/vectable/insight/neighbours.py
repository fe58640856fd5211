"""Which vectors point the same way."""

import numpy as np
from numpy.typing import NDArray


def nearest(vectors: NDArray[np.float32], row: int, n: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The `n` rows of `vectors`, (rows, width), most like one of them by cosine, itself and row 0 left out.

    Vectors are compared after the mean vector is taken away: what all have in common says nothing about likeness.

    Returns:
        Row numbers and cosines, -1 to 1, the most alike first.
    """
    centred = vectors - vectors[1:].mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1)
    cosines = centred @ centred[row] / np.maximum(lengths * lengths[row], 1e-12)
    cosines[[0, row]] = -np.inf
    best = np.argsort(-cosines, kind="stable")[: max(min(n, len(vectors) - 2), 0)]
    return best.astype(np.int32), cosines[best]
