"""All exercises, in the order of the book."""

from vectable.errors import UnknownNameError, did_you_mean, quote_some
from vectable.lab.exercises.adam import EXERCISE as ADAM
from vectable.lab.exercises.affine import EXERCISE as AFFINE
from vectable.lab.exercises.averages import EXERCISE as AVERAGES
from vectable.lab.exercises.backward import EXERCISE as BACKWARD
from vectable.lab.exercises.components import EXERCISE as COMPONENTS
from vectable.lab.exercises.cross_entropy import EXERCISE as CROSS_ENTROPY
from vectable.lab.exercises.dot_bias import EXERCISE as DOT_BIAS
from vectable.lab.exercises.embedding import EXERCISE as EMBEDDING
from vectable.lab.exercises.exercise import Exercise
from vectable.lab.exercises.freezing import EXERCISE as FREEZING
from vectable.lab.exercises.linear import EXERCISE as LINEAR
from vectable.lab.exercises.momentum import EXERCISE as MOMENTUM
from vectable.lab.exercises.one_cycle import EXERCISE as ONE_CYCLE
from vectable.lab.exercises.relu import EXERCISE as RELU
from vectable.lab.exercises.rmsprop import EXERCISE as RMSPROP
from vectable.lab.exercises.softmax import EXERCISE as SOFTMAX
from vectable.lab.exercises.weight_decay import EXERCISE as WEIGHT_DECAY

EXERCISES: dict[str, Exercise] = {
    one.name: one
    for one in (
        AFFINE, LINEAR, RELU, BACKWARD, SOFTMAX, CROSS_ENTROPY, EMBEDDING, DOT_BIAS, COMPONENTS,
        AVERAGES, MOMENTUM, RMSPROP, ADAM, ONE_CYCLE, WEIGHT_DECAY, FREEZING,
    )
}  # fmt: skip


def exercise_named(name: str) -> Exercise:
    """The exercise of that name.

    Raises:
        UnknownNameError: there is none; with the closest names.
    """
    if name not in EXERCISES:
        hint = did_you_mean(name, EXERCISES)
        raise UnknownNameError(f"There is no exercise {name!r}.{hint} There are {quote_some(EXERCISES, 20)}.")
    return EXERCISES[name]
