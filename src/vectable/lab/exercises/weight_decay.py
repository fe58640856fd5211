"""Exercise: both forms of weight decay."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def l2(parameter, gradient, wd):
    """The gradient that the optimizer sees where wd / 2 * sum(parameter**2) is added to the loss."""
    return gradient + wd * parameter  #!


def decay(parameter, lr, wd):
    """The parameter after decoupled weight decay, before the optimizer's step."""
    return parameter * (1 - lr * wd)  #!
'''
P, G, LR, WD = np.array([2.0, -3.0, 0.5]), np.array([0.1, 40.0, -1.0]), 0.1, 0.3


def _l2(answer: Any) -> dict[str, Any]:
    return {"l2(parameter, gradient, wd)": answer.l2(P, G, WD)}


def _decay(answer: Any) -> dict[str, Any]:
    return {"decay(parameter, lr, wd)": answer.decay(P, LR, WD)}


def _both(answer: Any) -> dict[str, Any]:
    """For plain descent the forms agree; for the first step of Adam, which steps by the sign, they do not."""
    sgd = P - LR * answer.l2(P, G, WD), answer.decay(P, LR, WD) - LR * G
    adam = P - LR * np.sign(answer.l2(P, G, WD)), answer.decay(P, LR, WD) - LR * np.sign(G)
    return {
        "the two forms agree for plain descent": bool(np.allclose(*sgd)),
        "the two forms agree for Adam": bool(np.allclose(*adam)),
    }


EXERCISE = Exercise(
    name="weight-decay",
    title="Weight decay in both forms",
    task="Decay through the loss, and decay of the weights themselves: the same for plain descent, but not for Adam.",
    page="lesson/weight-decay",
    source=SOURCE,
    checks=(
        Check("through the loss", _l2, "The derivative of wd / 2 * p**2."),
        Check("decoupled", _decay, "Every weight shrinks by the same share, whatever its gradient."),
        Check("where they agree", _both, "lr * wd * p is taken off in both forms when the optimizer is plain."),
    ),
    mistakes=(
        Mistake(
            "The factor 2 belongs to the lesson's wd * sum(p**2), without the half.",
            {"gradient + wd * parameter": "gradient + 2 * wd * parameter"},
        ),
        Mistake(
            "The learning rate is missing: the step would shrink the weights by wd.", {"(1 - lr * wd)": "(1 - wd)"}
        ),
        Mistake("The weights grow: the sign is turned round.", {"(1 - lr * wd)": "(1 + lr * wd)"}),
    ),
)
