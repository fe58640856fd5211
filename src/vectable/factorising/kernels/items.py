"""From histories to weights between items, and from weights to scores.

A matrix of weights W says how much having met item a speaks for item b. It is dense, rows padded with zeros to a
multiple of 32 so that scores are summed in registers, or sparse, the strongest weights of each row.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import numpy as np
from numba import njit

from vectable.factorising.kernels.signatures import array, f4, f8, i4, i8, read_only
from vectable.vectors import LANES, load, spread, store

TILE = 2 * LANES
"""Columns whose scores are summed at a time; so much of all rows of W stays in the second-level cache."""

# ---------------------------------------------------------------------------------------------------------
# Weights from what was met together, or after one another.


@njit(nogil=True, error_model="numpy", boundscheck=False)
def add_gram(first, last, item_starts, item_users, item_values, user_starts, user_items, user_values, gram):
    """Add ``X'X`` to rows [first, last) of `gram`, (items, items) float64, of a matrix X given by item and by user.

    A row of the result belongs to one item, so that it stays in the cache and to one thread.
    """
    for item in range(first, last):
        row = gram[item]
        for j in range(item_starts[item], item_starts[item + 1]):
            user, value = item_users[j], np.float64(item_values[j])
            for k in range(user_starts[user], user_starts[user + 1]):
                row[user_items[k]] += value * user_values[k]


@njit(nogil=True, error_model="numpy", boundscheck=False)
def weights_of_inverse(first, last, inverse, scale, weights):
    """Rows [first, last) of ``scale_a (I - P / diag(P))`` with its diagonal zero, from the lower triangle of P.

    Args:
        inverse: P, (items, items) float64; only entries at and below its diagonal are read.
        scale: of each row, (items,).
        weights: (items, width) float32, written to.
    """
    n = inverse.shape[0]
    for a in range(first, last):
        for b in range(a):
            weights[a, b] = -scale[a] * inverse[a, b] / inverse[b, b]
        weights[a, a] = 0.0
        for b in range(a + 1, n):
            weights[a, b] = -scale[a] * inverse[b, a] / inverse[b, b]


@njit(inline="always")
def sift_down(values, items, n, at):
    """Let entry `at` of a heap of `n`, the weakest at its top, sink to its place."""
    while True:
        child = 2 * at + 1
        if child >= n:
            return
        if child + 1 < n and is_weaker(values[child + 1], items[child + 1], values[child], items[child]):
            child += 1
        if not is_weaker(values[child], items[child], values[at], items[at]):
            return
        values[at], values[child] = values[child], values[at]
        items[at], items[child] = items[child], items[at]
        at = child


@njit(inline="always")
def is_weaker(value, item, than_value, than_item):
    """Whether a value is less than another; of equal ones the one of the later item."""
    return value < than_value or (value == than_value and item > than_item)


@njit(inline="always")
def strongest(sums, touched, n_touched, scale_of_row, scales, shrink, own, columns, values):
    """Write the strongest ``sums_b / (row's scale x b's scale + shrink)`` to `columns`, `values`, strongest first.

    `sums` are set back to 0 on the way.

    Args:
        own: an item that is left out, -1 for none.

    Returns:
        How many there are.
    """
    most, n = columns.shape[0], 0
    for at in range(n_touched):
        item = touched[at]
        total = sums[item]
        sums[item] = 0.0
        if item == own or total == 0.0:
            continue
        value = np.float32(total / (scale_of_row * scales[item] + shrink))
        if n < most:
            columns[n], values[n] = item, value
            n += 1
            if n == most:
                for at_heap in range(n // 2 - 1, -1, -1):
                    sift_down(values, columns, n, at_heap)
        elif is_weaker(values[0], columns[0], value, item):
            columns[0], values[0] = item, value
            sift_down(values, columns, n, 0)
    if n < most:
        for at_heap in range(n // 2 - 1, -1, -1):
            sift_down(values, columns, n, at_heap)
    for left in range(n - 1, 0, -1):  # the weakest goes to the end, again and again
        values[0], values[left] = values[left], values[0]
        columns[0], columns[left] = columns[left], columns[0]
        sift_down(values, columns, left, 0)
    return n


@njit(nogil=True, error_model="numpy", boundscheck=False)
def met_together(first, last, item_starts, item_users, item_values, user_starts, user_items, user_values,
                 row_scales, scales, shrink, columns, values, lengths):  # fmt: skip
    """The strongest neighbors of items [first, last): ``X'X`` divided by scales, see `strongest`.

    Args:
        row_scales, scales: of an item as a row and as a column, (items,) float64.
        columns, values: (items, most), written to.
        lengths: how many neighbors each item has, (items,) int64, written to.
    """
    sums, touched = np.zeros(scales.shape[0]), np.empty(scales.shape[0], np.int32)
    for item in range(first, last):
        n = 0
        for j in range(item_starts[item], item_starts[item + 1]):
            user, value = item_users[j], np.float64(item_values[j])
            for k in range(user_starts[user], user_starts[user + 1]):
                other = user_items[k]
                if sums[other] == 0.0:
                    touched[n] = other
                    n += 1
                sums[other] += value * user_values[k]
        lengths[item] = strongest(sums, touched, n, row_scales[item], scales, shrink, item, columns[item], values[item])


@njit(nogil=True, error_model="numpy", boundscheck=False)
def met_after(first, last, place_starts, places, ends, items, back_weights, row_scales, scales, shrink,
              columns, values, lengths):  # fmt: skip
    """The strongest followers of items [first, last): weighted counts of what came after, divided by scales.

    Args:
        place_starts, places: where item a stands in the sequences: ``places[place_starts[a]:place_starts[a + 1]]``.
        ends: of the sequence that each place is in, (places of all sequences,) int64.
        items: all sequences one after the other.
        back_weights: weight of what comes 1, 2, ... places later.
        others: as for `met_together`.
    """
    sums, touched = np.zeros(scales.shape[0]), np.empty(scales.shape[0], np.int32)
    for item in range(first, last):
        n = 0
        for j in range(place_starts[item], place_starts[item + 1]):
            place = places[j]
            stop = min(ends[place], place + 1 + back_weights.shape[0])
            for later in range(place + 1, stop):
                other = items[later]
                if sums[other] == 0.0:
                    touched[n] = other
                    n += 1
                sums[other] += back_weights[later - place - 1]
        lengths[item] = strongest(sums, touched, n, row_scales[item], scales, shrink, -1, columns[item], values[item])


# ---------------------------------------------------------------------------------------------------------
# Scores of histories.


@njit(nogil=True, error_model="numpy", boundscheck=False, fastmath={"contract"})
def score_dense(first, last, starts, items, values, weights, scores):
    """Scores ``sum_j value_j W[item_j]`` of the histories [first, last) into `scores`, (histories, width).

    Args:
        starts, items, values: the histories.
        weights: W, (items, width) float32.
    """
    width = weights.shape[1]
    for tile in range(0, width, TILE):
        for row in range(first, last):
            low = high = spread(np.float32(0.0))
            for j in range(starts[row], starts[row + 1]):
                value, at = spread(values[j]), np.int64(items[j]) * width + tile
                low = low + value * load(weights, at)
                high = high + value * load(weights, at + LANES)
            store(scores, row * width + tile, low)
            store(scores, row * width + tile + LANES, high)


@njit(nogil=True, error_model="numpy", boundscheck=False)
def score_sparse(first, last, starts, items, values, weight_starts, weight_items, weights, scores):
    """The same with sparse W; `scores`, (histories, items), is written to."""
    for row in range(first, last):
        line = scores[row]
        line[:] = 0.0
        for j in range(starts[row], starts[row + 1]):
            value, item = values[j], items[j]
            for k in range(weight_starts[item], weight_starts[item + 1]):
                line[weight_items[k]] += value * weights[k]


_SPARSE = (read_only(i8), read_only(i4), read_only(f4))
_STRONGEST = (read_only(f8), read_only(f8), f8, array(i4, 2), array(f4, 2), array(i8))

SIGNATURES = {
    "add_gram": (i8, i8, *_SPARSE, *_SPARSE, array(f8, 2)),
    "weights_of_inverse": (i8, i8, read_only(f8, 2), read_only(f8), array(f4, 2)),
    "met_together": (i8, i8, *_SPARSE, *_SPARSE, *_STRONGEST),
    "met_after": (i8, i8, read_only(i8), read_only(i8), read_only(i8), read_only(i4), read_only(f8), *_STRONGEST),
    "score_dense": (i8, i8, *_SPARSE, read_only(f4, 2), array(f4, 2)),
    "score_sparse": (i8, i8, *_SPARSE, *_SPARSE, array(f4, 2)),
}
