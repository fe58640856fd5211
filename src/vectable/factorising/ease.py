"""EASE: weights between all items in closed form (Steck 2019, doi 10.1145/3308558.3313710), from a scaled matrix.

Of a matrix X of who met what, W minimizes ``|X - XW|^2 + reg |W|^2`` with a zero diagonal:
``P = (X'X + reg I)^-1, W = I - P / diag(P)``. Users who met much and items that many met weigh less when X is scaled by
powers of both frequencies before (Park et al. 2025, doi 10.1145/3726302.3729982, and others before); scores are then
those of the scaled items, which lifts what is rare a little.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.factorising.item_weights import DenseWeights, empty_dense, kernels
from vectable.factorising.parallel import equal_work, in_parts, usable_threads
from vectable.factorising.sparse_rows import SparseRows
from vectable.one_blas_thread import one_blas_thread

MOST_ITEMS = 10_000  # 12 bytes a pair of items while fitting


@dataclass(frozen=True)
class EASEOptions:
    """What decides the weights.

    Attributes:
        reg: regularization as a multiple of the mean of the Gram matrix's diagonal.
        user_power: a user who met n items weighs ``n^-user_power`` in the Gram matrix.
        item_power: an item that n users met is scaled by ``n^-item_power``.
    """

    reg: float = 6.0
    user_power: float = 0.5
    item_power: float = 0.15

    def with_changes(self, **changes: Any) -> "EASEOptions":
        """A copy with some values replaced."""
        return replace(self, **changes)


DEFAULTS = EASEOptions()


def ease(by_user: SparseRows, options: EASEOptions = DEFAULTS, threads: int | None = None) -> DenseWeights:
    """The weights between items of a matrix with a row per user; the result does not depend on the threads."""
    by_item = by_user.transposed()
    n_threads = usable_threads(len(by_user.columns), threads)
    scale = frequency_scale(by_item.lengths, options.item_power)
    gram = user_weighted_gram(by_user, by_item, options.user_power, n_threads)
    gram *= scale[:, None]
    gram *= scale
    diagonal = np.einsum("ii->i", gram)
    met = by_item.lengths > 0
    diagonal += options.reg * float(diagonal[met].mean()) if met.any() else 1.0
    inverse = inverted(gram)
    weights = empty_dense(len(inverse))
    in_parts(
        lambda first, last: kernels()["weights_of_inverse"](first, last, inverse, scale, weights),
        equal_work(np.arange(len(inverse) + 1), n_threads),
    )
    return DenseWeights(weights)


def frequency_scale(lengths: NDArray[np.int64], power: float) -> NDArray[np.float64]:
    """``n^-power``, 1 where n is 0."""
    return np.asarray(np.maximum(lengths, 1).astype(np.float64) ** -power)


def user_weighted_gram(
    by_user: SparseRows, by_item: SparseRows, user_power: float, threads: int
) -> NDArray[np.float64]:
    """``X' diag(n^-user_power) X``, (items, items)."""
    weight = frequency_scale(by_user.lengths, user_power).astype(np.float32)
    weighted = by_user.values * np.repeat(weight, by_user.lengths)
    gram = np.zeros((len(by_item), len(by_item)))
    given = (by_item.starts, by_item.columns, by_item.values, by_user.starts, by_user.columns, weighted, gram)
    in_parts(lambda first, last: kernels()["add_gram"](first, last, *given), equal_work(by_item.starts, threads))
    return gram


def inverted(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of a positive definite matrix, in its place: the lower triangle holds it."""
    from scipy.linalg import lapack

    with one_blas_thread():
        factor, failed = lapack.dpotrf(matrix.T, lower=0, overwrite_a=1)  # the transpose is what LAPACK sees in place
        inverse, failed_too = lapack.dpotri(factor, lower=0, overwrite_c=1)
    if failed or failed_too:
        raise FloatingPointError("the matrix is not positive definite")
    return np.asarray(inverse.T)
