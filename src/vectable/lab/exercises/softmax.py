"""Exercise: a softmax that large activations do not break."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def softmax(x):
    """Probabilities of each row of activations, (rows, classes)."""
    raised = np.exp(x - x.max(axis=1, keepdims=True))  #!
    return raised / raised.sum(axis=1, keepdims=True)  #!
'''


def _small(answer: Any) -> dict[str, Any]:
    return {"softmax(x)": answer.softmax(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.5]]))}


def _large(answer: Any) -> dict[str, Any]:
    with np.errstate(all="ignore"):
        return {"softmax(x)": answer.softmax(np.array([[1000.0, 1001.0, 999.0], [-1000.0, -1002.0, 0.0]]))}


EXERCISE = Exercise(
    name="softmax",
    title="A stable softmax",
    task="Turn activations into probabilities. exp(1000) is infinite, and the answer must not be.",
    page="lesson/cross-entropy",
    source=SOURCE,
    checks=(
        Check("two rows", _small, "Every row sums to 1."),
        Check("activations of 1,000", _large, "Subtracting one number from a whole row does not change its softmax."),
    ),
    mistakes=(
        Mistake(
            "The sum is over the rows; every row has to sum to 1.",
            {"raised.sum(axis=1, keepdims=True)": "raised.sum(axis=0, keepdims=True)"},
        ),
        Mistake(
            "The sum is over everything; every row has to sum to 1.",
            {"raised.sum(axis=1, keepdims=True)": "raised.sum()"},
        ),
        Mistake(
            "exp overflows: subtract the largest activation of each row first.",
            {"np.exp(x - x.max(axis=1, keepdims=True))": "np.exp(x)"},
        ),
        Mistake("One maximum for all rows leaves small rows at 0 / 0.", {"x.max(axis=1, keepdims=True)": "x.max()"}),
    ),
)
