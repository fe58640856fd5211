"""Weight decay and its two forms, which agree for plain gradient descent and for nothing else.

Loshchilov & Hutter 2019, "Decoupled weight decay regularization".
"""

from collections.abc import Sequence

from vectable.lab.arrays import Array


def l2_penalty(parameters: Sequence[Array], wd: float) -> float:
    """`wd * sum(w²)`, to be added to the loss, as the lesson's `update` does.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(lab.l2_penalty([np.array([3.0, -1.0])], wd=0.1), 4)
        1.0
    """
    return wd * float(sum((p**2).sum() for p in parameters))


def l2_penalty_gradients(parameters: Sequence[Array], wd: float) -> list[Array]:
    """Gradients of that: `2 * wd * w`. The 2 is the lesson's trap: torch's `weight_decay` of 2 wd does the same.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.l2_penalty_gradients([np.array([3.0, -1.0])], wd=0.1)[0].round(4).tolist()
        [0.6, -0.2]
    """
    return [2 * wd * p for p in parameters]


def l2(parameters: Sequence[Array], gradients: Sequence[Array], wd: float) -> list[Array]:
    """Gradients with `wd * w` added, before the optimizer sees them: torch's `weight_decay` in `SGD` and `Adam`.

    Momentum then remembers the decay, and Adam divides it by the size of the gradients: a weight with large gradients
    hardly decays.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.l2([np.array([3.0])], [np.array([1.0])], wd=0.1)[0].round(4).tolist()
        [1.3]
    """
    return [g + wd * p for p, g in zip(parameters, gradients, strict=True)]


def decay(parameters: Sequence[Array], lr: float, wd: float) -> None:
    """Decoupled: `w *= 1 - lr * wd`, in place, before the optimizer's step. torch's `AdamW`; every weight decays alike.

    For plain `SGD` this and `l2` are one and the same.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weights = [np.array([3.0, -1.0])]
        >>> lab.decay(weights, lr=0.1, wd=0.5)
        >>> weights[0].round(4).tolist()
        [2.85, -0.95]
    """
    for p in parameters:
        p *= 1 - lr * wd
