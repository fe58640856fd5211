"""What the lists of learners of interactions are measured on, and how they score it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.interactions.popularity import recent_counts
from vectable.errors import require
from vectable.interactions.candidates import to_rows
from vectable.interactions.learner import InteractionLearner
from vectable.recommending.evaluation import Evaluation
from vectable.recommending.list_task import ListTask, measure
from vectable.recommending.lists import Scorer

Part = Literal["test", "valid"]


def interactions_task(data: InteractionsData, part: Part = "test") -> ListTask:
    """What is held out of interactions.

    Raises:
        VectableError: part is neither "test" nor "valid".
    """
    require(part in ("test", "valid"), f"part must be 'test' or 'valid'; got {part!r}.")
    held_out = data.test if part == "test" else data.valid
    recent = recent_counts(data) if data.has_times else None
    return ListTask(held_out, data, recent, f"{part} part of split {data.split!r} {data.fingerprint}")


def interactions_scorer(learn: InteractionLearner, name: str, task: ListTask) -> Scorer:
    """From a range of the held-out users to a learner's scores.

    Raises:
        VectableError: it is not fitted, knows other items, or was trained on what is to be found.
    """
    answers = learn.recommender()
    task.check(name, learn.data, learn.data.train)
    inputs = task.held_out.inputs
    rows = answers.model.user_rows(to_rows(inputs, answers.model.n_items))
    return lambda first, last: answers.scores(rows.part(first, last), inputs.lengths[first:last])


def evaluate_interactions(
    learners: Mapping[str, InteractionLearner], data: InteractionsData, k: int | Sequence[int]
) -> Evaluation:
    """Measure learners of interactions on the test part of their data."""
    task = interactions_task(data)
    return measure({name: interactions_scorer(learn, name, task) for name, learn in learners.items()}, task, k)
