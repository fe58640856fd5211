"""Implicit alternating least squares: factors of users and items from who met what, ratings not needed.

Everything not observed counts as a weak "no" (Hu, Koren & Volinsky 2008, doi 10.1109/ICDM.2008.22); regularization
grows with how often a row was observed (Rendle, Krichene, Zhang & Koren 2022, doi 10.1145/3523227.3548486).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.compiling import compile_module
from vectable.factorising.feature_map import FeatureMap, FeatureRidge
from vectable.factorising.kernels.least_squares import BLOCK
from vectable.factorising.parallel import equal_work, in_parts, usable_threads
from vectable.factorising.sparse_rows import SparseRows
from vectable.one_blas_thread import one_blas_thread
from vectable.vectors import LANES

Floats = NDArray[np.float32]

START = 0.1  # deviation of the length of an item's row at the start, as in Rendle et al.
EXPECTED = 0.5
"""Share of what its features lead to expect that an item's row shrinks towards. All of it would make rare items as long
as frequent ones, which costs lists more than the features gain."""
GRAM_ROWS = 1 << 16  # rows that one thread multiplies by themselves at a time
NO_PRIOR = np.zeros((0, LANES), dtype=np.float32)


@cache
def kernels() -> dict[str, Callable[..., Any]]:
    """The compiled functions of `kernels/least_squares.py`."""
    return compile_module("vectable.factorising.kernels.least_squares")


@dataclass(frozen=True)
class ALSOptions:
    """What decides a fit.

    Attributes:
        n_factors: numbers a row.
        epochs: solves of users and items in turn.
        reg: regularization.
        unobserved: weight of a pair that was not observed, beside 1 of one that was.
        nu: power of the frequency that scales `reg`; 0 regularizes all rows alike.
        steps: of conjugate gradients a solve.
        seed: of the items' rows at the start.
    """

    n_factors: int
    epochs: int
    reg: float
    unobserved: float
    nu: float = 1.0
    steps: int = 3
    seed: int = 42

    @classmethod
    def by_size(cls, n_entries: int, n_rows: int, n_columns: int) -> "ALSOptions":
        """Defaults that were near the best on a dozen data sets from 50 thousand to 20 million interactions."""
        n_factors = 64 if n_entries < 300_000 else 128 if n_entries < 5_000_000 else 256
        density = n_entries / max(n_rows * n_columns, 1)
        weight = 4.0 if n_entries < 1_000_000 else 8.0
        return cls(n_factors, epochs=14, reg=2.0 * max(n_entries, 1) ** -0.4, unobserved=weight * density)

    def with_changes(self, **changes: Any) -> "ALSOptions":
        """A copy with some values replaced."""
        return replace(self, **changes)


class ImplicitALS:
    """Rows of users and items; a user is solved from what it met, given the items.

    Args:
        options: of the fit.
        items: the items' rows, (items, width) float32: factors, then zeros up to a multiple of 16.
        n_users: users that the rows were fitted on, which the items' regularization depends on.
        item_map, user_map: from features to rows, where there are any.

    Attributes:
        gram: Gram matrix of the items times the weight of what was not observed, (width, width).
    """

    def __init__(
        self,
        options: ALSOptions,
        items: Floats,
        n_users: int,
        item_map: FeatureMap | None = None,
        user_map: FeatureMap | None = None,
    ) -> None:
        self.options, self.items, self.n_users = options, items, n_users
        self.item_map, self.user_map = item_map, user_map
        self.gram = weighted_gram(items, options.unobserved)

    @classmethod
    def fit(
        cls,
        by_user: SparseRows,
        options: ALSOptions,
        on_epoch: Callable[[int], None] | None = None,
        threads: int | None = None,
        item_features: Any = None,
        user_features: Any = None,
    ) -> "ImplicitALS":
        """Fit rows to a matrix whose values are confidences.

        With features of the items, their rows shrink towards half of what a linear map of the features leads to expect,
        and the map is found again in every epoch. The map from the users' features is found once, at the end.

        Args:
            by_user: a row per user, a column per item.
            on_epoch: called after each epoch with its number from 1 on; may raise KeyboardInterrupt, which ends the
                fit early with what there is.
            threads: that solve rows; the result does not depend on it.
            item_features, user_features: sparse, a row per item or per user.
        """
        by_item = by_user.transposed()
        items = first_rows(by_item, options)
        users = np.zeros((len(by_user), items.shape[1]), dtype=np.float32)
        n_threads = usable_threads(len(by_user.columns), threads)
        met = by_item.lengths > 0
        ridge = None if item_features is None else FeatureRidge(item_features, met)
        for epoch in range(options.epochs):
            try:
                improve(by_user, items, options, users, n_threads)
                prior = NO_PRIOR
                if ridge is not None:
                    prior = np.float32(EXPECTED) * ridge.fit(items).rows(item_features) * met[:, None]
                improve(by_item, users, options, items, n_threads, prior)
                if on_epoch is not None:
                    on_epoch(epoch + 1)
            except KeyboardInterrupt:
                break
        item_map = None if ridge is None else ridge.fit(items)
        user_map = None if user_features is None else FeatureRidge(user_features, by_user.lengths > 0).fit(users)
        return cls(options, items, len(by_user), item_map, user_map)

    def user_rows(self, histories: SparseRows, threads: int | None = None, prior: Floats = NO_PRIOR) -> Floats:
        """The exact rows of users with these histories, (users, width): what each one would be, given the items.

        Args:
            prior: what each row is expected to be, (users, width); by default nothing is known.
        """
        rows = np.zeros((len(histories), self.items.shape[1]), dtype=np.float32)
        regs = self.user_regs(histories.lengths)
        n_threads = usable_threads(len(histories.columns), threads)
        given = (histories.starts, histories.columns, histories.values, self.items, self.gram, regs, prior, rows)
        with one_blas_thread():
            in_parts(
                lambda first, last: kernels()["solve_rows"](first, last, *given),
                equal_work(histories.starts, n_threads),
            )
        return rows

    def user_regs(self, lengths: NDArray[np.int64]) -> Floats:
        """Regularization of users who met so many items, (users,)."""
        return scaled_regs(self.options, lengths, len(self.items))

    def contributions(self, columns: NDArray[np.int32], confidences: Floats, item: int) -> NDArray[np.float64]:
        """How much each item of a history adds to the score of `item`, (entries,): they sum to it.

        The score ``y' A^-1 sum c_j y_j`` is a sum over what was met (Hu et al. 2008, section 5).
        """
        seen = self.items[columns].astype(np.float64)
        matrix = self.gram.astype(np.float64) + (seen * confidences[:, None]).T @ seen
        matrix[np.diag_indices_from(matrix)] += float(self.user_regs(np.array([len(columns)]))[0])
        return np.asarray(confidences * (seen @ np.linalg.solve(matrix, self.items[item].astype(np.float64))))


def improve(
    given: SparseRows, other: Floats, options: ALSOptions, rows: Floats, threads: int, prior: Floats = NO_PRIOR
) -> None:
    """One solve of a side's rows, in place, by a few steps of conjugate gradients from where they are.

    Args:
        prior: what the rows shrink towards, (rows, width); by default 0.
    """
    gram = weighted_gram(other, options.unobserved, threads)
    regs = scaled_regs(options, given.lengths, len(other))
    arguments = (given.starts, given.columns, given.values, other, gram, regs, prior, options.steps, rows)
    with one_blas_thread():
        in_parts(
            lambda first, last: kernels()["improve_blocks"](first, last, *arguments),
            equal_work(given.starts, threads, BLOCK),
        )


def weighted_gram(rows: Floats, weight: float, threads: int = 1) -> Floats:
    """``weight * rows' rows``, (width, width), summed in an order that does not depend on the threads."""
    parts = [rows[at : at + GRAM_ROWS] for at in range(0, max(len(rows), 1), GRAM_ROWS)]
    sums = np.empty((len(parts), rows.shape[1], rows.shape[1]), dtype=np.float32)

    def multiply(first: int, last: int) -> None:
        for at in range(first, last):
            np.matmul(parts[at].T, parts[at], out=sums[at])

    with one_blas_thread():
        in_parts(multiply, equal_work(np.arange(len(parts) + 1), min(threads, len(parts))))
    return np.asarray(np.float32(weight) * sums.sum(axis=0))


def scaled_regs(options: ALSOptions, lengths: NDArray[np.int64], n_others: int) -> Floats:
    """``reg (n + unobserved * others)^nu`` of rows with n observations, (rows,)."""
    return (options.reg * (lengths + options.unobserved * n_others) ** options.nu).astype(np.float32)


def first_rows(by_item: SparseRows, options: ALSOptions) -> Floats:
    """Rows to begin with: random ones, and zeros for items that nobody met."""
    width = -(-options.n_factors // LANES) * LANES
    rows = np.zeros((len(by_item), width), dtype=np.float32)
    drawn = np.random.default_rng(options.seed).standard_normal((len(by_item), options.n_factors))
    rows[:, : options.n_factors] = START / np.sqrt(options.n_factors) * drawn
    rows[by_item.lengths == 0] = 0.0
    return rows
