"""Exercise: Adam, as torch computes it."""

from functools import partial
from typing import Any

from vectable.lab.exercises.exercise import Check, Exercise, Mistake
from vectable.lab.exercises.line_points import walk

SOURCE = '''import numpy as np


class Adam:
    """Momentum and RMSProp together, of one number; both averages are debiased."""

    def __init__(self, lr, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.average, self.squares, self.t = 0.0, 0.0, 0

    def step(self, parameter, gradient):
        """Returns the new parameter."""
        b1, b2 = self.betas
        self.t += 1
        self.average = b1 * self.average + (1 - b1) * gradient  #!
        self.squares = b2 * self.squares + (1 - b2) * gradient**2  #!
        average = self.average / (1 - b1**self.t)  #!
        squares = self.squares / (1 - b2**self.t)  #!
        return parameter - self.lr * average / (np.sqrt(squares) + self.eps)  #!
'''


def _steps(answer: Any, steps: int, eps: float = 1e-8) -> dict[str, Any]:
    return {"intercept and slope by step": walk(lambda: answer.Adam(0.1, eps=eps), steps)}


EXERCISE = Exercise(
    name="adam",
    title="A step of Adam",
    task="Both averages start at 0 and are too small at first: divide each by 1 - beta**t, t counting from 1.",
    page="lesson/adam",
    source=SOURCE,
    checks=(
        Check(
            "the first step",
            partial(_steps, steps=1),
            "At t = 1 the debiased averages are the gradient and its square.",
            1e-12,
        ),
        Check(
            "60 steps", partial(_steps, steps=60), "Keep the averages as they are, and debias copies of them.", 1e-12
        ),
        Check("a large eps", partial(_steps, steps=5, eps=10.0), "eps is added after the root is taken.", 1e-12),
    ),
    mistakes=(
        Mistake("The averages are not debiased.", {" / (1 - b1**self.t)": "", " / (1 - b2**self.t)": ""}),
        Mistake("The average of the squares is not debiased.", {" / (1 - b2**self.t)": ""}),
        Mistake("eps stands inside the root.", {"(np.sqrt(squares) + self.eps)": "np.sqrt(squares + self.eps)"}),
        Mistake("The two betas are swapped.", {"b1, b2 = self.betas": "b2, b1 = self.betas"}),
    ),
)
