"""Weight decay and L2: the same for plain descent, and not for Adam."""

import numpy as np

from vectable import lab
from vectable.lab.arrays import Array
from vectable.lesson.rows import Row

COMMAND = "vectable lab lesson --only decay"
STEPS, LR, WD = 100, 0.01, 0.1


def rows() -> list[Row]:
    """How far three forms of decay end from each other after 100 steps on a bowl steep one way and flat another."""
    found = []
    for name, lessons, make in (("plain descent", "identical", lab.SGD), ("Adam", "not identical", lab.Adam)):
        penalty, l2, decoupled = (_walk(make(LR), form) for form in ("penalty", "l2", "decoupled"))
        for what, one in (("wd/2 * sum(w²) in the loss", penalty), ("decoupled decay", decoupled)):
            said = "identical" if one is penalty else lessons
            apart = float(np.abs(one - l2).max())
            note = "the loss needs wd/2: its gradient is 2 * wd * w" if one is penalty else f"{STEPS} steps, wd {WD:g}"
            found.append(
                Row(
                    "decay",
                    f"{name}: {what} against wd * w in the gradient",
                    said,
                    f"apart by {apart:.1e}",
                    note,
                    COMMAND,
                )
            )
    return found


def _walk(optimizer: lab.SGD | lab.Adam, form: str) -> Array:
    weights = [np.array([1.0, -2.0, 3.0])]
    steep, bottom = np.array([5.0, 0.5, 0.01]), np.array([0.5, 0.5, 0.5])
    for _ in range(STEPS):
        gradients = [steep * (weights[0] - bottom)]
        if form == "decoupled":
            lab.decay(weights, LR, WD)
        elif form == "l2":
            gradients = lab.l2(weights, gradients, WD)
        else:
            decays = lab.l2_penalty_gradients(weights, WD / 2)
            gradients = [g + d for g, d in zip(gradients, decays, strict=True)]
        optimizer.step(weights, gradients)
    return weights[0]
