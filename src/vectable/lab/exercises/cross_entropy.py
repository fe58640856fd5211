"""Exercise: the cross-entropy of three rows."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def cross_entropy(x, classes):
    """The mean over the rows of -log of the probability of the true class; x holds activations, (rows, classes)."""
    shifted = x - x.max(axis=1, keepdims=True)  #!
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  #!
    return -log_probabilities[np.arange(len(x)), classes].mean()  #!
'''
ROWS = np.array([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3], [1.0, 1.0, 1.0]])


def _three(answer: Any) -> dict[str, Any]:
    return {"cross_entropy(x, [0, 1, 2])": answer.cross_entropy(ROWS, np.array([0, 1, 2]))}


def _sure(answer: Any) -> dict[str, Any]:
    with np.errstate(all="ignore"):
        return {"cross_entropy(x, [1])": answer.cross_entropy(np.array([[1000.0, 0.0]]), np.array([1]))}


EXERCISE = Exercise(
    name="cross-entropy",
    title="Cross-entropy from activations",
    task="Softmax and logarithm in one: the loss of a classifier, from its activations and the true classes.",
    page="lesson/cross-entropy",
    source=SOURCE,
    checks=(
        Check("three rows", _three, "Look up the log-probability of the true class in each row."),
        Check("sure and wrong", _sure, "The log of a softmax is x - max - log(sum(exp(x - max))): no logarithm of 0."),
    ),
    mistakes=(
        Mistake(
            "That is the logarithm to base 10; the lesson's sheet does so too.",
            {"np.log(np.exp(shifted)": "np.log10(np.exp(shifted)"},
        ),
        Mistake("That is the sum over the rows; take the mean.", {".mean()": ".sum()"}),
        Mistake("The minus sign is missing.", {"return -log": "return log"}),
        Mistake(
            "The softmax is missing: x holds activations, not probabilities.",
            {"shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))": "np.log(x)"},
        ),
    ),
)
