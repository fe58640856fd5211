"""Exercise: an affine function."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def affine(x, weight, bias):
    """x is (rows, inputs), weight (inputs, outputs), bias (outputs,); returns (rows, outputs)."""
    return x @ weight + bias  #!
'''


def _square(answer: Any) -> dict[str, Any]:
    x, weight = np.arange(6.0).reshape(3, 2), np.array([[1.0, 2.0], [-3.0, 0.5]])
    return {"affine(x, weight, bias)": answer.affine(x, weight, np.array([10.0, -10.0]))}


def _wide(answer: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(4, 5)), rng.normal(size=(5, 3)), rng.normal(size=3)
    return {"affine(x, weight, bias)": answer.affine(x, weight, bias)}


EXERCISE = Exercise(
    name="affine",
    title="An affine function",
    task="Multiply a matrix of inputs by a matrix of weights and add a bias: the part of every layer that learns.",
    page="lesson/affine",
    source=SOURCE,
    checks=(
        Check(
            "two inputs and two outputs", _square, "Which of x and weight comes first, and what is added at the end?"
        ),
        Check("five inputs and three outputs", _wide, "Python writes the product of two matrices as a @ b."),
    ),
    mistakes=(
        Mistake("The bias is left out.", {"x @ weight + bias": "x @ weight"}),
        Mistake("The weights are transposed.", {"x @ weight + bias": "x @ weight.T + bias"}),
        Mistake("The bias is subtracted.", {"x @ weight + bias": "x @ weight - bias"}),
    ),
)
