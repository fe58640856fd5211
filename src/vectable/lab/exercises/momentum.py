"""Exercise: a step with momentum, as the lesson's workbook takes it."""

from functools import partial
from typing import Any

from vectable.lab.exercises.exercise import Check, Exercise, Mistake
from vectable.lab.exercises.line_points import walk

SOURCE = '''class Momentum:
    """Gradient descent of one number, along an average of its gradients."""

    def __init__(self, lr, mom=0.9):
        self.lr, self.mom = lr, mom
        self.average = 0.0

    def step(self, parameter, gradient):
        """Update the average: `mom` of the old one and the rest of the gradient. Returns the new parameter."""
        self.average = self.mom * self.average + (1 - self.mom) * gradient  #!
        return parameter - self.lr * self.average  #!
'''


def _steps(answer: Any, steps: int) -> dict[str, Any]:
    return {"intercept and slope by step": walk(lambda: answer.Momentum(1e-4), steps)}


EXERCISE = Exercise(
    name="momentum",
    title="A step with momentum",
    task="The lesson's sheet averages the gradients and steps along the average. 29 points are one pass over its data.",
    page="lesson/momentum",
    source=SOURCE,
    checks=(
        Check(
            "the first step", partial(_steps, steps=1), "The average starts at 0, and takes in a tenth of the gradient."
        ),
        Check("the workbook's 29 steps", partial(_steps, steps=29), "Is the average kept from one step to the next?"),
    ),
    mistakes=(
        Mistake(
            "This is the sum of gradients that torch keeps: its steps grow ten times as large.",
            {"+ (1 - self.mom) * gradient": "+ gradient"},
        ),
        Mistake("The average is not kept for the next step.", {"self.mom * self.average +": "self.mom * 0.0 +"}),
        Mistake("It goes up the slope.", {"parameter - self.lr": "parameter + self.lr"}),
        Mistake(
            "The two shares are swapped.",
            {"self.mom * self.average + (1 - self.mom) *": "(1 - self.mom) * self.average + self.mom *"},
        ),
    ),
)
