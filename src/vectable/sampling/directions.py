"""Features of many rows by their principal directions, in which regressing on thousands of features is independent.

With the features ``F = Q S V'`` (rows x features), coefficients B of the features enter the model only as ``F B = Q S
G`` with ``G = V' B``: under a prior of equal precision for all of B the directions of G are independent, each known as
well as its own squared singular value says. The decomposition is done once, before the sampling.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT_UP_TO = 2000
"""Rows or features, the fewer of the two, up to which all directions are found."""

PROJECTED = 512
"""Directions that are found beyond, by random projection."""

SMALLEST = 1e-5
"""Directions of a singular value below this share of the largest are noise of the arithmetic, and left out."""


@dataclass(frozen=True)
class Directions:
    """What a group of features comes to.

    Attributes:
        rows: ``Q``, (rows, directions) float32, orthonormal columns.
        sizes: ``S``, (directions,) float64.
        to_direction: ``V``, (features, directions) float32: features f of a new row come to ``f V``.
        average: of ``Q S`` over the rows, (directions,): what stands in where a row's features are not known.
    """

    rows: NDArray[np.float32]
    sizes: NDArray[np.float64]
    to_direction: NDArray[np.float32]
    average: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.sizes)

    @classmethod
    def of(cls, features: Any, seed: int = 0, exact_up_to: int = EXACT_UP_TO, most: int = PROJECTED) -> "Directions":
        """Decompose a sparse matrix, (rows, features).

        Up to `exact_up_to` rows or features by the eigenvectors of the smaller Gram matrix, beyond that the `most`
        largest directions by random projection (Halko, Martinsson & Tropp 2011, doi 10.1137/090771806).
        """
        if min(features.shape) <= exact_up_to:
            sizes, right = _exact(features)
        else:
            sizes, right = _projected(features, most, seed)
        kept = sizes > SMALLEST * max(float(sizes.max(initial=0.0)), 1e-300)
        sizes, right = sizes[kept], right[:, kept]
        rows = np.asarray(features @ right) / sizes
        average = (rows * sizes).mean(axis=0) if len(rows) else np.zeros(len(sizes))
        return cls(rows.astype(np.float32), sizes, right.astype(np.float32), average)


def _exact(features: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All singular values and right vectors, by the smaller of the two Gram matrices."""
    n_rows, n_features = features.shape
    if n_features <= n_rows:
        squares, right = np.linalg.eigh((features.T @ features).toarray())
        return np.sqrt(np.maximum(squares, 0.0)), right
    squares, left = np.linalg.eigh((features @ features.T).toarray())
    sizes = np.sqrt(np.maximum(squares, 0.0))
    return sizes, np.asarray(features.T @ left) / np.maximum(sizes, 1e-300)


def _projected(features: Any, most: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.utils.extmath import randomized_svd

    _, sizes, right = randomized_svd(features, n_components=min(most, *features.shape), n_iter=3, random_state=seed)
    return sizes.astype(np.float64), right.T.astype(np.float64)
