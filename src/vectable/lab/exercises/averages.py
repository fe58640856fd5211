"""Exercise: exponentially weighted averages, debiased."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def smoothed(values, beta):
    """The debiased average after every value: beta of the old one and the rest of the new, from 0 on."""
    average, found = 0.0, []
    for at, value in enumerate(values, start=1):
        average = beta * average + (1 - beta) * value  #!
        found.append(average / (1 - beta**at))  #!
    return np.array(found)
'''


def _constant(answer: Any) -> dict[str, Any]:
    return {"smoothed([5, 5, 5], 0.9)": answer.smoothed([5.0, 5.0, 5.0], 0.9)}


def _noisy(answer: Any) -> dict[str, Any]:
    values = np.random.default_rng(3).normal(size=50).cumsum()
    return {"smoothed(values, 0.98)": answer.smoothed(values, 0.98)}


EXERCISE = Exercise(
    name="averages",
    title="Exponentially weighted averages",
    task="The smoothed loss of every training run. The average starts at 0; dividing by 1 - beta**n takes that out.",
    page="lesson/momentum",
    source=SOURCE,
    checks=(
        Check("values that are all alike", _constant, "The average of fives is five, from the first value on."),
        Check("fifty values", _noisy, "Divide a copy: the average itself goes into the next step as it is."),
    ),
    mistakes=(
        Mistake("The average is not debiased.", {"average / (1 - beta**at)": "average"}),
        Mistake(
            "The two shares are swapped.",
            {"beta * average + (1 - beta) * value": "(1 - beta) * average + beta * value"},
        ),
        Mistake(
            "The debiased average goes into the next step; keep the other one.",
            {"found.append(average / (1 - beta**at))": "average /= 1 - beta**at\n        found.append(average)"},
        ),
    ),
)
