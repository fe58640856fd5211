"""Everything that numba compiles for the engine: the order of an epoch, and the steps of one lane.

numba's disk cache watches only the file a compiled function is written in, so all of them are in this one (see also
`vectors.py`). Nothing here checks its arguments.

Layout of a table: row r is ``table[r*width : (r+1)*width]``, float32. A user's row is the factors, the user's bias, a 1
and zeros up to a multiple of 16; an item's row is the factors, a 1, the item's bias and zeros. The product of the two
is then the model's raw sum, biases and all. ``gains`` of the same width are 1 for the factors, less for the row's own
bias, and 0 elsewhere, so that the ones and zeros stay what they are; the product of both sides' is 1 for the factors
alone.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import math
from typing import Any

import numba
import numpy as np
from numba import njit, types

from vectable.vectors import LANES, load, prefetch, spread, store, total

FAR, NEAR = 64, 12
"""How many ratings ahead codes and ratings are asked for, and how many ahead the rows that they name."""


@njit(nogil=True, error_model="numpy", boundscheck=False)
def count_ratings(users, items, item_half, counts):
    """Count the ratings of each user by the half that the item is in.

    Args:
        users, items: codes, (rows,) int32.
        item_half: 0 or 1 of each item, (n_items,) uint8.
        counts: the result, of user u and half h at ``2*u + h``, (2*n_users,) int64, zeros before.
    """
    for row in range(users.shape[0]):
        counts[2 * np.int64(users[row]) + item_half[items[row]]] += 1


@njit(nogil=True, error_model="numpy", boundscheck=False)
def place_ratings(users, items, item_half, places, order):
    """Write each row's number to the next free place of its user and item half.

    Args:
        places: of user u and half h at ``2*u + h`` the first place, (2*n_users,) int64; moved on by one a rating.
        order: the result, (rows,) int32.
    """
    for row in range(users.shape[0]):
        at = 2 * np.int64(users[row]) + item_half[items[row]]
        order[places[at]] = row
        places[at] += 1


@njit(nogil=True, error_model="numpy", boundscheck=False)
def train_lane(
    user_table, user_squares, user_gains, item_table, item_squares, item_gains, item_rest, width, n_factors,
    users, items, ratings, order, starts, stops, lanes,
    lane, first, last, rates, wd, low, high, bounded, losses,
):  # fmt: skip
    """Train the steps of one lane among steps [first, last) of a plan, one rating after the other.

    Args:
        user_squares, item_squares: what each row starts with, and the mean square of its factors' gradient of every
            rating since, (rows,) float32.
        item_rest: what an item's row decays towards, (width,) float32; a user's decays towards 0.
        rates: learning rate of each step, (last-first,) float32.
        wd: weight decay.
        low, high, bounded: the sigmoid's range; without `bounded` predictions are the raw sums.
        losses: the result, mean squared error of each step's ratings, each before its own update, (last-first,).
    """
    one, n = np.float32(1.0), order.shape[0]
    decay, share_of_factor = spread(wd), one / np.float32(n_factors)
    for step in range(first, last):
        if lanes[step] != lane:
            continue
        rate, square = rates[step - first], 0.0
        for j in range(starts[step], stops[step]):
            if j + FAR < n:
                far = np.int64(order[j + FAR])
                prefetch(users, far)
                prefetch(items, far)
                prefetch(ratings, far)
            if j + NEAR < n:
                near = np.int64(order[j + NEAR])
                u, i = np.int64(users[near]), np.int64(items[near])
                prefetch(user_squares, u)
                prefetch(item_squares, i)
                for c in range(0, width, LANES):
                    prefetch(user_table, u * width + c)
                    prefetch(item_table, i * width + c)

            row = np.int64(order[j])
            u, i = np.int64(users[row]), np.int64(items[row])
            user_at, item_at = u * width, i * width
            products = load(user_table, user_at) * load(item_table, item_at)
            for c in range(LANES, width, LANES):
                products = products + load(user_table, user_at + c) * load(item_table, item_at + c)
            prediction, derivative = total(products), one
            if bounded:
                share = one / (one + math.exp(-prediction))
                prediction, derivative = low + (high - low) * share, (high - low) * share * (one - share)
            error = prediction - ratings[row]
            square += np.float64(error) * np.float64(error)

            slope = spread(np.float32(2.0) * error * derivative)
            user_rate = spread(rate / math.sqrt(user_squares[u]))
            item_rate = spread(rate / math.sqrt(item_squares[i]))
            user_sum, item_sum = spread(np.float32(0.0)), spread(np.float32(0.0))
            for c in range(0, width, LANES):
                p, q = load(user_table, user_at + c), load(item_table, item_at + c)
                user_gain, item_gain = load(user_gains, c), load(item_gains, c)
                of_p, of_q = slope * q + decay * p, slope * p + decay * (q - load(item_rest, c))
                user_sum = user_sum + of_p * of_p * user_gain * item_gain
                item_sum = item_sum + of_q * of_q * user_gain * item_gain
                store(user_table, user_at + c, p - user_rate * user_gain * of_p)
                store(item_table, item_at + c, q - item_rate * item_gain * of_q)
            user_squares[u] += total(user_sum) * share_of_factor
            item_squares[i] += total(item_sum) * share_of_factor
        losses[step - first] = square / (stops[step] - starts[step])


# ---------------------------------------------------------------------------------------------------------
# The one specialisation of each kernel that Python calls.


def _array(kind: Any) -> Any:
    return types.Array(kind, 1, "C")


def _read_only(kind: Any) -> Any:
    return types.Array(kind, 1, "C", readonly=True)


_f4, _f8, _i1, _i4, _i8, _u1 = numba.float32, numba.float64, numba.int8, numba.int32, numba.int64, numba.uint8

SIGNATURES = {
    "count_ratings": (_read_only(_i4), _read_only(_i4), _read_only(_u1), _array(_i8)),
    "place_ratings": (_read_only(_i4), _read_only(_i4), _read_only(_u1), _array(_i8), _array(_i4)),
    "train_lane": (
        _array(_f4), _array(_f4), _read_only(_f4), _array(_f4), _array(_f4), _read_only(_f4), _read_only(_f4),
        _i8, _i8,
        _read_only(_i4), _read_only(_i4), _read_only(_f4), _read_only(_i4),
        _read_only(_i8), _read_only(_i8), _read_only(_i1),
        _i8, _i8, _i8, _read_only(_f4), _f4, _f4, _f4, types.boolean, _array(_f8),
    ),
}  # fmt: skip
