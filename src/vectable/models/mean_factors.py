"""Factors that stand for many draws.

Each draw may turn its factors as it likes, so a mean of vectors says nothing; the dot products do not turn.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, svds

SMALL = 40  # rows or fewer whose factors are found by the dense decomposition

Floats = NDArray[np.float32]


def mean_factors(users: NDArray[Any], items: NDArray[Any], n_draws: int, scale: float) -> tuple[Floats, Floats]:
    """Best factors of the mean matrix of dot products, by singular value decomposition; row 0 is the mean row.

    Args:
        users, items: rows of every draw side by side, factors and bias, (users + 1, draws * (factors + 1)) and (items +
            1, same).
        scale: of the dot products.

    Returns:
        Of users, (users + 1, factors), and of items, (items + 1, factors).
    """
    users, items = _without_biases(users, n_draws), _without_biases(items, n_draws)
    k = users.shape[1] // n_draws
    if min(len(users), len(items)) <= max(SMALL, k + 1):
        left, sizes, right = np.linalg.svd(users @ items.T / n_draws, full_matrices=False)
        left, sizes, right = left[:, :k], sizes[:k], right[:k]
    else:
        shape = (len(users), len(items))
        matrix = LinearOperator(
            shape,
            matvec=lambda x: users @ (items.T @ x) / n_draws,
            rmatvec=lambda x: items @ (users.T @ x) / n_draws,
            dtype=np.float32,
        )
        left, sizes, right = svds(matrix, k=k, v0=np.ones(min(shape), dtype=np.float32))
        left, sizes, right = left[:, ::-1], sizes[::-1], right[::-1]
    roots = np.sqrt(scale * sizes)
    return _with_mean_row(left * roots, k), _with_mean_row(right.T * roots, k)


def _with_mean_row(rows: NDArray[Any], k: int) -> Floats:
    table = np.zeros((len(rows) + 1, k), dtype=np.float32)
    table[1:, : rows.shape[1]] = rows
    table[0] = table[1:].mean(axis=0)
    return table


def _without_biases(rows: NDArray[Any], n_draws: int) -> Floats:
    """The known rows' factors of all draws side by side."""
    shape = (len(rows) - 1, n_draws, rows.shape[1] // n_draws)
    return rows[1:].astype(np.float32).reshape(shape)[..., :-1].reshape(shape[0], -1)
