"""Several learners of interactions on the same held-out users, compared with popularity and recent popularity."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.held_out import HeldOut
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.interactions.popularity import recent_counts
from vectable.errors import UnknownNameError, VectableError, did_you_mean, require
from vectable.interactions.candidates import to_rows
from vectable.interactions.learner import InteractionLearner
from vectable.recommending.evaluation import Evaluation, activity_groups, check_ks, check_named, figures_of
from vectable.recommending.lists import Scorer

BASELINES = ("popularity", "recent popularity")

Models = InteractionLearner | str | Iterable[Any] | Mapping[str, Any]


def evaluate(
    models: Models,
    data: InteractionsData | None = None,
    *,
    k: int | Sequence[int] = (10, 100),
    part: Literal["test", "valid"] = "test",
    by: Literal["activity"] | None = None,
) -> Evaluation:
    """Rank all items for every held-out user with each model, and measure the lists.

    Popularity, and recent popularity where there are times, are always among the models.

    Args:
        models: fitted learners, a list of them, or a dict by the name to show; "popularity" and "recent popularity" may
            be among them.
        data: whose held-out part is measured; by default that of the first learner. Learners must know the same items.
        k: lengths of the lists.
        part: "test", or "valid" for the validation part.
        by: "activity" also gives the figures by how much is known of a user.

    Returns:
        Figures of each model: NDCG, recall (hits divided by the smaller of k and the number held out), reciprocal rank,
        average precision and hit rate per user; coverage, novelty and Gini index of all lists; see `Evaluation`.

    Raises:
        VectableError: nothing is held out, a model is unknown or not fitted, or knows other items.
    """
    named = _named(models)
    learners = [one for one in named.values() if isinstance(one, InteractionLearner)]
    require(
        data is not None or not any(one.serving for one in learners),
        "A learner from a serving folder has nothing held out to measure on: give data=.",
    )
    data = data if data is not None else learners[0].data if learners else None
    if data is None:
        raise VectableError("evaluate needs data=, or a learner, whose data are used.")
    require(part in ("test", "valid"), f"part must be 'test' or 'valid'; got {part!r}.")
    require(by in (None, "activity"), f"by must be 'activity' or None; got {by!r}.")
    held_out, ks = (data.test if part == "test" else data.valid), check_ks(k)
    if len(held_out) == 0:
        raise VectableError(f"No interaction that could be found is in the {part} part of {data!r}.")
    for name in BASELINES[: 1 + data.has_times]:
        named.setdefault(name, name)
    figures = {
        name: figures_of(_scorer(one, held_out, data), held_out, ks, data.item_counts, data.n_users)
        for name, one in named.items()
    }
    groups = activity_groups(held_out.inputs.lengths) if by else None
    return Evaluation(figures, ks, groups, f"{part} part of split {data.split!r} {data.fingerprint}")


def _named(models: Models) -> dict[str, Any]:
    """The models by name."""
    if isinstance(models, Mapping):
        return dict(models)
    listed = [models] if isinstance(models, InteractionLearner | str) else list(models)
    names = [one if isinstance(one, str) else _name(one) for one in listed]
    check_named(names)
    return dict(zip(names, listed, strict=True))


def _name(learn: Any) -> str:
    chosen = getattr(learn, "chosen", None)
    return type(learn).__name__ if chosen is None else str(chosen.name)


def _scorer(model: Any, held_out: HeldOut, data: InteractionsData) -> Scorer:
    """From a range of the held-out users to their scores."""
    if isinstance(model, str):
        if model not in BASELINES:
            raise UnknownNameError(f"There is no baseline {model!r}.{did_you_mean(model, BASELINES)}")
        return _same_for_all(data.item_counts if model == "popularity" else recent_counts(data))
    require(
        isinstance(model, InteractionLearner),
        f"A model to evaluate must be a learner of interactions or one of {list(BASELINES)}; got a "
        f"{type(model).__name__}.",
    )
    answers = model.recommender()
    same = model.data.item_ids.vocabulary.equals(data.item_ids.vocabulary)
    require(same, f"{model!r} was fitted on other items than those of {data!r}.")
    rows = answers.model.user_rows(to_rows(held_out.inputs, answers.model.n_items))
    lengths = held_out.inputs.lengths
    return lambda first, last: answers.scores(rows.part(first, last), lengths[first:last])


def _same_for_all(counts: NDArray[np.int64]) -> Scorer:
    row = counts.astype(np.float32)
    return lambda first, last: np.tile(row, (last - first, 1))
