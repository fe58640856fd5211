"""From features of users or items to their rows: a linear map, by weighted ridge regression."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from vectable.one_blas_thread import one_blas_thread

Floats = NDArray[np.float32]

RIDGE = 1.0  # beside weights of rows whose mean is 1


@dataclass(frozen=True)
class FeatureMap:
    """Rows from features.

    Attributes:
        weights: (features + 1, width) float32; the last row is what all have in common.
    """

    weights: Floats

    def rows(self, features: Any) -> Floats:
        """The rows that features lead to expect, (rows, width).

        Args:
            features: sparse, (rows, features).
        """
        return np.ascontiguousarray(features @ self.weights[:-1] + self.weights[-1], dtype=np.float32)


class FeatureRidge:
    """Finds the map for rows that change while their features stay: ``(F'DF + RIDGE I)^-1 F'D rows``.

    The matrix is factored once.

    Args:
        features: F, sparse, (rows, features).
        weights: the diagonal of D, (rows,); rows of weight 0 are passed over.
    """

    def __init__(self, features: Any, weights: NDArray[Any]) -> None:
        counted = np.asarray(weights, dtype=np.float64)
        counted = counted / max(counted.sum() / max(np.count_nonzero(counted), 1), 1e-30)
        whole = sparse.hstack([features, np.ones((features.shape[0], 1))], format="csr")
        self._weighted = sparse.csr_matrix(whole.T @ sparse.diags(counted))
        matrix = (self._weighted @ whole).toarray()
        matrix[np.diag_indices_from(matrix)] += RIDGE
        with one_blas_thread():
            self._factor = linalg.cho_factor(matrix)

    def fit(self, rows: Floats) -> FeatureMap:
        """The map to these rows, (rows, width)."""
        with one_blas_thread():
            solved = linalg.cho_solve(self._factor, self._weighted @ rows.astype(np.float64))
        return FeatureMap(solved.astype(np.float32))
