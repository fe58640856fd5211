"""Principal components: the few directions in which embedding vectors differ most."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vectable.errors import require


def principal_components(vectors: ArrayLike, k: int = 3) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores on the first `k` components and the share of the variance that each explains.

    The sign of a component is arbitrary; here its largest entry (in absolute value) is positive.

    Args:
        vectors: (rows, width).

    Returns:
        Scores, (rows, k), and shares, (k,), 0 to 1, largest first.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    require(rows.ndim == 2, f"vectors has {rows.ndim} dimensions; it is a matrix, (rows, width).")
    most = min(rows.shape)
    require(
        1 <= k <= most,
        f"k is {k}; {rows.shape[0]} vectors of width {rows.shape[1]} have 1 to {most} components.",
    )
    centred = rows - rows.mean(axis=0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(right[np.arange(k), np.abs(right[:k]).argmax(axis=1)])
    total = float((values**2).sum())
    shares = values[:k] ** 2 / total if total > 0 else np.zeros(k)
    return left[:, :k] * values[:k] * np.where(signs == 0, 1, signs), shares


def pca(vectors: Any, k: int = 3) -> NDArray[np.float64]:
    """The vectors on their first `k` principal components, (rows, k); see `principal_components` for the variance.

    Examples:
        >>> import numpy as np, vectable as vt
        >>> vectors = np.array([[0.0, 0.0, 1.0], [2.0, 0.0, 1.0], [4.0, 0.0, 1.0]])
        >>> abs(vt.pca(vectors, k=1)).round(3).ravel().tolist()
        [2.0, 0.0, 2.0]
    """
    return principal_components(vectors, k)[0]
