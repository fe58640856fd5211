"""The rows of one side of a factorization given the other side's: by conjugate gradients in blocks, or exactly.

The row x of n observed others y with confidences c minimizes (Hu, Koren & Volinsky 2008, doi 10.1109/ICDM.2008.22;
Rendle et al. 2022, doi 10.1145/3523227.3548486)

    sum c (1 - <x, y>)^2 + x'Gx + reg |x - m|^2

with G the Gram matrix of *all* others times the weight of what was not observed, and m the mean of the row's prior. So
it solves ``A x = sum c y + reg m`` with ``A = G + sum c y y' + reg I``.

Rows are ``(rows, width)`` float32: factors, then zeros up to a multiple of 16. The zeros stay zeros.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

import numpy as np
from numba import njit

from vectable.factorising.kernels.signatures import array, f4, i4, i8, read_only
from vectable.vectors import LANES, load, spread, store, total

BLOCK = 64
"""Rows whose products with G are one matrix product: this is what makes a step cheap."""

DONE = 1e-20
"""Squared residual from which on a row is left as it is."""


@njit(inline="always")
def dot(a, a_at, b, b_at, width):
    """The inner product of two rows."""
    products = load(a, a_at) * load(b, b_at)
    for v in range(LANES, width, LANES):
        products = products + load(a, a_at + v) * load(b, b_at + v)
    return total(products)


@njit(inline="always")
def add_observed(first, end, others, confidence, other, target, x, x_at, out, out_at, width):
    """Add ``sum c (target - <x, y>) y`` over the observed [first, end) to a row of `out`, four others at a time."""
    at = first
    while at + 4 <= end:
        y0, y1 = np.int64(others[at]) * width, np.int64(others[at + 1]) * width
        y2, y3 = np.int64(others[at + 2]) * width, np.int64(others[at + 3]) * width
        part = load(x, x_at)
        p0, p1 = part * load(other, y0), part * load(other, y1)
        p2, p3 = part * load(other, y2), part * load(other, y3)
        for v in range(LANES, width, LANES):
            part = load(x, x_at + v)
            p0, p1 = p0 + part * load(other, y0 + v), p1 + part * load(other, y1 + v)
            p2, p3 = p2 + part * load(other, y2 + v), p3 + part * load(other, y3 + v)
        w0 = spread(confidence[at] * (target - total(p0)))
        w1 = spread(confidence[at + 1] * (target - total(p1)))
        w2 = spread(confidence[at + 2] * (target - total(p2)))
        w3 = spread(confidence[at + 3] * (target - total(p3)))
        for v in range(0, width, LANES):
            two = load(out, out_at + v) + w0 * load(other, y0 + v) + w1 * load(other, y1 + v)
            store(out, out_at + v, two + w2 * load(other, y2 + v) + w3 * load(other, y3 + v))
        at += 4
    while at < end:
        y0 = np.int64(others[at]) * width
        w0 = spread(confidence[at] * (target - dot(x, x_at, other, y0, width)))
        for v in range(0, width, LANES):
            store(out, out_at + v, load(out, out_at + v) + w0 * load(other, y0 + v))
        at += 1


@njit(nogil=True, error_model="numpy", boundscheck=False, fastmath={"contract"})
def improve_blocks(first, last, starts, others, confidence, other, gram, regs, prior, steps, rows):
    """Move the rows of the blocks [first, last) towards their solutions by `steps` of conjugate gradients.

    Args:
        starts, others, confidence: row r observed ``others[j]`` with ``confidence[j]``, starts[r] <= j < starts[r + 1].
        other: the other side's rows, (others, width).
        gram: G, (width, width).
        regs: of each row, (rows,).
        prior: means of the rows' priors, (rows, width), or no rows at all where they are 0.
        rows: where the steps begin, written to.
    """
    n, width = rows.shape
    rest = np.empty((BLOCK, width), np.float32)
    way, product = np.empty_like(rest), np.empty_like(rest)
    size = np.empty(BLOCK, np.float32)
    zero, one = np.float32(0.0), np.float32(1.0)
    for block in range(first, last):
        begin, end = block * BLOCK, min(block * BLOCK + BLOCK, n)
        count = end - begin
        np.dot(rows[begin:end], gram, product[:count])
        for r in range(count):
            row, at = begin + r, r * width
            reg, minus = spread(regs[row]), spread(-one)
            for v in range(0, width, LANES):
                away = minus * load(rows, row * width + v)
                if prior.shape[0] > 0:
                    away = away + load(prior, row * width + v)
                store(rest, at + v, reg * away - load(product, at + v))
            seen, seen_end = starts[row], starts[row + 1]
            add_observed(seen, seen_end, others, confidence, other, one, rows, row * width, rest, at, width)
            for v in range(0, width, LANES):
                store(way, at + v, load(rest, at + v))
            size[r] = dot(rest, at, rest, at, width)
        for _ in range(steps):
            np.dot(way[:count], gram, product[:count])
            for r in range(count):
                if size[r] < DONE:
                    continue
                row, at = begin + r, r * width
                reg, minus = spread(-regs[row]), spread(-one)
                for v in range(0, width, LANES):  # the product with -A
                    store(product, at + v, reg * load(way, at + v) + minus * load(product, at + v))
                seen, seen_end = starts[row], starts[row + 1]
                add_observed(seen, seen_end, others, confidence, other, zero, way, at, product, at, width)
                length = spread(-size[r] / dot(way, at, product, at, width))
                for v in range(0, width, LANES):
                    store(rows, row * width + v, load(rows, row * width + v) + length * load(way, at + v))
                    store(rest, at + v, load(rest, at + v) + length * load(product, at + v))
                left = dot(rest, at, rest, at, width)
                turn = spread(left / size[r])
                size[r] = left
                for v in range(0, width, LANES):
                    store(way, at + v, load(rest, at + v) + turn * load(way, at + v))


@njit(nogil=True, error_model="numpy", boundscheck=False, fastmath={"contract"})
def solve_rows(first, last, starts, others, confidence, other, gram, regs, prior, rows):
    """Solve rows [first, last) exactly: the matrix A in single precision, its Cholesky factor in double.

    Args:
        as for `improve_blocks`; what `rows` holds before does not matter.
    """
    width = rows.shape[1]
    matrix = np.empty((width, width))
    right = np.empty(width)
    for row in range(first, last):
        n = starts[row + 1] - starts[row]
        plain, weighted = np.empty((n, width), np.float32), np.empty((n, width), np.float32)
        reg = np.float64(regs[row])
        for k in range(width):
            right[k] = reg * prior[row, k] if prior.shape[0] > 0 else 0.0
        for j in range(n):
            seen, c = others[starts[row] + j], confidence[starts[row] + j]
            for k in range(width):
                plain[j, k] = other[seen, k]
                weighted[j, k] = c * other[seen, k]
                right[k] += np.float64(weighted[j, k])
        observed = np.dot(plain.T, weighted)
        for a in range(width):
            for b in range(a, width):
                matrix[a, b] = np.float64(gram[a, b]) + np.float64(observed[a, b])
            matrix[a, a] += reg
        solve_in_place(matrix, right)
        for k in range(width):
            rows[row, k] = right[k]


@njit(inline="always")
def solve_in_place(matrix, right):
    """Solve a positive definite system of which the upper triangle is given; both arguments are written over."""
    n = right.shape[0]
    for k in range(n):  # U'U by elimination, and U'^-1 right
        scale = 1.0 / np.sqrt(matrix[k, k])
        for b in range(k, n):
            matrix[k, b] *= scale
        right[k] *= scale
        for a in range(k + 1, n):
            factor = matrix[k, a]
            for b in range(a, n):
                matrix[a, b] -= factor * matrix[k, b]
            right[a] -= factor * right[k]
    for a in range(n - 1, -1, -1):
        rest = right[a]
        for b in range(a + 1, n):
            rest -= matrix[a, b] * right[b]
        right[a] = rest / matrix[a, a]


SIGNATURES = {
    "improve_blocks": (
        i8, i8, read_only(i8), read_only(i4), read_only(f4), read_only(f4, 2), read_only(f4, 2), read_only(f4),
        read_only(f4, 2), i8, array(f4, 2),
    ),
    "solve_rows": (
        i8, i8, read_only(i8), read_only(i4), read_only(f4), read_only(f4, 2), read_only(f4, 2), read_only(f4),
        read_only(f4, 2), array(f4, 2),
    ),
}  # fmt: skip
