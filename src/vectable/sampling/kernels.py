"""Everything that numba compiles for the sampler: random numbers, the rows of a side, offsets, latents, predictions.

numba's disk cache watches only the file a compiled function is written in, so all of them are in this one; the
Python around them is in `side.py`, `chain.py` and `compiling.py`. Nothing here checks its arguments.

Random numbers belong to what they are for and to nothing else: number i of a key is a hash of both (splitmix64, Steele
et al. 2014, doi 10.1145/2660193.2660195), and a key belongs to the seed, the draw and the side. So it does not matter
which thread works on which rows, or in which order.

A side's state is ``rows``, (rows, width) float32: K factors, then the bias, then zeros up to a multiple of 16, so that
the loops over ratings are over whole vectors (those of the training engine's kernels).
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import math
from typing import Any

import numba
import numpy as np
from numba import njit, types

from vectable.vectors import LANES, load, spread, store

AT_A_TIME = 4
"""Ratings that are added to a row's matrix in one go."""

BLOCK = 64
"""Ratings that are gathered, and added up in single precision, before they join the matrix, which is in double."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
A_ROW = np.uint64(1 << 16)
"""Random numbers that a row may use of one key."""


@njit(inline="always")
def uniform(key, number):
    """Number `number` of `key`: above 0 and below 1."""
    z = key + (np.uint64(number) + np.uint64(1)) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) + 0.5) * 2.0**-53


@njit(inline="always")
def fill_normals(key, row, n, out):
    """Write `n` standard normals of a row to `out` (Box and Muller 1958)."""
    first = np.uint64(row) * A_ROW
    for at in range(0, n, 2):
        length = math.sqrt(-2.0 * math.log(uniform(key, first + np.uint64(at))))
        angle = 2.0 * math.pi * uniform(key, first + np.uint64(at + 1))
        out[at] = length * math.cos(angle)
        if at + 1 < n:
            out[at + 1] = length * math.sin(angle)


@njit
def whole_lines(n):
    """`n` zeros, float32, that begin at a cache line: a vector across two lines takes twice as long and longer."""
    room = np.zeros(n + LANES, dtype=np.float32)
    skip = (-room.ctypes.data // 4) % LANES
    return room[skip : skip + n]


@njit(inline="always")
def add_four(part, block, at, width, D):
    """Add ``w w'`` of each of four rows w of the block to `part`, (D, width), from the diagonal's vector on."""
    first = at * width
    second, third, fourth = first + width, first + 2 * width, first + 3 * width
    for a in range(D):
        w0, w1 = spread(block[first + a]), spread(block[second + a])
        w2, w3 = spread(block[third + a]), spread(block[fourth + a])
        for v in range(a // LANES * LANES, width, LANES):
            two = load(part, a * width + v) + w0 * load(block, first + v) + w1 * load(block, second + v)
            store(part, a * width + v, two + w2 * load(block, third + v) + w3 * load(block, fourth + v))


@njit(nogil=True, error_model="numpy", boundscheck=False, fastmath={"contract"})
def draw_rows(first, last, starts, others, targets, other, mean, precision, noise_precision, relax, key, rows):
    """Draw rows [first, last) of one side given the rows of the other.

    Row x has the prior N(mean, precision^-1), and rates other row (q, b) as ``<x, (q, 1)> + b`` with noise. The matrix
    that is solved stands with its right-hand side as column D; U'U is found by elimination, and x by going back.

    Args:
        starts, others, targets: ratings j of row r are ``starts[r] <= j < starts[r + 1]``: other's row, and value.
        other: (other rows, width) float32.
        mean: prior means, (rows, D) float64; D = K + 1.
        precision: (D, D) float64.
        relax: a draw x becomes ``mean - relax * (old - mean) + sqrt(1 - relax ** 2) * (x - mean)``, which has the same
            distribution and leaves the old value sooner (over-relaxation, Adler 1981, doi 10.1103/PhysRevD.23.2901).
        rows: the old ones, written to, (rows, width) float32; width at least D + 1.
    """
    D, width = precision.shape[0], rows.shape[1]
    K = D - 1
    matrix = np.zeros((D, D + 1))
    part, block = whole_lines(D * width), whole_lines(BLOCK * width)
    normals, solution = np.empty(D), np.empty(D)
    fresh = math.sqrt(1.0 - relax * relax)
    for row in range(first, last):
        for a in range(D):
            pull = 0.0
            for b in range(D):
                matrix[a, b] = precision[a, b]
                pull += precision[a, b] * mean[row, b]
            matrix[a, D] = pull
        done, end = starts[row], starts[row + 1]
        while done < end:
            for at in range(D * width):
                part[at] = 0.0
            stop = min(end, done + BLOCK)
            fours = (stop - done + AT_A_TIME - 1) // AT_A_TIME * AT_A_TIME
            for at in range(stop - done):  # written only, and read later: reading back at once would wait
                seen = np.int64(others[done + at])
                for k in range(K):
                    block[at * width + k] = other[seen, k]
                block[at * width + K] = 1.0
                block[at * width + D] = targets[done + at] - other[seen, K]
            for at in range((stop - done) * width, fours * width):
                block[at] = 0.0
            for at in range(0, fours, AT_A_TIME):
                add_four(part, block, at, width, D)
            done = stop
            for a in range(D):
                for b in range(a, D + 1):
                    matrix[a, b] += noise_precision * part[a * width + b]
        for k in range(D):
            scale = 1.0 / math.sqrt(matrix[k, k])
            for b in range(k, D + 1):
                matrix[k, b] *= scale
            for a in range(k + 1, D):
                factor = matrix[k, a]
                for b in range(a, D + 1):
                    matrix[a, b] -= factor * matrix[k, b]
        fill_normals(key, row, D, normals)
        for k in range(D - 1, -1, -1):
            rest = (1.0 + relax) * matrix[k, D] + fresh * normals[k]
            for b in range(k + 1, D):
                rest -= matrix[k, b] * solution[b]
            solution[k] = rest / matrix[k, k]
            rows[row, k] = solution[k] - relax * rows[row, k]


@njit(nogil=True, error_model="numpy", boundscheck=False, fastmath={"contract"})
def score_pairs(first, last, user, item, users, items, K, scores):
    """Scores ``<p, q> + b_u + b_i`` of the pairs [first, last) into `scores`, (pairs,) float64."""
    for at in range(first, last):
        p, q = users[user[at]], items[item[at]]
        score = float(p[K]) + float(q[K])
        for k in range(K):
            score += float(p[k]) * float(q[k])
        scores[at] = score


@njit(nogil=True, error_model="numpy", boundscheck=False)
def draw_offsets(first, last, starts, rests, precision, noise_precision, key, offsets):
    """Draw the offsets [first, last): each the mean of what its ratings leave, under the prior N(0, 1/precision).

    Args:
        starts, rests: ratings of offset g are ``starts[g] <= j < starts[g + 1]``, what the rows leave of each.
        offsets: written to, (offsets,) float32.
    """
    normal = np.empty(1)
    for group in range(first, last):
        total = 0.0
        for at in range(starts[group], starts[group + 1]):
            total += rests[at]
        known = precision + noise_precision * (starts[group + 1] - starts[group])
        fill_normals(key, group, 1, normal)
        offsets[group] = noise_precision * total / known + normal[0] / math.sqrt(known)


# ---------------------------------------------------------------------------------------------------------
# Ratings as ordered categories.


@njit(inline="always")
def upper_tail(x):
    """P(Z > x) of a standard normal."""
    return 0.5 * math.erfc(x * math.sqrt(0.5))


@njit
def normal_quantile(p):
    """The z with P(Z > z) = p, 0 < p <= 1/2 (Acklam's approximation, made exact by one step of Halley)."""
    if p < 0.02425:
        q = math.sqrt(-2.0 * math.log(p))
        z = -(((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e00) * q
                - 2.549732539343734e00) * q + 4.374664141464968e00) * q + 2.938163982698783e00) / (
            (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e00) * q
             + 3.754408661907416e00) * q + 1.0)  # fmt: skip
    else:
        q = p - 0.5
        r = q * q
        z = -(((((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
                + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239e00) * q / (
            ((((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r
              + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0)  # fmt: skip
    error = (p - upper_tail(z)) * math.sqrt(2.0 * math.pi) * math.exp(0.5 * z * z)
    return z - error / (1.0 + 0.5 * z * error)


@njit
def truncated_normal(low, high, u):
    """A standard normal between `low` and `high` from a uniform, by its quantile in the nearer tail."""
    flip = low + high < 0.0
    if flip:
        low, high = -high, -low
    nearer, farther = upper_tail(low), upper_tail(high)
    p = farther + u * (nearer - farther)
    if p < 1e-300:  # so far out that the interval's inner end is all there is
        z = low
    elif p <= 0.5:
        z = normal_quantile(p)
    else:
        z = -normal_quantile(1.0 - p)
    return -z if flip else z


@njit(nogil=True, error_model="numpy", boundscheck=False)
def draw_latents(first, last, levels, scores, cuts, key, latents):
    """Draw the latent of each rating [first, last): N(score, 1) between the cuts of its level (Albert and Chib 1993).

    Args:
        levels: which category, (ratings,) int32; category k lies between ``cuts[k]`` and ``cuts[k + 1]``.
        latents: written to, (ratings,) float64.
    """
    for at in range(first, last):
        low, high = cuts[levels[at]] - scores[at], cuts[levels[at] + 1] - scores[at]
        latents[at] = scores[at] + truncated_normal(low, high, uniform(key, np.uint64(at)))


@njit(inline="always")
def share_between(low, high):
    """P(low < Z < high) of a standard normal, the differences taken where they are exact."""
    if low + high < 0.0:
        return upper_tail(-high) - upper_tail(-low)
    return upper_tail(low) - upper_tail(high)


@njit(nogil=True, error_model="numpy", boundscheck=False)
def log_likelihoods(first, last, levels, scores, cuts, sums):
    """Add the log-likelihood of each level's ratings to `sums`, (levels,), the latents integrated out."""
    for at in range(first, last):
        level = levels[at]
        share = share_between(cuts[level] - scores[at], cuts[level + 1] - scores[at])
        sums[level] += math.log(max(share, 1e-300))


# ---------------------------------------------------------------------------------------------------------
# The one specialisation of each kernel that Python calls.


def _array(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C")


def _read_only(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_f4, _f8, _i4, _i8, _u8 = numba.float32, numba.float64, numba.int32, numba.int64, numba.uint64

SIGNATURES = {
    "draw_rows": (
        _i8, _i8, _read_only(_i8), _read_only(_i4), _read_only(_f4), _read_only(_f4, 2), _read_only(_f8, 2),
        _read_only(_f8, 2), _f8, _f8, _u8, _array(_f4, 2),
    ),
    "score_pairs": (
        _i8, _i8, _read_only(_i4), _read_only(_i4), _read_only(_f4, 2), _read_only(_f4, 2), _i8, _array(_f8),
    ),
    "draw_offsets": (_i8, _i8, _read_only(_i8), _read_only(_f8), _f8, _f8, _u8, _array(_f4)),
    "draw_latents": (_i8, _i8, _read_only(_i4), _read_only(_f8), _read_only(_f8), _u8, _array(_f8)),
    "log_likelihoods": (_i8, _i8, _read_only(_i4), _read_only(_f8), _read_only(_f8), _array(_f8)),
}  # fmt: skip
