"""From scores to lists, and from lists to what is measured of them: nothing larger than a block of scores is held."""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import numba
import numpy as np
from numba import njit, types

SEGMENT = 64  # scores that are compared with the last of a list at a time
ROUGH_SEGMENT = 128  # the same of rough ones


@njit(inline="always")
def comes_after(score, item, than_score, than_item):
    """Whether an item stands behind another in a list: of equal scores the later code does."""
    return score < than_score or (score == than_score and item > than_item)


@njit(inline="always")
def sift_down(scores, items, n, at):
    """Let entry `at` of a heap of `n`, the last of the list at its top, sink to its place."""
    while True:
        child = 2 * at + 1
        if child >= n:
            return
        if child + 1 < n and comes_after(scores[child + 1], items[child + 1], scores[child], items[child]):
            child += 1
        if not comes_after(scores[child], items[child], scores[at], items[at]):
            return
        scores[at], scores[child] = scores[child], scores[at]
        items[at], items[child] = items[child], items[at]
        at = child


@njit(nogil=True, error_model="numpy", boundscheck=False)
def best_items(scores, seen_starts, seen_items, allowed, lists, best):
    """The items with the highest scores of each user, best first.

    Args:
        scores: (users, items) float32; those of seen items are written over.
        seen_starts, seen_items: what user k has seen, and cannot be listed.
        allowed: which items may be listed at all, (items,) uint8.
        lists: item codes, (users, n) int32, written to; 0 where there are no more.
        best: their scores, (users, n) float32, written to.
    """
    n_users, n_items = scores.shape
    most = lists.shape[1]
    for user in range(n_users):
        row, items, values = scores[user], lists[user], best[user]
        for at in range(seen_starts[user], seen_starts[user + 1]):
            row[seen_items[at]] = -np.inf
        n = 0
        for item in range(n_items):
            score = row[item]
            if n == most and score <= values[0]:  # of equal scores the earlier code stays
                continue
            if allowed[item] == 0 or not score > -np.inf:
                continue
            if n < most:
                items[n], values[n] = item, score
                n += 1
                if n == most:
                    for at in range(n // 2 - 1, -1, -1):
                        sift_down(values, items, n, at)
            else:
                items[0], values[0] = item, score
                sift_down(values, items, n, 0)
        if n < most:
            for at in range(n // 2 - 1, -1, -1):
                sift_down(values, items, n, at)
        for left in range(n - 1, 0, -1):
            values[0], values[left] = values[left], values[0]
            items[0], items[left] = items[left], items[0]
            sift_down(values, items, left, 0)
        items[n:] = 0
        values[n:] = -np.inf


@njit(inline="always")
def holds(items, first, last, item):
    """Whether an item is among rising ones."""
    while first < last:
        middle = (first + last) // 2
        if items[middle] < item:
            first = middle + 1
        else:
            last = middle
    return first < items.shape[0] and items[first] == item


@njit(nogil=True, error_model="numpy", boundscheck=False)
def offer_items(scores, codes, seen_starts, seen_items, lists, best, counts):
    """Take items into the lists of some users where their scores are high enough.

    Args:
        scores: (users, items) float32.
        codes: of those items, (items,) int32.
        seen_starts, seen_items: what user k has seen, rising, and cannot be listed.
        lists, best: item codes and scores of each user so far, (users, n); a full list is a heap, the last of it first.
        counts: how many items each list has, (users,).
    """
    n_users, n_items = scores.shape
    most = lists.shape[1]
    for user in range(n_users):
        row, items, values, n = scores[user], lists[user], best[user], counts[user]
        for first in range(0, n_items, SEGMENT):
            last = min(first + SEGMENT, n_items)
            if n == most and last - first == SEGMENT:
                least, reaching = values[0], np.int32(0)
                for at in range(SEGMENT):  # a loop without branches is compiled to one of 16 items at a time
                    reaching |= np.int32(row[np.uint64(first) + np.uint64(at)] >= least)
                if reaching == 0:
                    continue
            for at in range(first, last):
                score, item = row[at], codes[at]
                if not score > -np.inf or (n == most and not comes_after(values[0], items[0], score, item)):
                    continue
                end = seen_starts[user + 1]
                if seen_starts[user] < end and holds(seen_items[:end], seen_starts[user], end, item):
                    continue
                if n < most:
                    items[n], values[n] = item, score
                    n += 1
                    if n == most:
                        for parent in range(n // 2 - 1, -1, -1):
                            sift_down(values, items, n, parent)
                else:
                    items[0], values[0] = item, score
                    sift_down(values, items, n, 0)
        counts[user] = n


@njit(inline="always")
def in_order(half):
    """A 16-bit float, given as a whole number, as one that is larger where the float is."""
    return np.int16(half ^ ((half >> np.int16(15)) & np.int16(0x7FFF)))


@njit(inline="always")
def rough_limit(least, off, whole, halves):
    """What a rough score must at least be, as `in_order` has it, for an exact score of at least `least`.

    Args:
        off: by how much it may be below the exact one, before it is rounded to 16 bits.
        whole, halves: one place in memory, as a float of 32 bits and as two whole numbers of 16.
    """
    low = least - off
    whole[0] = low - abs(low) * np.float32(0.00390625)
    return np.int32(in_order(halves[1])) - 1  # the digits that are cut off may take a negative number upwards


@njit(inline="always")
def exact_score(user, vector, n_factors):
    """Inner product and bias, the first factor of the vector, in 64 bits."""
    sums0, sums1, sums2, sums3 = 0.0, 0.0, 0.0, 0.0
    whole = n_factors - n_factors % 4
    for at in range(0, whole, 4):
        sums0 += np.float64(user[at]) * vector[at + 1]
        sums1 += np.float64(user[at + 1]) * vector[at + 2]
        sums2 += np.float64(user[at + 2]) * vector[at + 3]
        sums3 += np.float64(user[at + 3]) * vector[at + 4]
    for at in range(whole, n_factors):
        sums0 += np.float64(user[at]) * vector[at + 1]
    return np.float32(sums0 + sums1 + sums2 + sums3 + vector[0])


@njit(nogil=True, error_model="numpy", boundscheck=False)
def offer_rough_items(rough, offs, users, vectors, codes, seen_starts, seen_items, lists, best, counts):
    """Take items into the lists of some users, scored exactly where their rough scores may be high enough.

    Args:
        rough: (users, items) int16: the upper halves of 32-bit floats.
        offs: how far each user's are from the exact ones, before they are rounded, (users,).
        users: their vectors, (users, factors).
        vectors: of those items with the bias as first factor, (items, factors + 1).
        codes, seen_starts, seen_items, lists, best, counts: as of `offer_items`.
    """
    n_users, n_items = rough.shape
    most, n_factors = lists.shape[1], users.shape[1]
    whole = np.zeros(1, dtype=np.float32)
    halves = whole.view(np.int16)
    for user in range(n_users):
        row, items, values, n = rough[user], lists[user], best[user], counts[user]
        least, limit = np.float32(-np.inf), np.int32(-40000)
        for first in range(0, n_items, ROUGH_SEGMENT):
            last = min(first + ROUGH_SEGMENT, n_items)
            if n == most:
                if values[0] != least:
                    least = values[0]
                    limit = rough_limit(least, offs[user], whole, halves)
                if last - first == ROUGH_SEGMENT and limit >= 0:  # then negative numbers are below it as they are
                    highest = np.int16(-32768)
                    for at in range(ROUGH_SEGMENT):
                        half = row[np.uint64(first) + np.uint64(at)]
                        highest = half if half > highest else highest
                    if np.int32(highest) < limit:
                        continue
            for at in range(first, last):
                if n == most and np.int32(in_order(row[at])) < limit:
                    continue
                score, item = exact_score(users[user], vectors[at], n_factors), codes[at]
                if n == most and not comes_after(values[0], items[0], score, item):
                    continue
                end = seen_starts[user + 1]
                if seen_starts[user] < end and holds(seen_items[:end], seen_starts[user], end, item):
                    continue
                if n < most:
                    items[n], values[n] = item, score
                    n += 1
                    if n == most:
                        for parent in range(n // 2 - 1, -1, -1):
                            sift_down(values, items, n, parent)
                else:
                    items[0], values[0] = item, score
                    sift_down(values, items, n, 0)
                if n == most and values[0] != least:
                    least = values[0]
                    limit = rough_limit(least, offs[user], whole, halves)
        counts[user] = n


@njit(nogil=True, error_model="numpy", boundscheck=False)
def measure_lists(lists, target_starts, target_items, k, marked, figures, shown):
    """NDCG, recall, reciprocal rank, average precision and hit of each list among its first `k`.

    Args:
        lists: item codes, (users, at least k), best first, 0 for none.
        target_starts, target_items: what is to be found of each user.
        marked: zeros, (items,) uint8; zeros again afterwards.
        figures: (users, 5) float64, written to.
        shown: how often each item stands among the first k, (items,) int64, added to.
    """
    for user in range(lists.shape[0]):
        first, last = target_starts[user], target_starts[user + 1]
        for at in range(first, last):
            marked[target_items[at]] = 1
        possible = min(k, last - first)
        gain, ideal, precision, rank, hits = 0.0, 0.0, 0.0, 0.0, 0
        for place in range(k):
            weight = 1.0 / np.log2(place + 2.0)
            if place < possible:
                ideal += weight
            item = lists[user, place]
            if item == 0:
                continue
            shown[item] += 1
            if marked[item] == 0:
                continue
            hits += 1
            gain += weight
            precision += hits / (place + 1.0)
            if hits == 1:
                rank = 1.0 / (place + 1.0)
        for at in range(first, last):
            marked[target_items[at]] = 0
        if possible > 0:
            figures[user, 0] = gain / ideal
            figures[user, 1] = hits / possible
            figures[user, 2] = rank
            figures[user, 3] = precision / possible
            figures[user, 4] = 1.0 if hits > 0 else 0.0


def _array(kind, dimensions=1):
    return types.Array(kind, dimensions, "C")


def _read_only(kind, dimensions=1):
    return types.Array(kind, dimensions, "C", readonly=True)


_f4, _f8, _i4, _i8, _u1 = numba.float32, numba.float64, numba.int32, numba.int64, numba.uint8
_i2 = numba.int16

SIGNATURES = {
    "best_items": (_array(_f4, 2), _read_only(_i8), _read_only(_i4), _read_only(_u1), _array(_i4, 2), _array(_f4, 2)),
    "offer_items": (
        _array(_f4, 2), _read_only(_i4), _read_only(_i8), _read_only(_i4), _array(_i4, 2), _array(_f4, 2), _array(_i8),
    ),
    "offer_rough_items": (
        _array(_i2, 2), _array(_f4), _array(_f4, 2), _array(_f4, 2), _read_only(_i4), _read_only(_i8), _read_only(_i4),
        _array(_i4, 2), _array(_f4, 2), _array(_i8),
    ),
    "measure_lists": (
        _read_only(_i4, 2), _read_only(_i8), _read_only(_i4), _i8, _array(_u1), _array(_f8, 2), _array(_i8),
    ),
}  # fmt: skip
