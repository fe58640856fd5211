"""From features of users or items to their rows: a linear map, by ridge regression."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from vectable.one_blas_thread import one_blas_thread

Floats = NDArray[np.float32]

RIDGE = 2.0


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
    """Finds the map for rows that change while their features stay: ``(F'F + RIDGE I)^-1 F' rows``.

    The matrix is factored once.

    Args:
        features: F, sparse, (rows, features).
        counted: which rows count, (rows,) bool.
    """

    def __init__(self, features: Any, counted: NDArray[np.bool_]) -> None:
        whole = sparse.hstack([features, np.ones((features.shape[0], 1))], format="csr")
        self._transposed = sparse.csr_matrix(whole.T @ sparse.diags(counted.astype(np.float64)))
        matrix = (self._transposed @ whole).toarray()
        matrix[np.diag_indices_from(matrix)] += RIDGE
        with one_blas_thread():
            self._factor = linalg.cho_factor(matrix)

    def fit(self, rows: Floats) -> FeatureMap:
        """The map to these rows, (rows, width)."""
        with one_blas_thread():
            solved = linalg.cho_solve(self._factor, self._transposed @ rows.astype(np.float64))
        return FeatureMap(solved.astype(np.float32))
