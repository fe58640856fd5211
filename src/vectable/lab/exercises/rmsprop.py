"""Exercise: RMSProp, as the lesson's workbook computes it."""

from functools import partial
from typing import Any

from vectable.lab.exercises.exercise import Check, Exercise, Mistake
from vectable.lab.exercises.line_points import walk

SOURCE = '''import numpy as np


class RMSProp:
    """Gradient descent of one number, divided by the root of the average of its squared gradients."""

    def __init__(self, lr, beta=0.9, start=100.0):
        self.lr, self.beta = lr, beta
        self.squares = start

    def step(self, parameter, gradient):
        """Step with the average as it was, then update it, as the sheet does. Returns the new parameter."""
        moved = parameter - self.lr * gradient / np.sqrt(self.squares)  #!
        self.squares = self.beta * self.squares + (1 - self.beta) * gradient**2  #!
        return moved  #!
'''


def _steps(answer: Any, steps: int) -> dict[str, Any]:
    return {"intercept and slope by step": walk(lambda: answer.RMSProp(0.1), steps)}


EXERCISE = Exercise(
    name="rmsprop",
    title="A step of RMSProp",
    task="Divide each step by the size that gradients have had. The sheet uses the average before this gradient.",
    page="lesson/rmsprop",
    source=SOURCE,
    checks=(
        Check("the first step", partial(_steps, steps=1), "Before the first gradient the average is the start, 100."),
        Check("the workbook's 29 steps", partial(_steps, steps=29), "The average is of squares; divide by its root."),
    ),
    mistakes=(
        Mistake(
            "The average is updated before it is used, as torch does; the sheet uses the one before.",
            {
                "        moved = parameter - self.lr * gradient / np.sqrt(self.squares)\n": "",
                "        return moved": "        return parameter - self.lr * gradient / np.sqrt(self.squares)",
            },
        ),
        Mistake("The root is missing.", {"np.sqrt(self.squares)": "self.squares"}),
        Mistake("The gradient is not squared.", {"gradient**2": "gradient"}),
    ),
)
