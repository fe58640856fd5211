"""Weight decay and its two forms, which agree for plain gradient descent and for nothing else.

Loshchilov & Hutter 2019, "Decoupled weight decay regularization".
"""

from collections.abc import Sequence

from vectable.lab.arrays import Array


def l2_penalty(parameters: Sequence[Array], wd: float) -> float:
    """`wd * sum(w²)`, to be added to the loss, as the lesson's `update` does."""
    return wd * float(sum((p**2).sum() for p in parameters))


def l2_penalty_gradients(parameters: Sequence[Array], wd: float) -> list[Array]:
    """Gradients of that: `2 * wd * w`. The 2 is the lesson's trap: torch's `weight_decay` of 2 wd does the same."""
    return [2 * wd * p for p in parameters]


def l2(parameters: Sequence[Array], gradients: Sequence[Array], wd: float) -> list[Array]:
    """Gradients with `wd * w` added, before the optimizer sees them: torch's `weight_decay` in `SGD` and `Adam`.

    Momentum then remembers the decay, and Adam divides it by the size of the gradients: a weight with large gradients
    hardly decays.
    """
    return [g + wd * p for p, g in zip(parameters, gradients, strict=True)]


def decay(parameters: Sequence[Array], lr: float, wd: float) -> None:
    """Decoupled: `w *= 1 - lr * wd`, in place, before the optimizer's step. torch's `AdamW`; every weight decays alike.

    For plain `SGD` this and `l2` are one and the same.
    """
    for p in parameters:
        p *= 1 - lr * wd
