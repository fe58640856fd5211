"""Exercise: the gradient of ReLU, and a gradient by finite differences to check it."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def by_differences(f, x, h=1e-4):
    """The derivative of f at every number of x, from values on both sides of it; f works number by number."""
    return (f(x + h) - f(x - h)) / (2 * h)  #!


def relu_gradient(x, gradient):
    """The gradient of a loss by x, where `gradient` is its gradient by max(x, 0)."""
    return np.where(x > 0, gradient, 0.0)  #!
'''
X = np.array([-2.0, -0.5, 0.25, 1.0, 3.0])


def _cube(answer: Any) -> dict[str, Any]:
    return {"by_differences(cube, x)": answer.by_differences(lambda x: x**3, X)}


def _relu(answer: Any) -> dict[str, Any]:
    return {"relu_gradient(x, gradient)": answer.relu_gradient(X, np.array([5.0, -4.0, 3.0, -2.0, 0.5]))}


EXERCISE = Exercise(
    name="relu",
    title="The gradient of ReLU, checked by finite differences",
    task="Write the gradient of max(x, 0) by hand, and a function that finds a gradient without any calculus.",
    page="lesson/backpropagation",
    source=SOURCE,
    checks=(
        Check("the derivative of x**3", _cube, "Take f a little to the right and a little to the left of x.", 1e-6),
        Check("the gradient behind a ReLU", _relu, "The chain rule: what comes from above, times 1 or 0."),
    ),
    mistakes=(
        Mistake(
            "It looks to the right alone; both sides are far more exact.",
            {"(f(x + h) - f(x - h)) / (2 * h)": "(f(x + h) - f(x)) / h"},
        ),
        Mistake("The distance between the two points is 2 h.", {"/ (2 * h)": "/ h"}),
        Mistake(
            "The gradient from above is forgotten.", {"np.where(x > 0, gradient, 0.0)": "np.where(x > 0, 1.0, 0.0)"}
        ),
        Mistake(
            "It looks at the sign of the gradient instead of that of x.",
            {"np.where(x > 0, gradient, 0.0)": "np.maximum(gradient, 0.0)"},
        ),
    ),
)
