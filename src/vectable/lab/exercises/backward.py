"""Exercise: backpropagation through two layers."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def gradients(x, y, w1, b1, w2, b2):
    """The gradients of the mean squared error by w1, b1, w2 and b2, in this order."""
    hidden = x @ w1 + b1
    active = np.maximum(hidden, 0)
    output = active @ w2 + b2
    d_output = 2 * (output - y) / output.size  #!
    d_w2 = active.T @ d_output  #!
    d_b2 = d_output.sum(axis=0)  #!
    d_hidden = (d_output @ w2.T) * (hidden > 0)  #!
    d_w1 = x.T @ d_hidden  #!
    d_b1 = d_hidden.sum(axis=0)  #!
    return d_w1, d_b1, d_w2, d_b2  #!
'''


def _named(answer: Any, rows: int, inputs: int, width: int, outputs: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(rows, inputs)), rng.normal(size=(rows, outputs))
    w1, b1 = rng.normal(size=(inputs, width)), rng.normal(size=width)
    w2, b2 = rng.normal(size=(width, outputs)), rng.normal(size=outputs)
    d_w1, d_b1, d_w2, d_b2 = answer.gradients(x, y, w1, b1, w2, b2) or [None] * 4
    last_first = {"w2": d_w2, "b2": d_b2, "w1": d_w1, "b1": d_b1}
    return {f"the gradient by {name}": value for name, value in last_first.items()}


def _small(answer: Any) -> dict[str, Any]:
    return _named(answer, 1, 2, 3, 1)


def _large(answer: Any) -> dict[str, Any]:
    return _named(answer, 6, 3, 5, 2)


EXERCISE = Exercise(
    name="backward",
    title="Backward through two layers",
    task="The forward pass is there. Go back through it, line by line, from the loss to the four parameters.",
    page="lesson/backpropagation",
    source=SOURCE,
    checks=(
        Check("one row", _small, "Begin at the end: the derivative of the mean squared error by the output."),
        Check("six rows, two outputs", _large, "A bias is added to every row, so its gradient is a sum over the rows."),
    ),
    mistakes=(
        Mistake("The mean over all outputs is forgotten.", {" / output.size": ""}),
        Mistake("The mean is over the rows; it is over all outputs.", {"/ output.size": "/ len(output)"}),
        Mistake("The factor 2 of the square is missing.", {"2 * (output - y)": "(output - y)"}),
        Mistake("The ReLU on the way is forgotten.", {"(d_output @ w2.T) * (hidden > 0)": "d_output @ w2.T"}),
        Mistake("A bias takes the sum over the rows, not the mean.", {".sum(axis=0)": ".mean(axis=0)"}),
        Mistake("The sign is turned round.", {"2 * (output - y)": "2 * (y - output)"}),
    ),
)
