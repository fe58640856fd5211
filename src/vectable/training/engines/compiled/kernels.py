"""Everything that numba compiles for the engine: the catch-up of a row, one batch, one lane (see also `vectors.py`).

numba's disk cache watches only the file a compiled function is written in, so all of them are in this one;
the Python around them is in `engine.py`, `schedule.py` and `compiling.py`. Nothing here checks its
arguments except for codes out of range.

Layout of a table: row r is ``table[r*3*width : (r+1)*3*width]``, three stretches of `width` float32: weights,
first moments, and square roots of the second moments (whoever reads a row needs the root, and roots are
slow). In a stretch the factors come first, then the bias, then zeros up to a multiple of 16, so that every
loop is over whole vectors. The zeros stay zeros: so is their gradient.

Layout of the tail table: row s is what a row last updated at step s of the schedule needs, see `schedule.py`:
``tail[4*s : 4*s+4] = log D_s, sum log b1, B_s, E_s``, float64.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import math
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import njit, types

from vectable.vectors import LANES, load, prefetch, root, spread, store, total

AHEAD = 3
"""Batches of a lane that are in work at a time."""

BLOCK = 64
"""Rows that `catch_up` works out together."""

MOST_GROWTH = 1e4
"""How much larger the end of a tail sum may weigh than its beginning: it costs as many digits of 1e16."""

# ---------------------------------------------------------------------------------------------------------
# The numbers of a schedule.


@njit(nogil=True, error_model="numpy", boundscheck=False)
def tail_sums(gains, shares, sums, ends):
    """``sums[s] = (gains[s] + sums[s+1]) * shares[s]`` from the end, where it is 0; how often it was cut.

    A difference of two sums is only as good as they are of one size. So where the shares' product grows past
    `MOST_GROWTH` (with lr*wd of 0.05 and more, where nothing trains any more), the sum starts again from 0.

    Args:
        gains, shares: of the step after s, (steps,) float64.
        sums: the result, (steps+1,) float64.
        ends: where the sum of s begins from 0: the last step, or the next cut, (steps+1,) int32.
    """
    steps = gains.shape[0]
    sums[steps], ends[steps] = 0.0, steps
    cuts, growth, limit = 0, 0.0, math.log(MOST_GROWTH)
    for s in range(steps - 1, -1, -1):
        later, ends[s] = sums[s + 1], ends[s + 1]
        grown = math.log(max(shares[s], 1e-300))
        growth = max(0.0, growth + grown)
        if growth > limit:
            cuts, growth, later, ends[s] = cuts + 1, max(0.0, grown), 0.0, s + 1
        sums[s] = (gains[s] + later) * shares[s]
    return cuts


# ---------------------------------------------------------------------------------------------------------
# Rows that waited.


@njit(error_model="numpy", boundscheck=False)
def exponentials(x, n):
    """Replace the first `n` numbers of `x` by their exponentials, to 12 digits and within 1e-304..1e304.

    exp(x) = 2**k * exp(f) with k whole and |f| < 0.35: a Taylor polynomial for exp(f), and k added to the
    exponent's bits. Adding 1.5 * 2**52 rounds to a whole number and leaves it in the lowest bits. Written
    out because the loop then becomes vector instructions, which a call of the C library's exp does not.
    """
    for j in range(n):
        bounded = min(max(x[j], -700.0), 700.0)
        shifted = bounded * 1.4426950408889634 + 6755399441055744.0
        k = shifted - 6755399441055744.0
        f = (bounded - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
        p = 1 / 3628800 * f + 1 / 362880
        p = p * f + 1 / 40320
        p = p * f + 1 / 5040
        p = p * f + 1 / 720
        p = p * f + 1 / 120
        p = p * f + 1 / 24
        p = p * f + 1 / 6
        p = p * f + 0.5
        p = p * f + 1.0
        p = p * f + 1.0
        bits = np.float64(p).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)
        x[j] = np.int64(bits).view(np.float64)


@njit(error_model="numpy", boundscheck=False)
def decay_idle_rows(since, n, now, tail, ends, log_beta2, work, change):
    """What the steps after `since[slot]` up to `now`, without a gradient, do to each of `n` rows.

    Args:
        tail, ends: see `schedule.py`; `ends` is empty when no sum was cut.
        work: (3*n,) float64, written over.
        change: the result, five float32 a slot: decay, slide, keep_m, keep_r, floor. A row becomes
            ``w = w*decay - slide * m/(r + floor)``, ``m = m*keep_m``, ``r = r*keep_r``; r is sqrt(v).
    """
    t = 4 * np.int64(now)
    for slot in range(n):
        s = 4 * np.int64(since[slot])
        work[slot] = tail[t] - tail[s]
        work[n + slot] = tail[t + 1] - tail[s + 1]
        work[2 * n + slot] = 0.5 * (now - since[slot]) * log_beta2
    exponentials(work, 3 * n)
    for slot in range(n):
        s, to = 4 * np.int64(since[slot]), 5 * slot
        decay, keep_m, keep_r = work[slot], work[n + slot], work[2 * n + slot]
        if ends.shape[0] == 0:
            slide = decay * tail[s + 2] - keep_m / keep_r * tail[t + 2]
        else:
            slide = slide_over_cuts(since[slot], now, tail, ends, log_beta2)
        change[to], change[to + 1] = decay, slide
        # Factors too small to matter are 0, so that no moments linger as subnormal numbers, which are slow.
        change[to + 2] = keep_m if keep_m > 1e-20 else 0.0
        change[to + 3] = keep_r if keep_r > 1e-10 else 0.0
        change[to + 4] = tail[s + 3]


@njit(error_model="numpy", boundscheck=False)
def slide_over_cuts(since, now, tail, ends, log_beta2):
    """The `slide` of `decay_idle_rows`, one stretch between cuts after the other until what is left is negligible."""
    slide, left, s = 0.0, 1.0, since
    while s < now and left > 1e-15:
        e = min(ends[s], now)
        decay = math.exp(tail[4 * e] - tail[4 * s])
        shrunk = math.exp(tail[4 * e + 1] - tail[4 * s + 1] - 0.5 * (e - s) * log_beta2)
        rest = tail[4 * e + 2] if e < ends[s] else 0.0
        slide = slide * decay + left * (decay * tail[4 * s + 2] - shrunk * rest)
        left *= shrunk
        s = e
    return slide * math.exp(tail[4 * now] - tail[4 * s])


@njit(nogil=True, error_model="numpy", boundscheck=False)
def catch_up(table, width, last, now, tail, ends, log_beta2):
    """Bring every row of a table to step `now`.

    Args:
        table: (rows*3*width,) float32.
        last: the step each row is at, (rows,) int32; becomes `now` where it is less.
    """
    work, change = np.empty(3 * BLOCK), np.empty(5 * BLOCK, np.float32)
    for first in range(0, last.shape[0], BLOCK):
        n = min(BLOCK, last.shape[0] - first)
        for row in range(first, first + n):
            last[row] = min(last[row], now)
        decay_idle_rows(last[first : first + n], n, now, tail, ends, log_beta2, work, change)
        for row in range(first, first + n):
            if last[row] == now:
                continue
            last[row] = now
            to = 5 * (row - first)
            decay, slide, floor = spread(change[to]), spread(change[to + 1]), spread(change[to + 4])
            keep_m, keep_r = spread(change[to + 2]), spread(change[to + 3])
            for at in range(row * 3 * width, row * 3 * width + width, LANES):
                w, m, r = load(table, at), load(table, at + width), load(table, at + 2 * width)
                store(table, at, w * decay - slide * (m / (r + floor)))
                store(table, at + width, m * keep_m)
                store(table, at + 2 * width, r * keep_r)


# ---------------------------------------------------------------------------------------------------------
# One batch.


class Side(NamedTuple):
    """One table, and a lane's scratch for the batch's view of it. A slot is a row that the batch reads.

    Attributes:
        table: (rows*3*width,) float32.
        last: the step each row is at, (rows,) int32. While a batch is worked on it is -1 - slot for the
            batch's rows, which is how a row is known the second time.
        codes: rows that the ratings of the batches in work read, (AHEAD*longest,) int32.
        slots: slot of each rating of the batch, (longest,) int32.
        links: the next rating in the same slot, or -1, (longest,) int32.
        heads: first rating of each slot, (longest,) int32.
        rows, since: row of each slot, and the step it was at, (longest,) int32.
        change: what waiting did to each slot, see `decay_idle_rows`, (longest*5,) float32.
        weights: weights before the step, with 1 in the place of the bias, (longest*width,) float32.
        bias: biases before the step, (longest,) float32.
    """

    table: Any
    last: Any
    codes: Any
    slots: Any
    links: Any
    heads: Any
    rows: Any
    since: Any
    change: Any
    weights: Any
    bias: Any


@njit(error_model="numpy", boundscheck=False)
def new_side(table, width, last, longest):
    """A table with room for batches of up to `longest` ratings."""
    return Side(
        table,
        last,
        np.empty(AHEAD * longest, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest * 5, np.float32),
        np.empty(longest * width, np.float32),
        np.empty(longest, np.float32),
    )


@njit(error_model="numpy", boundscheck=False)
def following(lanes, lane, step, last):
    """The first step of a lane from `step` on, or a number of at least `last`."""
    while step < last and lanes[step] != lane:
        step += 1
    return step


@njit(error_model="numpy", boundscheck=False)
def prefetch_batch(order, start, stop, users, items, ratings):
    """Start bringing in what `gather` will read."""
    for j in range(start, stop):
        row = np.int64(order[j])
        prefetch(users, row)
        prefetch(items, row)
        prefetch(ratings, row)


@njit(error_model="numpy", boundscheck=False)
def gather(order, start, stop, users, items, ratings, user, item, rating, to):
    """Copy a batch's codes and ratings side by side, from place `to` on; False if one does not exist."""
    for j in range(stop - start):
        row = np.int64(order[start + j])
        if row < 0 or row >= users.shape[0]:
            return False
        u, i = users[row], items[row]
        if u < 0 or u >= user.last.shape[0] or i < 0 or i >= item.last.shape[0]:
            return False
        user.codes[to + j], item.codes[to + j], rating[to + j] = u, i, ratings[row]
        prefetch(user.last, np.int64(u))
        prefetch(item.last, np.int64(i))
    return True


@njit(error_model="numpy", boundscheck=False)
def expect_rows(side, width, place, count, tail):
    """Start bringing in the rows of a batch to come, and their lines of the tail table."""
    for j in range(place, place + count):
        row = np.int64(side.codes[j])
        for at in range(row * 3 * width, (row + 1) * 3 * width, LANES):
            prefetch(side.table, at)
        prefetch(tail, 4 * max(np.int64(side.last[row]), 0))


@njit(error_model="numpy", boundscheck=False)
def group(side, place, count):
    """List each row of a batch once, with the ratings that read it; the number of different rows."""
    n = np.int32(0)
    for j in range(count):
        row = side.codes[place + j]
        step = side.last[row]
        if step >= 0:
            side.rows[n], side.since[n], side.heads[n], side.links[j], side.slots[j] = row, step, j, -1, n
            side.last[row] = -1 - n
            n += 1
        else:
            slot = -1 - step
            side.links[j], side.heads[slot], side.slots[j] = side.heads[slot], j, slot
    return n


@njit(error_model="numpy", boundscheck=False)
def read_rows(side, width, bias_at, n, now, tail, ends, log_beta2, work):
    """Bring the weights of a batch's rows to step `now`, in the table and in a copy of their own.

    In the copy the bias gives its place to a 1, so that the loop that adds up the factors' gradients adds up
    the bias's as well. The moments wait for `step_rows`.
    """
    decay_idle_rows(side.since, n, now, tail, ends, log_beta2, work, side.change)
    for slot in range(n):
        change = 5 * slot
        decay, slide = spread(side.change[change]), spread(side.change[change + 1])
        floor = spread(side.change[change + 4])
        base, to = np.int64(side.rows[slot]) * 3 * width, slot * width
        for c in range(0, width, LANES):
            at = base + c
            w, m, r = load(side.table, at), load(side.table, at + width), load(side.table, at + 2 * width)
            w = w * decay - slide * (m / (r + floor))
            store(side.table, at, w)
            store(side.weights, to + c, w)
        side.bias[slot] = side.weights[to + bias_at]
        side.weights[to + bias_at] = 1.0


@njit(error_model="numpy", boundscheck=False)
def forward_loss(user, item, width, count, rating, place, low, high, bounded, work, slope):
    """Predict a batch; its mean squared error, and the derivative by each rating's raw sum into `slope`."""
    one = np.float32(1.0)
    for j in range(count):
        u, i = np.int64(user.slots[j]), np.int64(item.slots[j])
        products = load(user.weights, u * width) * load(item.weights, i * width)
        for c in range(LANES, width, LANES):
            products = products + load(user.weights, u * width + c) * load(item.weights, i * width + c)
        slope[j] = total(products) - one + user.bias[u] + item.bias[i]  # the raw sum, for now
        work[j] = -slope[j]
    if bounded:
        exponentials(work, count)
    square, twice = 0.0, np.float32(2.0 / count)
    for j in range(count):
        prediction, derivative = slope[j], one
        if bounded:
            share = one / (one + np.float32(work[j]))
            prediction, derivative = low + (high - low) * share, (high - low) * share * (one - share)
        error = prediction - rating[place + j]
        square += np.float64(error) * np.float64(error)
        slope[j] = twice * error * derivative
    return square / count


@njit(error_model="numpy", boundscheck=False)
def step_rows(side, other, width, n, slope, now, rules, rule):
    """Add up the gradient of each row of one side over the batch and take one AdamW step.

    Args:
        now: the step that the rows are at afterwards.
        rules: from `rule` on, of this step: b1, 1-b1, b2, 1-b2, d, a, eps*sqrt(c2), see `schedule.py`.
    """
    b1, add_m, b2, add_v = rules[rule], spread(rules[rule + 1]), rules[rule + 2], spread(rules[rule + 3])
    decay, rate, eps = spread(rules[rule + 4]), spread(rules[rule + 5]), spread(rules[rule + 6])
    for slot in range(n):
        side.last[side.rows[slot]] = now
        base = np.int64(side.rows[slot]) * 3 * width
        keep_m, keep_r = side.change[5 * slot + 2], side.change[5 * slot + 3]
        old_m, old_v = spread(b1 * keep_m), spread(b2 * keep_r * keep_r)
        for c in range(0, width, LANES):
            at = base + c
            j = np.int64(side.heads[slot])
            g = spread(slope[j]) * load(other.weights, np.int64(other.slots[j]) * width + c)
            j = np.int64(side.links[j])
            while j >= 0:
                g = g + spread(slope[j]) * load(other.weights, np.int64(other.slots[j]) * width + c)
                j = np.int64(side.links[j])
            w, m, r = load(side.table, at), load(side.table, at + width), load(side.table, at + 2 * width)
            m = m * old_m + add_m * g
            r = root(r * r * old_v + add_v * (g * g))
            store(side.table, at, w * decay - rate * (m / (r + eps)))
            store(side.table, at + width, m)
            store(side.table, at + 2 * width, r)


@njit(nogil=True, error_model="numpy", boundscheck=False)
def train_lane(
    user_table, user_last, item_table, item_last, width, bias_at,
    users, items, ratings, order, starts, stops, lanes,
    lane, first, last, now, tail, ends, rules, log_beta2,
    low, high, bounded, longest, losses,
):  # fmt: skip
    """Train the steps of one lane among steps [first, last) of a plan.

    Three batches are in work at a time, so that memory is asked for long before it is read: `step` trains,
    the rows of `expected` are on their way, and the codes of `gathered` are copied.

    Args:
        width, bias_at: floats in a stretch of a row, and the place of the bias in it.
        now: the step of the schedule that step `first` of the plan is.
        rules: of the steps of this call, ((last-first)*8,) float32, see `step_rows`.
        low, high, bounded: the sigmoid's range; without `bounded` predictions are the raw sums.
        longest: the largest batch.
        losses: mean squared error of each batch before its step, (last-first,) float64.

    Returns:
        -1, or the step of the plan with a code that does not exist: neither it nor any after it is done.
    """
    user = new_side(user_table, width, user_last, longest)
    item = new_side(item_table, width, item_last, longest)
    rating, slope = np.empty(AHEAD * longest, np.float32), np.empty(longest, np.float32)
    work = np.empty(3 * longest)
    gathered = following(lanes, lane, first, last)
    step = expected = last
    missing = np.int64(-1)
    for turn in range(-2, last - first):
        ahead = following(lanes, lane, gathered + 1, last)
        if ahead < last:
            prefetch_batch(order, starts[ahead], stops[ahead], users, items, ratings)
        if gathered < last and not gather(
            order, starts[gathered], stops[gathered], users, items, ratings,
            user, item, rating, (turn + 2) % AHEAD * longest,
        ):  # fmt: skip
            missing = gathered
            gathered = ahead = last
        if expected < last:
            place, count = (turn + 1) % AHEAD * longest, stops[expected] - starts[expected]
            expect_rows(user, width, place, count, tail)
            expect_rows(item, width, place, count, tail)
        if step < last:
            place, count, t = turn % AHEAD * longest, stops[step] - starts[step], now + step - first
            n_users, n_items = group(user, place, count), group(item, place, count)
            read_rows(user, width, bias_at, n_users, t, tail, ends, log_beta2, work)
            read_rows(item, width, bias_at, n_items, t, tail, ends, log_beta2, work)
            losses[step - first] = forward_loss(
                user, item, width, count, rating, place, low, high, bounded, work, slope
            )
            step_rows(user, item, width, n_users, slope, t + 1, rules, 8 * (step - first))
            step_rows(item, user, width, n_items, slope, t + 1, rules, 8 * (step - first))
        elif turn >= 0:
            break
        step, expected, gathered = expected, gathered, ahead
    return missing


# ---------------------------------------------------------------------------------------------------------
# The one specialisation of each kernel that Python calls.


def _array(kind: Any) -> Any:
    return types.Array(kind, 1, "C")


def _read_only(kind: Any) -> Any:
    return types.Array(kind, 1, "C", readonly=True)


_f4, _f8, _i1, _i4, _i8 = numba.float32, numba.float64, numba.int8, numba.int32, numba.int64

SIGNATURES = {
    "tail_sums": (_array(_f8), _array(_f8), _array(_f8), _array(_i4)),
    "catch_up": (_array(_f4), _i8, _array(_i4), _i8, _array(_f8), _array(_i4), _f8),
    "train_lane": (
        _array(_f4), _array(_i4), _array(_f4), _array(_i4), _i8, _i8,
        _read_only(_i4), _read_only(_i4), _read_only(_f4), _read_only(_i4),
        _read_only(_i8), _read_only(_i8), _read_only(_i1),
        _i8, _i8, _i8, _i8, _array(_f8), _array(_i4), _array(_f4), _f8,
        _f4, _f4, types.boolean, _i8, _array(_f8),
    ),
}  # fmt: skip
