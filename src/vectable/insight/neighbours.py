"""Which vectors point the same way."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def directions_of(vectors: Floats) -> Floats:
    """The vectors, (rows, width), brought to length 1, after their mean is taken away; row 0 stands for no item.

    What all vectors have in common says nothing about likeness. The dot product of two directions is their cosine.
    """
    centred = vectors - vectors[1:].mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(lengths, 1e-12), dtype=np.float32)


def nearest(directions: Floats, row: int, n: int) -> tuple[NDArray[np.int32], Floats]:
    """The `n` rows of `directions`, (rows, width), with the largest cosines to one of them, itself and row 0 left out.

    Returns:
        Row numbers and cosines, the most alike first.
    """
    alike = directions @ directions[row]
    alike[[0, row]] = -np.inf
    best = np.argsort(-alike, kind="stable")[: max(min(n, len(directions) - 2), 0)]
    return best.astype(np.int32), alike[best]
