"""What the learning rates and momenta to come do to a row that gets no gradient: tables of one number per step.

Dense AdamW moves every row at every step t = s+1..T, also one whose gradient is zero:

    d_t = 1 - lr_t*wd        c1_t = 1 - b1_t**t        c2_t = 1 - b2**t        a_t = lr_t*sqrt(c2_t)/c1_t
    w_t = w_{t-1}*d_t - a_t * m_t / (sqrt(v_t) + eps*sqrt(c2_t)),    m_t = b1_t*m_{t-1},    v_t = b2*v_{t-1}

Were eps nothing, the sum over these steps would be a closed form, because m_t/sqrt(v_t) only shrinks by
known factors:

    w_T = (D_T/D_s) * (w_s - m_s/sqrt(v_s) * (B_s - rho*B_T)),     D_t = d_1*...*d_t
    B_s = (a_{s+1} + B_{s+1}) * b1_{s+1} / (sqrt(b2)*d_{s+1}),     B_end = 0
    rho = exp(sum_{s<t<=T} log b1_t - (T-s)/2*log b2 - (log D_T - log D_s))

Were eps everything, it would be one too, with 1/eps for the root and H instead of B:

    H_s = (lr_{s+1}/(c1_{s+1}*eps) + H_{s+1}) * b1_{s+1} / d_{s+1},     H_end = 0

``m_s/(sqrt(v_s) + E_s)`` with E_s = B_s/H_s in the place of ``m_s/sqrt(v_s)`` is right at both ends and
nearly so between them (tests/test_compiled.py has the bounds), and needs no care where v is 0. For this
ratio alone the d are left out of both sums: they hardly matter in it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vectable.compiling import EngineUnavailable
from vectable.training.engines.compiled.ready import kernels

TAIL_NUMBERS = 4
RULE_NUMBERS = 8
SMALLEST_EPS = 1e-16
"""Smaller ones, 0 among them, are taken as this: it is the float32 root of nothing a gradient can be."""


@dataclass(frozen=True)
class Schedule:
    """The tables of one fit.

    Attributes:
        tail: log D_s, sum log b1, B_s, E_s for s = 0..steps, ((steps+1)*4,) float64.
        ends: where the sum B_s begins, (steps+1,) int32; empty when all begin at the last step, as they do
            unless lr*wd comes to a twentieth and more (`kernels.tail_sums` says why it is cut then).
        rules: b1, 1-b1, b2, 1-b2, d, a, eps*sqrt(c2), 0 of each step, (steps*8,) float32.
        steps: how many steps there are.
    """

    tail: NDArray[np.float64]
    ends: NDArray[np.int32]
    rules: NDArray[np.float32]
    steps: int


def tabulate(lrs: ArrayLike, moms: ArrayLike, *, beta2: float, eps: float, wd: float, taken: int) -> Schedule:
    """The tables of a fit.

    Args:
        lrs, moms: learning rate and first-moment decay of every step to come, (steps,).
        beta2, eps, wd: as in ``torch.optim.AdamW``.
        taken: optimizer steps before this fit, for the bias corrections.

    Raises:
        EngineUnavailable: a momentum of at least sqrt(beta2), with which the tail does not fade.
    """
    lr = np.ascontiguousarray(lrs, dtype=np.float64)
    b1 = np.ascontiguousarray(moms, dtype=np.float64)
    if lr.ndim != 1 or lr.shape != b1.shape:
        raise ValueError(f"one learning rate and one momentum a step, not {lr.shape} and {b1.shape}")
    if len(b1) and not (b1.min() >= 0 and b1.max() ** 2 < beta2):
        raise EngineUnavailable(
            f"momentum {b1.max():g} is not below the square root of beta2 = {beta2:g}, "
            "and then waiting rows cannot be caught up"
        )
    eps = max(eps, SMALLEST_EPS)
    steps = len(lr)
    number = taken + np.arange(1, steps + 1, dtype=np.float64)
    root_c2 = np.sqrt(-np.expm1(number * np.log(beta2)))
    c1 = 1.0 - b1**number
    rate = lr * root_c2 / c1
    # A decay to zero or past it (lr*wd >= 1) is no training any more, and has no logarithm: a waiting row
    # keeps a thousandth.
    decay = np.maximum(1.0 - lr * wd, 1e-3)

    tail = np.zeros((steps + 1, TAIL_NUMBERS))
    np.cumsum(np.log(decay), out=tail[1:, 0])
    np.cumsum(np.log(np.maximum(b1, 1e-30)), out=tail[1:, 1])
    tail_sums = kernels().tail_sums
    ends = np.empty(steps + 1, dtype=np.int32)
    small, large = np.empty(steps + 1), np.empty(steps + 1)
    tail_sums(rate, b1 / np.sqrt(beta2), small, ends)
    tail_sums(lr / (c1 * eps), b1, large, ends)
    tail[:, 3] = eps
    np.divide(small, large, out=tail[:, 3], where=large > 0)
    np.maximum(tail[:, 3], SMALLEST_EPS, out=tail[:, 3])
    cuts = tail_sums(rate, b1 / (np.sqrt(beta2) * decay), small, ends)
    tail[:, 2] = small

    rules = np.zeros((steps, RULE_NUMBERS), dtype=np.float32)
    for column, values in enumerate((b1, 1 - b1, beta2, 1 - beta2, 1.0 - lr * wd, rate, eps * root_c2)):
        rules[:, column] = values
    return Schedule(tail.reshape(-1), ends if cuts else ends[:0].copy(), rules.reshape(-1), steps)
