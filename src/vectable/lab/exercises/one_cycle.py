"""Exercise: the schedule of one cycle."""

from typing import Any

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import math


def between(start, end, position):
    """Half a cosine from start at position 0 to end at position 1: flat at both ends."""
    return start + (end - start) * (1 - math.cos(math.pi * position)) / 2


def learning_rate(position, lr_max, pct_start=0.25, div=25, final_div=1e5):
    """From lr_max / div up to lr_max at pct_start, then down to lr_max / final_div; position is from 0 to 1."""
    if position < pct_start:  #!
        return between(lr_max / div, lr_max, position / pct_start)  #!
    return between(lr_max, lr_max / final_div, (position - pct_start) / (1 - pct_start))  #!


def momentum(position, high=0.95, low=0.85, pct_start=0.25):
    """The mirror image: low where the learning rate is high."""
    if position < pct_start:  #!
        return between(high, low, position / pct_start)  #!
    return between(low, high, (position - pct_start) / (1 - pct_start))  #!
'''
PLACES = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0]


def _ends(answer: Any) -> dict[str, Any]:
    return {
        "the first rate": answer.learning_rate(0.0, 1.0),
        "the highest rate, at pct_start,": answer.learning_rate(0.25, 1.0),
        "the last rate": answer.learning_rate(1.0, 1.0),
    }


def _ways(answer: Any) -> dict[str, Any]:
    return {"the rates at 0, 0.1, 0.25, 0.5, 0.75, 1": [answer.learning_rate(one, 1e-2) for one in PLACES]}


def _mirror(answer: Any) -> dict[str, Any]:
    return {"the momentum at 0, 0.1, 0.25, 0.5, 0.75, 1": [answer.momentum(one) for one in PLACES]}


EXERCISE = Exercise(
    name="one-cycle",
    title="One cycle",
    task="The learning rate goes up and then down, the momentum down and then up, both along half cosines.",
    page="lesson/one-cycle",
    source=SOURCE,
    checks=(
        Check("where it begins, peaks and ends", _ends, "Two phases: before pct_start and after it."),
        Check("the way up and down", _ways, "Within a phase the position runs from 0 to 1 again."),
        Check("the momentum", _mirror, "high, low, high."),
    ),
    mistakes=(
        Mistake("The second phase does not begin at 0.", {"(position - pct_start) / (1 - pct_start))": "position)"}),
        Mistake(
            "The momentum goes with the rate; it is its mirror image.",
            {
                "between(high, low, position": "between(low, high, position",
                "between(low, high, (position": "between(high, low, (position",
            },
        ),
        Mistake("It ends where it began; it goes far lower.", {"lr_max / final_div, (": "lr_max / div, ("}),
    ),
)
