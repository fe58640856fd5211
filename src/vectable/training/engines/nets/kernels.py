"""Everything that numba compiles to train a small net: the forward pass, the loss, the backward pass and the step.

A net is a *program*: a table of operations over one buffer of activations, made by `program.py` from a torch module.
The kernels here interpret that table, so that a step costs its arithmetic and a few hundred nanoseconds, where torch's
dispatch, autograd and optimizer cost a few milliseconds.

numba's disk cache watches only the file that a compiled function is written in, so all of them are in this one.
Nothing here checks its arguments.

Layout, with B the rows of the largest batch: activations and their gradients are two vectors of float32 with the same
offsets; an operation reads rows of `width_in` numbers, `in_stride` apart, from `in_at` on, and writes likewise.
Weights, their gradients and the optimizer's moments are four vectors with the same offsets.

Matrix products go to the BLAS that SciPy brings (`scipy.linalg.cython_blas`), whose address is registered under a name
of ours, so that compiled code can be kept on disk.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import math
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from numba import njit, types
from numba.extending import get_cython_function_address

llvmlite.binding.add_symbol("vectable_sgemm", get_cython_function_address("scipy.linalg.cython_blas", "sgemm"))
_sgemm = types.ExternalFunction("vectable_sgemm", types.void(*[types.intp] * 13))

LINEAR, RELU, NORM, DROPOUT, RANGE = range(5)
"""Kinds of operations."""

(
    KIND, WIDTH_IN, WIDTH_OUT, IN_AT, IN_STRIDE, OUT_AT, OUT_STRIDE, WEIGHT_AT, BIAS_AT, EXTRA_AT, OWN, BACK, NUMBER,
    WARMS_UP,
) = range(14)  # fmt: skip
"""Columns of the table of operations.

`EXTRA_AT`: for a norm where its running mean begins (its running variance follows), for a dropout where its mask
begins. `OWN`: for a norm whether it is frozen (uses its running statistics and does not update them), for a dropout and
a range the number of its first setting. `BACK`: how many of the input's columns need a gradient. `NUMBER` and
`WARMS_UP`: for a norm which one it is, and whether its first ten batches count alike (`models.layers.BatchNorm`).
"""

MEAN_SQUARED_ERROR, CROSS_ENTROPY = range(2)
"""Kinds of losses."""

ADAM, SGD, MOMENTUM, RMSPROP = range(4)
"""Kinds of optimizers."""

AT, LENGTH, GROUP, DECAYS, TRAINS, BY_ROW = range(6)
"""Columns of the table of parameters. `BY_ROW`: whether it is a table whose rows are stepped when they are read."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
STATISTICS_SHARE = np.float32(0.1)
"""Share of a batch in the running statistics of a batch norm (torch's default momentum)."""
NORM_EPS = 1e-5


# ---------------------------------------------------------------------------------------------------------
# Random numbers: number i of a key is a hash of both (splitmix64, Steele et al. 2014, doi 10.1145/2660193.2660195).


@njit(inline="always")
def mix(key, number):
    """A hash of a key and a number, 64 bits."""
    z = key + (np.uint64(number) + np.uint64(1)) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@njit(inline="always")
def uniform(key, number):
    """A number from 0 up to but not including 1, float32."""
    return np.float32(np.int64(mix(key, number) >> np.uint64(40))) * np.float32(1.0 / 16_777_216.0)


# ---------------------------------------------------------------------------------------------------------
# Matrix products. BLAS counts columns first: a row-major (rows, width) block is a (width, rows) matrix to it.


@njit(error_model="numpy", boundscheck=False)
def product(turn_a, turn_b, m, n, k, a, lda, b, ldb, c, ldc, sizes, letters, units):
    """``C = op(A) op(B)``, C (m, n) and k long, by addresses of their first numbers; turned where asked.

    Args:
        sizes: scratch, (6,) int32.
        letters: the codes of "N" and "T", (2,) uint8.
        units: 1 and 0, (2,) float32.
    """
    sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5] = m, n, k, lda, ldb, ldc
    at, letter, unit = sizes.ctypes.data, letters.ctypes.data, units.ctypes.data
    _sgemm(letter + turn_a, letter + turn_b, at, at + 4, at + 8, unit, a, at + 12, b, at + 16, unit + 4, c, at + 20)


# ---------------------------------------------------------------------------------------------------------
# Operations, forward.


@njit(error_model="numpy", boundscheck=False)
def linear_forward(op, n, acts, weights, sizes, letters, units):
    """``Y = X W' + b``."""
    width_in, width_out, out = op[WIDTH_IN], op[WIDTH_OUT], op[OUT_AT]
    x, y, w = acts.ctypes.data + 4 * op[IN_AT], acts.ctypes.data + 4 * out, weights.ctypes.data + 4 * op[WEIGHT_AT]
    product(1, 0, width_out, n, width_in, w, width_in, x, op[IN_STRIDE], y, width_out, sizes, letters, units)
    if op[BIAS_AT] >= 0:
        bias = weights[op[BIAS_AT] : op[BIAS_AT] + width_out]
        for row in range(n):
            line = acts[out + row * width_out : out + (row + 1) * width_out]
            for at in range(width_out):
                line[at] += bias[at]


@njit(error_model="numpy", boundscheck=False)
def norm_forward(op, n, acts, weights, stats, tracked, saved, sums):
    """Batch norm: with the batch's mean and variance, which move the running ones; or, at rest, with the running ones.

    Args:
        tracked: number of batches in each norm's running statistics.
        saved: mean and inverse deviation of each norm's columns, at the places of its running statistics.
        sums: scratch, (2 * width,) float64.
    """
    width, stat = op[WIDTH_IN], op[EXTRA_AT]
    rests = op[OWN] != 0 or n == 1
    mean, scale = saved[stat : stat + width], saved[stat + width : stat + 2 * width]
    if rests:
        for at in range(width):
            mean[at] = stats[stat + at]
            scale[at] = np.float32(1.0 / math.sqrt(stats[stat + width + at] + NORM_EPS))
    else:
        total, squares = sums[:width], sums[width : 2 * width]
        total[:] = 0.0
        squares[:] = 0.0
        for row in range(n):
            line = acts[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
            for at in range(width):
                total[at] += line[at]
        for at in range(width):
            total[at] /= n
            mean[at] = np.float32(total[at])
        for row in range(n):
            line = acts[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
            for at in range(width):
                off = line[at] - total[at]
                squares[at] += off * off
        share = STATISTICS_SHARE
        if op[WARMS_UP]:
            share = max(share, np.float32(1.0 / (tracked[op[NUMBER]] + 1)))
        tracked[op[NUMBER]] += 1
        keep = np.float32(1.0) - share
        for at in range(width):
            variance = squares[at] / n
            scale[at] = np.float32(1.0 / math.sqrt(variance + NORM_EPS))
            stats[stat + at] = keep * stats[stat + at] + share * mean[at]
            unbiased = np.float32(squares[at] / (n - 1))
            stats[stat + width + at] = keep * stats[stat + width + at] + share * unbiased
    gamma, beta = weights[op[WEIGHT_AT] : op[WEIGHT_AT] + width], weights[op[BIAS_AT] : op[BIAS_AT] + width]
    for row in range(n):
        line = acts[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
        out = acts[op[OUT_AT] + row * op[OUT_STRIDE] : op[OUT_AT] + row * op[OUT_STRIDE] + width]
        for at in range(width):
            out[at] = (line[at] - mean[at]) * scale[at] * gamma[at] + beta[at]


@njit(error_model="numpy", boundscheck=False)
def relu_forward(op, n, acts):
    """``max(x, 0)``, in place."""
    width = op[WIDTH_IN]
    for row in range(n):
        line = acts[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
        for at in range(width):
            line[at] = max(line[at], np.float32(0.0))


@njit(error_model="numpy", boundscheck=False)
def dropout_forward(op, n, acts, share, key):
    """A `share` of the numbers becomes 0, the others grow by ``1 / (1 - share)``, in place; the factors are kept."""
    width, kept = op[WIDTH_IN], np.float32(1.0) / (np.float32(1.0) - share)
    for row in range(n):
        line = acts[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
        mask = acts[op[EXTRA_AT] + row * width : op[EXTRA_AT] + (row + 1) * width]
        for at in range(width):
            mask[at] = kept if uniform(key, row * width + at) >= share else np.float32(0.0)
            line[at] *= mask[at]


@njit(error_model="numpy", boundscheck=False)
def range_forward(op, n, acts, low, high):
    """``low + (high - low) * sigmoid(x)``, in place."""
    for at in range(op[IN_AT], op[IN_AT] + n * op[WIDTH_IN]):
        acts[at] = low + (high - low) / (np.float32(1.0) + math.exp(-acts[at]))


# ---------------------------------------------------------------------------------------------------------
# Operations, backward: from the gradient by the output to that by the input and by the weights.


@njit(error_model="numpy", boundscheck=False)
def linear_backward(op, n, acts, slopes, weights, grads, sizes, letters, units):
    """``dW = dY' X``, ``db`` the column sums of dY, ``dX = dY W`` for the first `BACK` columns."""
    width_in, width_out = op[WIDTH_IN], op[WIDTH_OUT]
    x, dy = acts.ctypes.data + 4 * op[IN_AT], slopes.ctypes.data + 4 * op[OUT_AT]
    dw = grads.ctypes.data + 4 * op[WEIGHT_AT]
    product(0, 1, width_in, width_out, n, x, op[IN_STRIDE], dy, width_out, dw, width_in, sizes, letters, units)
    if op[BIAS_AT] >= 0:
        column_sums = grads[op[BIAS_AT] : op[BIAS_AT] + width_out]
        column_sums[:] = np.float32(0.0)
        for row in range(n):
            line = slopes[op[OUT_AT] + row * width_out : op[OUT_AT] + (row + 1) * width_out]
            for at in range(width_out):
                column_sums[at] += line[at]
    if op[BACK] > 0:
        dx, w = slopes.ctypes.data + 4 * op[IN_AT], weights.ctypes.data + 4 * op[WEIGHT_AT]
        product(0, 0, op[BACK], n, width_out, w, width_in, dy, width_out, dx, op[IN_STRIDE], sizes, letters, units)


@njit(error_model="numpy", boundscheck=False)
def norm_backward(op, n, acts, slopes, weights, grads, saved, sums):
    """Batch norm's gradients; at rest mean and variance are constants."""
    width, stat = op[WIDTH_IN], op[EXTRA_AT]
    rests = op[OWN] != 0 or n == 1
    mean, scale = saved[stat : stat + width], saved[stat + width : stat + 2 * width]
    by_beta, by_gamma = sums[:width], sums[width : 2 * width]
    by_beta[:] = 0.0
    by_gamma[:] = 0.0
    for row in range(n):
        line = acts[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
        slope = slopes[op[OUT_AT] + row * op[OUT_STRIDE] : op[OUT_AT] + row * op[OUT_STRIDE] + width]
        for at in range(width):
            by_beta[at] += slope[at]
            by_gamma[at] += slope[at] * ((line[at] - mean[at]) * scale[at])
    for at in range(width):
        grads[op[WEIGHT_AT] + at] = np.float32(by_gamma[at])
        grads[op[BIAS_AT] + at] = np.float32(by_beta[at])
    if op[BACK] == 0:
        return
    gamma = weights[op[WEIGHT_AT] : op[WEIGHT_AT] + width]
    share = 0.0 if rests else 1.0 / n
    for at in range(width):
        by_beta[at] *= share
        by_gamma[at] *= share
    for row in range(n):
        line = acts[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
        slope = slopes[op[OUT_AT] + row * op[OUT_STRIDE] : op[OUT_AT] + row * op[OUT_STRIDE] + width]
        back = slopes[op[IN_AT] + row * op[IN_STRIDE] : op[IN_AT] + row * op[IN_STRIDE] + width]
        for at in range(width):
            normal = (line[at] - mean[at]) * scale[at]
            off = slope[at] - np.float32(by_beta[at]) - normal * np.float32(by_gamma[at])
            back[at] = gamma[at] * scale[at] * off


@njit(error_model="numpy", boundscheck=False)
def relu_backward(op, n, acts, slopes):
    """The gradient passes where the output is above 0."""
    width = op[WIDTH_IN]
    for row in range(n):
        first = op[IN_AT] + row * op[IN_STRIDE]
        line, slope = acts[first : first + width], slopes[first : first + width]
        for at in range(width):
            slope[at] = slope[at] if line[at] > np.float32(0.0) else np.float32(0.0)


@njit(error_model="numpy", boundscheck=False)
def dropout_backward(op, n, acts, slopes):
    """The gradient by the factors that the forward pass drew."""
    width = op[WIDTH_IN]
    for row in range(n):
        first = op[IN_AT] + row * op[IN_STRIDE]
        slope = slopes[first : first + width]
        mask = acts[op[EXTRA_AT] + row * width : op[EXTRA_AT] + (row + 1) * width]
        for at in range(width):
            slope[at] *= mask[at]


@njit(error_model="numpy", boundscheck=False)
def range_backward(op, n, acts, slopes, low, high):
    """The derivative of the scaled sigmoid, from its output."""
    for at in range(op[IN_AT], op[IN_AT] + n * op[WIDTH_IN]):
        share = (acts[at] - low) / (high - low)
        slopes[at] *= (high - low) * share * (np.float32(1.0) - share)


# ---------------------------------------------------------------------------------------------------------
# Losses: the loss, and its gradient by the outputs written to `slopes`.


@njit(error_model="numpy", boundscheck=False)
def squared_error(first, n, width, acts, slopes, targets, weights, rows):
    """Mean over the rows, weighted where they have weights, of the mean squared error of their outputs."""
    total = 0.0
    for row in range(n):
        total += weights[rows[row]] if len(weights) else 1.0
    loss = 0.0
    for row in range(n):
        share = (weights[rows[row]] if len(weights) else 1.0) / (total * width)
        for at in range(width):
            off = acts[first + row * width + at] - targets[rows[row], at]
            loss += share * off * off
            slopes[first + row * width + at] = np.float32(2.0 * share * off)
    return loss


@njit(error_model="numpy", boundscheck=False)
def cross_entropy(first, n, width, acts, slopes, classes, weights, class_weights, rows):
    """Mean over the rows of the negative logarithm of their class's probability, each row counting its weight times
    its class's."""
    total = 0.0
    for row in range(n):
        count = weights[rows[row]] if len(weights) else 1.0
        total += count * class_weights[classes[rows[row]]] if len(class_weights) else count
    loss = 0.0
    for row in range(n):
        target, at = classes[rows[row]], first + row * width
        share = weights[rows[row]] if len(weights) else 1.0
        share = (share * class_weights[target] if len(class_weights) else share) / total
        highest = acts[at]
        for one in range(1, width):
            highest = max(highest, acts[at + one])
        whole = 0.0
        for one in range(width):
            whole += math.exp(acts[at + one] - highest)
        loss += share * (math.log(whole) + highest - acts[at + target])
        for one in range(width):
            slopes[at + one] = np.float32(share * math.exp(acts[at + one] - highest) / whole)
        slopes[at + target] -= np.float32(share)
    return loss


# ---------------------------------------------------------------------------------------------------------
# The optimizer's step.


@njit(error_model="numpy", boundscheck=False)
def adam(w, g, m, v, b1, b2, size, root, eps):
    """Adam (arXiv 1412.6980) on a stretch of weights; `size` is the rate and `root` the bias correction of m and v."""
    one = np.float32(1.0)
    for at in range(len(w)):
        m[at] = m[at] + (one - b1) * (g[at] - m[at])
        v[at] = b2 * v[at] + (one - b2) * (g[at] * g[at])
        w[at] -= size * m[at] / (np.float32(math.sqrt(v[at])) / root + eps)


@njit(inline="always")
def adam_size(lr, mom, count):
    """The rate of Adam's step number `count`, with the bias of the first moment corrected."""
    return np.float32(lr / (1.0 - mom**count))


@njit(inline="always")
def adam_root(beta2, count):
    """What corrects the bias of the root of the second moment at step number `count`."""
    return np.float32(math.sqrt(1.0 - beta2**count))


@njit(error_model="numpy", boundscheck=False)
def step_stretch(w, g, m, v, lr, mom, decay, size, root, rule, beta2, eps, l2):
    """A step of a stretch of weights; its gradients become 0.

    Args:
        size, root: of Adam, see `adam_size` and `adam_root`.
    """
    if decay != 0.0 and l2:
        joined = np.float32(decay)
        for one in range(len(w)):
            g[one] += joined * w[one]
    elif decay != 0.0:
        shrunk = np.float32(1.0 - lr * decay)
        for one in range(len(w)):
            w[one] *= shrunk
    rate = np.float32(lr)
    if rule == ADAM:
        adam(w, g, m, v, np.float32(mom), np.float32(beta2), size, root, np.float32(eps))
    elif rule == RMSPROP:
        b2, one_less, least = np.float32(beta2), np.float32(1.0 - beta2), np.float32(eps)
        for one in range(len(w)):
            v[one] = b2 * v[one] + one_less * (g[one] * g[one])
            w[one] -= rate * g[one] / (np.float32(math.sqrt(v[one])) + least)
    elif rule == MOMENTUM:
        kept = np.float32(mom)
        for one in range(len(w)):
            m[one] = kept * m[one] + g[one]
            w[one] -= rate * m[one]
    else:
        for one in range(len(w)):
            w[one] -= rate * g[one]
    g[:] = np.float32(0.0)


@njit(error_model="numpy", boundscheck=False)
def step(weights, grads, first_moments, second_moments, counts, parameters, lrs, moms, decays, rule, beta2, eps, l2):
    """A step of every parameter that trains and is not stepped row by row, and all its gradients back to 0.

    Args:
        lrs, moms, decays: of each layer group.
    """
    for number in range(len(parameters)):
        at, group = parameters[number, AT], parameters[number, GROUP]
        stop = at + parameters[number, LENGTH]
        if parameters[number, TRAINS]:
            counts[number] += 1
            if parameters[number, BY_ROW]:
                continue
            decay = decays[group] if parameters[number, DECAYS] else 0.0
            size, root = adam_size(lrs[group], moms[group], counts[number]), adam_root(beta2, counts[number])
            step_stretch(
                weights[at:stop], grads[at:stop], first_moments[at:stop], second_moments[at:stop],
                lrs[group], moms[group], decay, size, root, rule, beta2, eps, l2,
            )  # fmt: skip
        else:
            grads[at:stop] = np.float32(0.0)


# A row of a large table that a batch does not touch has a gradient of 0. Its steps are made up for when a batch reads
# it or the call ends: of Adam with decoupled decay at once, by the tables of `idle_rows`, else one after the other in
# the arithmetic of a dense step. What has no moments yet only decays.


@njit(error_model="numpy", boundscheck=False)
def catch_up(w, g, m, v, since, until, group, sizes, roots, idle, lrs, moms, decay, rule, beta2, eps, l2):
    """The steps [since, until) of this call of a row whose gradients were 0.

    Args:
        sizes, roots: of Adam at each step of this call, (steps,).
        idle: what they do to a row without gradients, (steps + 1, 4); see `idle_rows.idle_steps`. No row where steps
            are made up for one after the other.
    """
    if len(idle) > 0:
        lost = idle[until, 0] - idle[since, 0]
        faded = idle[until, 1] - idle[since, 1]
        missed = until - since
        left = math.exp(faded - 0.5 * missed * math.log(beta2) - lost)
        kept, length = np.float32(math.exp(lost)), np.float32(idle[since, 2] - left * idle[until, 2])
        least = np.float32(idle[since, 3])
        m_left, v_left = np.float32(math.exp(faded)), np.float32(beta2**missed)
        for one in range(len(w)):
            w[one] = kept * (w[one] - length * (m[one] / (np.float32(math.sqrt(v[one])) + least)))
            m[one] *= m_left
            v[one] *= v_left
        return
    moving = decay != 0.0 and l2
    for one in range(len(w)):
        moving = moving or m[one] != 0.0 or v[one] != 0.0
    if not moving and decay == 0.0:
        return
    for number in range(since, until):
        if moving:
            lr, mom = lrs[number, group], moms[number, group]
            step_stretch(w, g, m, v, lr, mom, decay, sizes[number], roots[number], rule, beta2, eps, l2)
        else:
            shrunk = np.float32(1.0 - lrs[number, group] * decay)
            for one in range(len(w)):
                w[one] *= shrunk


@njit(error_model="numpy", boundscheck=False)
def correct_bias(n_steps, tables, counts, parameters, lrs, moms, beta2, sizes, roots):
    """Adam's corrections for each table that is stepped row by row and each step of this call."""
    for table in range(len(tables)):
        number = tables[table, 3]
        if number >= 0:
            group = parameters[number, GROUP]
            for at in range(n_steps):
                count = counts[number] + at + 1
                sizes[table, at] = adam_size(lrs[at, group], moms[at, group], count)
                roots[table, at] = adam_root(beta2, count)


@njit(error_model="numpy", boundscheck=False)
def step_row(
    table, code, reached, stepped, tables, fresh, weights, grads, first_moments, second_moments, sizes, roots, idle,
    parameters, lrs, moms, decays, rule, beta2, eps, l2,
):  # fmt: skip
    """Bring a row up to step `reached` of this call, and with `stepped` take that step with its own gradient.

    Args:
        fresh: the step of this call that each row is up to, by the rows' own numbers; written to.
        sizes, roots: of Adam for each table and step of this call, (tables, steps).
        idle: of each table and step of this call, (tables, steps + 1, 4); no step where there is no closed form.
        lrs, moms: of the schedule from the first step of this call on.
    """
    number = tables[table, 3]
    known = tables[table, 4] + code
    width = tables[table, 1]
    group = parameters[number, GROUP]
    at = tables[table, 0] + code * width
    stop = at + width
    w, g, m, v = weights[at:stop], grads[at:stop], first_moments[at:stop], second_moments[at:stop]
    decay = decays[group] if parameters[number, DECAYS] else 0.0
    if fresh[known] < reached:
        catch_up(
            w, g, m, v, fresh[known], reached, group, sizes[table], roots[table], idle[table],
            lrs, moms, decay, rule, beta2, eps, l2,
        )  # fmt: skip
        fresh[known] = reached
    if stepped and fresh[known] == reached:
        lr, mom = lrs[reached, group], moms[reached, group]
        step_stretch(w, g, m, v, lr, mom, decay, sizes[table, reached], roots[table, reached], rule, beta2, eps, l2)
        fresh[known] = reached + 1


@njit(error_model="numpy", boundscheck=False)
def step_rows(
    n, taken, reached, stepped, tables, fresh, weights, grads, first_moments, second_moments, sizes, roots, idle,
    parameters, lrs, moms, decays, rule, beta2, eps, l2,
):  # fmt: skip
    """`step_row` for the rows that a batch of `n` reads; with `n` -1 for all rows."""
    for table in range(len(tables)):
        if tables[table, 3] >= 0:
            for row in range(n if n >= 0 else tables[table, 2]):
                code = taken[row, table] if n >= 0 else row
                step_row(
                    table, code, reached, stepped, tables, fresh, weights, grads, first_moments, second_moments,
                    sizes, roots, idle, parameters, lrs, moms, decays, rule, beta2, eps, l2,
                )  # fmt: skip


@njit(error_model="numpy", boundscheck=False)
def scatter(n, taken, tables, x_at, x_width, slopes, grads):
    """Add the gradients of a batch's vectors to those of their tables."""
    for row in range(n):
        at = x_at + row * x_width
        for table in range(len(tables)):
            width = tables[table, 1]
            start = tables[table, 0] + taken[row, table] * width
            for one in range(width):
                grads[start + one] += slopes[at + one]
            at += width


# ---------------------------------------------------------------------------------------------------------
# The loop.


@njit(error_model="numpy", boundscheck=False)
def read_codes(rows, codes, tables, masking, key, taken):
    """The category codes of a batch, some hidden.

    Args:
        tables: place, width and rows of each embedding table, and more, (tables, 5).
        taken: written to: the codes of the batch, (rows, tables).
    """
    half = np.float32(masking / 2)
    n_tables = len(tables)
    for row in range(len(rows)):
        for number in range(n_tables):
            code = codes[rows[row], number]
            if masking > 0.0:
                chance = uniform(key, row * n_tables + number)
                if chance < half:
                    code = 0
                elif chance > np.float32(1.0) - half:
                    code = np.int32(tables[number, 2] - 1)
            taken[row, number] = code


@njit(error_model="numpy", boundscheck=False)
def read_batch(rows, numbers, tables, weights, acts, x_at, x_width, numbers_at, taken):
    """Gather a batch: the vectors of its category codes, and numbers as they are."""
    n_tables, n_numbers = len(tables), numbers.shape[1]
    for row in range(len(rows)):
        at = x_at + row * x_width
        for number in range(n_tables):
            code = taken[row, number]
            width = tables[number, 1]
            vector = weights[tables[number, 0] + code * width : tables[number, 0] + (code + 1) * width]
            for one in range(width):
                acts[at + one] = vector[one]
            at += width
        line = acts[numbers_at + row * n_numbers : numbers_at + (row + 1) * n_numbers]
        for one in range(n_numbers):
            line[one] = numbers[rows[row], one]


@njit(error_model="numpy", boundscheck=False)
def fill_bins(n, n_numbers, acts, numbers_at, out_at, out_stride, bins, lows, scales, steps, borders, height):
    """How far each number reaches into each interval, 0 to 1, and which inner borders it has reached, 0 or `height`."""
    for row in range(n):
        line = acts[numbers_at + row * n_numbers : numbers_at + (row + 1) * n_numbers]
        out = acts[out_at + row * out_stride : out_at + row * out_stride + len(bins) + len(steps)]
        for one in range(len(bins)):
            out[one] = min(max((line[bins[one]] - lows[one]) * scales[one], np.float32(0.0)), np.float32(1.0))
        for one in range(len(steps)):
            out[len(bins) + one] = height if line[steps[one]] >= borders[one] else np.float32(0.0)


@njit(nogil=True, error_model="numpy", boundscheck=False)
def train_steps(
    order, starts, stops, first, last, done, key,
    codes, numbers, targets, classes, row_weights, class_weights, loss_kind,
    operations, settings, tables, places, bins, lows, scales, steps, borders, masking, height,
    weights, grads, first_moments, second_moments, counts, stats, tracked,
    parameters, lrs, moms, decays, rule, beta2, eps, l2,
    acts, slopes, saved, sums, taken, fresh, step_sizes, step_roots, idle, sizes, letters, units, losses,
):  # fmt: skip
    """Train the steps [first, last) of an epoch's plan.

    Args:
        order, starts, stops: the plan; see `data.batches.BatchPlan`.
        done: steps of the schedule before this epoch.
        key: of the epoch's random numbers.
        codes, numbers: inputs, (rows, tables) int32 and (rows, numbers) float32.
        targets, classes: (rows, outputs) float32, or (rows,) int64; the other one is empty.
        row_weights, class_weights: float32; empty where all count alike.
        operations: the program, (operations, 14); see the columns above.
        settings: shares of dropouts, and low and high of a range.
        tables: place, width and rows of each embedding table, and where its rows are stepped when they are read the
            number of its parameter (else -1) and of its first row in `fresh`, (tables, 5).
        places: where the net's input begins, its width, where the batch's numbers begin, where the bins do, where the
            outputs do, and their number.
        bins, lows, scales, steps, borders: of the piecewise-linear bins; see `models.tabular.PiecewiseLinear`.
        masking: share of the codes hidden.
        stats: running means and variances.
        parameters: place, length, layer group, whether it decays, trains, and is stepped row by row, (parameters, 6).
        lrs, moms: of the schedule, (steps, groups).
        decays: (groups,).
        fresh: zeros, one for each row of the tables that are stepped row by row.
        step_sizes, step_roots: written to, (tables, last - first).
        idle: what the steps of this call do to rows without gradients, (tables, last - first + 1,
            4), or (tables, 0, 4).
        losses: written to, (last - first,).
    """
    reached, n_numbers = first, numbers.shape[1]
    x_at, x_width, numbers_at, bins_at = places[0], places[1], places[2], places[3]
    out_at, n_outputs = places[4], places[5]
    call_lrs, call_moms = lrs[done + first :], moms[done + first :]
    correct_bias(last - first, tables, counts, parameters, call_lrs, call_moms, beta2, step_sizes, step_roots)
    for number in range(first, last):
        rows = order[starts[number] : stops[number]]
        n = len(rows)
        step_key = mix(key, number)
        read_codes(rows, codes, tables, masking, mix(step_key, 0), taken)
        step_rows(
            n, taken, number - first, False, tables, fresh, weights, grads, first_moments, second_moments,
            step_sizes, step_roots, idle,
            parameters, call_lrs, call_moms, decays, rule, beta2, eps, l2,
        )  # fmt: skip
        read_batch(rows, numbers, tables, weights, acts, x_at, x_width, numbers_at, taken)
        if len(bins) + len(steps):
            fill_bins(n, n_numbers, acts, numbers_at, bins_at, x_width, bins, lows, scales, steps, borders, height)
        for at in range(len(operations)):
            op = operations[at]
            kind = op[KIND]
            if kind == LINEAR:
                linear_forward(op, n, acts, weights, sizes, letters, units)
            elif kind == RELU:
                relu_forward(op, n, acts)
            elif kind == NORM:
                norm_forward(op, n, acts, weights, stats, tracked, saved, sums)
            elif kind == DROPOUT:
                dropout_forward(op, n, acts, settings[op[OWN]], mix(step_key, at + 1))
            else:
                range_forward(op, n, acts, settings[op[OWN]], settings[op[OWN] + 1])
        if loss_kind == MEAN_SQUARED_ERROR:
            loss = squared_error(out_at, n, n_outputs, acts, slopes, targets, row_weights, rows)
        else:
            loss = cross_entropy(out_at, n, n_outputs, acts, slopes, classes, row_weights, class_weights, rows)
        losses[number - first] = loss
        for at in range(len(operations) - 1, -1, -1):
            op = operations[at]
            kind = op[KIND]
            if kind == LINEAR:
                linear_backward(op, n, acts, slopes, weights, grads, sizes, letters, units)
            elif kind == RELU:
                relu_backward(op, n, acts, slopes)
            elif kind == NORM:
                norm_backward(op, n, acts, slopes, weights, grads, saved, sums)
            elif kind == DROPOUT:
                dropout_backward(op, n, acts, slopes)
            else:
                range_backward(op, n, acts, slopes, settings[op[OWN]], settings[op[OWN] + 1])
        scatter(n, taken, tables, x_at, x_width, slopes, grads)
        step_rows(
            n, taken, number - first, True, tables, fresh, weights, grads, first_moments, second_moments,
            step_sizes, step_roots, idle,
            parameters, call_lrs, call_moms, decays, rule, beta2, eps, l2,
        )  # fmt: skip
        step(
            weights, grads, first_moments, second_moments, counts, parameters,
            lrs[done + number], moms[done + number], decays, rule, beta2, eps, l2,
        )  # fmt: skip
        reached = number + 1
        if not math.isfinite(loss):
            break
    step_rows(
        -1, taken, reached - first, False, tables, fresh, weights, grads, first_moments, second_moments,
            step_sizes, step_roots, idle,
        parameters, call_lrs, call_moms, decays, rule, beta2, eps, l2,
    )  # fmt: skip
    return reached


# ---------------------------------------------------------------------------------------------------------
# The one specialisation of the kernel that Python calls.


def _array(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C")


def _read_only(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_f4, _f8, _i4, _i8, _u1, _u8 = (
    numba.float32, numba.float64, numba.int32, numba.int64, numba.uint8, numba.uint64,
)  # fmt: skip

SIGNATURES = {
    "train_steps": (
        _read_only(_i4), _read_only(_i8), _read_only(_i8), _i8, _i8, _i8, _u8,
        _read_only(_i4, 2), _read_only(_f4, 2), _read_only(_f4, 2), _read_only(_i8), _read_only(_f4),
        _read_only(_f4), _i8,
        _read_only(_i8, 2), _read_only(_f4), _read_only(_i8, 2), _read_only(_i8), _read_only(_i8), _read_only(_f4),
        _read_only(_f4), _read_only(_i8), _read_only(_f4), _f8, _f4,
        _array(_f4), _array(_f4), _array(_f4), _array(_f4), _array(_i8), _array(_f4), _array(_i8),
        _read_only(_i8, 2), _read_only(_f8, 2), _read_only(_f8, 2), _read_only(_f8), _i8, _f8, _f8, types.boolean,
        _array(_f4), _array(_f4), _array(_f4), _array(_f8), _array(_i4, 2),
        _array(_i8), _array(_f4, 2), _array(_f4, 2), _read_only(_f8, 3), _array(_i4), _array(_u1), _array(_f4),
        _array(_f8),
    ),
}  # fmt: skip
