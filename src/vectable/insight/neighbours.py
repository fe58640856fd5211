"""Which vectors point the same way."""

from typing import Any

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


def nearest(
    directions: Floats, row: int, n: int, weights: NDArray[Any] | None = None, allowed: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int32], Floats]:
    """The `n` rows of `directions`, (rows, width), with the largest cosines to one of them, itself and row 0 left out.

    Args:
        weights: what each row's cosine is multiplied by, (rows,).
        allowed: which rows may be named, (rows,).

    Returns:
        Row numbers and cosines (times their weights), the most alike first.
    """
    alike = directions @ directions[row]
    alike = alike if weights is None else alike * weights.astype(np.float32)
    others = np.ones(len(directions), dtype=bool) if allowed is None else allowed.copy()
    others[[0, row]] = False
    codes = np.flatnonzero(others)
    if n < len(codes):  # to sort all of very many takes longer than to score them
        least = np.partition(alike[codes], len(codes) - n)[len(codes) - n]
        codes = codes[alike[codes] >= least]
    best = codes[np.argsort(-alike[codes], kind="stable")[:n]]
    return best.astype(np.int32), alike[best]
