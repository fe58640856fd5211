"""What steps of Adam do to a row of a large table whose gradients are 0, as tables of one number a step.

The formulas are those of `training.engines.compiled.schedule`, which derives them: exact but for eps, which stands in
the sum only as a mean of its two extremes.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST_EPS = 1e-16
LEAST_KEPT = 1e-3
"""Share of a weight that a step of decay leaves at least: a decay to zero has no logarithm."""


def idle_steps(lrs: Floats, moms: Floats, beta2: float, eps: float, wd: float, taken: int) -> Floats:
    """For s = 0, ..., steps: log D_s, the sum of log b1 up to s, B_s and E_s, (steps + 1, 4).

    A row that is at step s is at step T, with D = D_T / D_s and rho = (product of b1) / (beta2 ** ((T - s) / 2) * D),

        w_T = D * (w_s - m_s / (sqrt(v_s) + E_s) * (B_s - rho * B_T))

    Args:
        lrs, moms: of the steps to come, (steps,); each momentum below the root of `beta2`.
        beta2, eps, wd: as in ``torch.optim.AdamW``.
        taken: optimizer steps before these.
    """
    eps, root = max(eps, SMALLEST_EPS), np.sqrt(beta2)
    steps = len(lrs)
    number = taken + np.arange(1, steps + 1)
    c1 = 1 - moms**number
    rate = lrs * np.sqrt(-np.expm1(number * np.log(beta2))) / c1
    kept = np.maximum(1 - lrs * wd, LEAST_KEPT)
    idle = np.zeros((steps + 1, 4))
    np.cumsum(np.log(kept), out=idle[1:, 0])
    np.cumsum(np.log(np.maximum(moms, 1e-30)), out=idle[1:, 1])
    idle[:, 2] = _tails(rate, moms / (root * kept))
    small, large = _tails(rate, moms / root), _tails(lrs / (c1 * eps), moms)
    idle[:, 3] = eps
    np.divide(small, large, out=idle[:, 3], where=large > 0)
    np.maximum(idle[:, 3], SMALLEST_EPS, out=idle[:, 3])
    return idle


def _tails(terms: Floats, factors: Floats) -> Floats:
    """S_s = (terms[s] + S_{s+1}) * factors[s] with nothing behind the last step, (steps + 1,)."""
    sums = np.zeros(len(terms) + 1)
    for at in range(len(terms) - 1, -1, -1):
        sums[at] = (terms[at] + sums[at + 1]) * factors[at]
    return sums
