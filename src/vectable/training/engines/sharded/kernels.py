"""What numba compiles for rows that live in several processes: one step cut where something travels.

A step has four parts. `list_items` finds which items a batch reads and who has them. Their owner brings them up to
date and hands out copies (`read_owned`). Whoever has the ratings predicts, steps the users, and adds up a gradient for
each item (`step_users`). The owner adds up what comes and steps the items (`step_owned`). The arithmetic of rows and
steps is that of `engines/compiled/kernels.py`, whose functions these call.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import numba
import numpy as np
from numba import njit, types

from vectable.training.engines.compiled import kernels as compiled
from vectable.training.engines.compiled.kernels import Side, forward_loss, group, read_rows, step_rows
from vectable.vectors import LANES, load, spread, store

BUILT_ON = (compiled,)
"""Modules whose functions these call: what is compiled is older than none of them."""

INTEGERS, FLOATS = 5, 6
"""Numbers of scratch a slot: 32-bit integers, and 32-bit floats beside the row itself."""


@njit(error_model="numpy", boundscheck=False)
def side_of(table, last, codes, integers, floats, width, room):
    """A side of a batch over scratch that its caller keeps from one call to the next.

    Args:
        integers, floats: (5*room,) int32 and ((6+width)*room,) float32.
        room: the most ratings that it has space for.
    """
    return Side(
        table,
        last,
        codes,
        integers[:room],
        integers[room : 2 * room],
        integers[2 * room : 3 * room],
        integers[3 * room : 4 * room],
        integers[4 * room : 5 * room],
        floats[: 5 * room],
        floats[6 * room : (6 + width) * room],
        floats[5 * room : 6 * room],
    )


@njit(nogil=True, error_model="numpy", boundscheck=False)
def list_items(items, order, starts, stops, first, last, block, seen, counts, wanted, slots):
    """The different items of each batch among steps [first, last), those of one owner side by side.

    Args:
        items: codes from 1, (rows,) int32.
        block: rows of an owner; code c lives with owner (c-1) // block, as its row (c-1) % block + 1.
        seen: -1 for every code, (items+1,) int32; the same again afterwards.
        counts: the result, number of items of each owner and step, (steps, owners) int64.
        wanted: the owner's row of each item, in the order of steps and owners; room for as many as ratings.
        slots: of each rating, the place of its item among those of its step, (ratings,) int32.
    """
    done, place, owners = 0, 0, counts.shape[1]
    codes = np.empty(0, np.int32)
    for step in range(first, last):
        n_ratings = stops[step] - starts[step]
        if codes.shape[0] < n_ratings:
            codes = np.empty(n_ratings, np.int32)
        n, line = 0, counts[step - first]
        for j in range(starts[step], stops[step]):
            code = items[order[j]]
            if seen[code] < 0:
                seen[code], codes[n] = 0, code
                line[(code - 1) // block] += 1
                n += 1
        edges = np.zeros(owners + 1, np.int64)
        for owner in range(owners):
            edges[owner + 1] = edges[owner] + line[owner]
        for k in range(n):
            owner = (codes[k] - 1) // block
            seen[codes[k]] = edges[owner]
            wanted[done + edges[owner]] = (codes[k] - 1) % block + 1
            edges[owner] += 1
        for j in range(starts[step], stops[step]):
            slots[place] = seen[items[order[j]]]
            place += 1
        for k in range(n):
            seen[codes[k]] = -1
        done += n
    return done


@njit(nogil=True, error_model="numpy", boundscheck=False)
def read_owned(table, last, width, bias_at, codes, now, tail, ends, log_beta2, integers, floats, room, work, rows):
    """Bring the rows that others asked for up to date, and copy them as factors and bias; the number of different ones.

    Args:
        codes: rows asked for, by one process after the other, (n,) int32; one may stand there several times.
        rows: the result, (n*(bias_at+1),) float32.
    """
    count, wide = codes.shape[0], bias_at + 1
    side = side_of(table, last, codes, integers, floats, width, room)
    n = group(side, 0, count)
    read_rows(side, width, bias_at, n, now, tail, ends, log_beta2, work)
    for j in range(count):
        slot = np.int64(side.slots[j])
        rows[j * wide : j * wide + bias_at] = side.weights[slot * width : slot * width + bias_at]
        rows[j * wide + bias_at] = side.bias[slot]
    return n


@njit(nogil=True, error_model="numpy", boundscheck=False)
def step_users(
    table, last, width, bias_at, codes, ratings, slots, rows, n_items, all_ratings,
    now, tail, ends, log_beta2, rules, rule, low, high, bounded,
    integers, floats, item_integers, item_floats, room, work, slope, gradients,
):  # fmt: skip
    """Predict the ratings of a batch that are here, step their users, and add up the gradient of each item.

    Args:
        codes, ratings: users and ratings, (count,).
        slots: place of each rating's item in `rows`.
        rows: items as `read_owned` gave them, (n_items*(bias_at+1),).
        all_ratings: number of the batch's ratings in all processes.
        gradients: the result, (n_items*(bias_at+1),) float32.

    Returns:
        The sum of squared errors before the step.
    """
    count, wide = codes.shape[0], bias_at + 1
    if count == 0:
        return 0.0
    user = side_of(table, last, codes, integers, floats, width, room)
    item = side_of(table, last, codes, item_integers, item_floats, width, room)
    for slot in range(n_items):
        at = slot * width
        item.weights[at : at + bias_at] = rows[slot * wide : slot * wide + bias_at]
        item.weights[at + bias_at] = 1.0
        item.weights[at + wide : at + width] = 0.0
        item.bias[slot] = rows[slot * wide + bias_at]
        item.heads[slot] = -1
    for j in range(count):
        slot = slots[j]
        item.slots[j], item.links[j], item.heads[slot] = slot, item.heads[slot], j
    n_users = group(user, 0, count)
    read_rows(user, width, bias_at, n_users, now, tail, ends, log_beta2, work)
    loss = forward_loss(user, item, width, count, ratings, 0, low, high, bounded, work, slope) * count
    share = np.float32(count / all_ratings)
    if count != all_ratings:
        for j in range(count):
            slope[j] *= share
    total = np.empty(width, np.float32)
    for slot in range(n_items):
        total[:] = 0.0
        for c in range(0, width, LANES):
            g = load(total, c)
            j = np.int64(item.heads[slot])
            while j >= 0:
                g = g + spread(slope[j]) * load(user.weights, np.int64(user.slots[j]) * width + c)
                j = np.int64(item.links[j])
            store(total, c, g)
        gradients[slot * wide : slot * wide + wide] = total[:wide]
    step_rows(user, item, width, n_users, slope, now + 1, rules, rule)
    return loss


@njit(nogil=True, error_model="numpy", boundscheck=False)
def step_owned(
    table, last, width, bias_at, codes, n, gradients, now, rules, rule, integers, floats, other_integers, other_floats,
    room, slope,
):  # fmt: skip
    """Take one step with the rows that `read_owned` has read: each gets the sum of the gradients that came for it.

    A gradient is to `step_rows` what a rating is: a row of the other side, here with a slope of 1.
    """
    count, wide = codes.shape[0], bias_at + 1
    side = side_of(table, last, codes, integers, floats, width, room)
    other = side_of(table, last, codes, other_integers, other_floats, width, room)
    for j in range(count):
        at = j * width
        other.slots[j], slope[j] = j, 1.0
        other.weights[at : at + wide] = gradients[j * wide : j * wide + wide]
        other.weights[at + wide : at + width] = 0.0
    step_rows(side, other, width, n, slope, now + 1, rules, rule)


def _array(kind, readonly=False):
    return types.Array(kind, 1, "C", readonly=readonly)


_f4, _f8, _i4, _i8 = numba.float32, numba.float64, numba.int32, numba.int64
_TABLE = (_array(_f4), _array(_i4), _i8, _i8)
_SCRATCH = (_array(_i4), _array(_f4))

SIGNATURES = {
    "list_items": (
        _array(_i4, True), _array(_i4, True), _array(_i8, True), _array(_i8, True), _i8, _i8, _i8,
        _array(_i4), types.Array(_i8, 2, "C"), _array(_i4), _array(_i4),
    ),
    "read_owned": (
        *_TABLE, _array(_i4), _i8, _array(_f8), _array(_i4), _f8, *_SCRATCH, _i8, _array(_f8), _array(_f4),
    ),
    "step_users": (
        *_TABLE, _array(_i4), _array(_f4), _array(_i4), _array(_f4), _i8, _i8,
        _i8, _array(_f8), _array(_i4), _f8, _array(_f4), _i8, _f4, _f4, types.boolean,
        *_SCRATCH, *_SCRATCH, _i8, _array(_f8), _array(_f4), _array(_f4),
    ),
    "step_owned": (
        *_TABLE, _array(_i4), _i8, _array(_f4), _i8, _array(_f4), _i8, *_SCRATCH, *_SCRATCH, _i8, _array(_f4),
    ),
}  # fmt: skip
