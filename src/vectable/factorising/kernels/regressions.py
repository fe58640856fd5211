"""Regressions of each item on a few others: their Gram matrix from who met what, and its solution.

The users of the few items are walked once: a list per user holds those of the items that they met so far, so that each
pair of items costs one product per user who met both.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import numpy as np
from numba import njit

from vectable.factorising.kernels.least_squares import solve_in_place
from vectable.factorising.kernels.signatures import array, f4, f8, i4, i8, read_only


@njit(nogil=True, error_model="numpy", boundscheck=False)
def regress(first, last, near_starts, near, item_starts, item_users, item_values, n_users, reg, weights):
    """Ridge regressions of the items [first, last) on those near them.

    Args:
        near_starts, near: items that item j is regressed on: ``near[near_starts[j]:near_starts[j + 1]]``.
        item_starts, item_users, item_values: the matrix by item.
        reg: added to the diagonal.
        weights: of each entry of `near`, (entries,) float32, written to.
    """
    own = np.zeros(n_users)  # values of the item that is regressed
    head = np.full(n_users, -1, np.int64)  # of each user the last entry of the list
    for item in range(first, last):
        begin, n = near_starts[item], near_starts[item + 1] - near_starts[item]
        if n == 0:
            continue
        for j in range(item_starts[item], item_starts[item + 1]):
            own[item_users[j]] = item_values[j]
        total = 0
        for a in range(n):
            total += item_starts[near[begin + a] + 1] - item_starts[near[begin + a]]
        before, place, value = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total)
        matrix, right, at = np.zeros((n, n)), np.zeros(n), 0
        for a in range(n):
            other = near[begin + a]
            matrix[a, a] = reg
            for j in range(item_starts[other], item_starts[other + 1]):
                user, x = item_users[j], np.float64(item_values[j])
                right[a] += x * own[user]
                before[at], place[at], value[at] = head[user], a, x
                walk = head[user]
                while walk >= 0:
                    matrix[place[walk], a] += value[walk] * x
                    walk = before[walk]
                matrix[a, a] += x * x
                head[user] = at
                at += 1
        for a in range(n):
            other = near[begin + a]
            for j in range(item_starts[other], item_starts[other + 1]):
                head[item_users[j]] = -1
        for j in range(item_starts[item], item_starts[item + 1]):
            own[item_users[j]] = 0.0
        solve_in_place(matrix, right)
        for a in range(n):
            weights[begin + a] = right[a]


SIGNATURES = {
    "regress": (
        i8, i8, read_only(i8), read_only(i4), read_only(i8), read_only(i4), read_only(f4), i8, f8, array(f4),
    ),
}  # fmt: skip
