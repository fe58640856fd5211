"""How good lists are: learners of ratings and of interactions on the same held-out users, beside popularity."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import VectableError, require
from vectable.interactions.evaluate import interactions_scorer, interactions_task
from vectable.interactions.learner import InteractionLearner
from vectable.ratings.evaluate import ratings_scorer, ratings_task
from vectable.ratings.rating_answers import RatingAnswers
from vectable.recommending.evaluation import Evaluation
from vectable.recommending.list_task import BASELINES, ListTask, check_baseline, measure, named_models
from vectable.recommending.lists import Scorer

Model = InteractionLearner | RatingAnswers | str
Models = Model | Iterable[Model] | Mapping[str, Model]


def evaluate(
    models: Models,
    data: InteractionsData | RatingsData | None = None,
    *,
    k: int | Sequence[int] = (10, 100),
    part: Literal["test", "valid"] = "test",
    by: Literal["activity"] | None = None,
    relevant: float | None = None,
) -> Evaluation:
    """Rank all items for every held-out user with each model, and measure the lists.

    Popularity, and recent popularity where there are times, are always among the models.

    Args:
        models: fitted learners of interactions or of ratings, a list of them, or a dict by the name to show;
            "popularity" and "recent popularity" may be among them.
        data: whose held-out part is measured; by default that of the first learner. Learners must know the same items,
            and must not have been trained on what is to be found. Of ratings the held-out ones that are high enough are
            to be found, and a learner of interactions may be measured on them too, if it was fitted on the training
            part of ``data.to_interactions()``.
        k: lengths of the lists.
        part: of interactions "test", or "valid" for the validation part; ratings have only the latter.
        by: "activity" also gives the figures by how much is known of a user.
        relevant: of ratings, the lowest held-out one that lists should find; by default those above the training mean.

    Returns:
        Figures of each model: NDCG, recall (hits divided by the smaller of k and the number held out), reciprocal rank,
        average precision and hit rate per user; coverage, novelty and Gini index of all lists; see `Evaluation`.

    Raises:
        VectableError: nothing is held out, a model is unknown or not fitted, knows other items, or was trained on what
            is to be found.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, lists="interactions", progress=False).fit_one_cycle(1, 5e-3)
        >>> found = vt.evaluate(learn, k=10)
        >>> found.to_frame()["model"].to_list()
        ['CollabLearner', 'popularity']
        >>> found.mean("CollabLearner", "ndcg@10") > 2 * found.mean("popularity", "ndcg@10")
        True
    """
    named = named_models(models, _name)
    learners = [one for one in named.values() if not isinstance(one, str)]
    for one in learners:
        require(
            isinstance(one, InteractionLearner | RatingAnswers),
            f"A model to evaluate must be a learner of interactions or of ratings, or one of {list(BASELINES)}; got a "
            f"{type(one).__name__}.",
        )
    require(
        data is not None or not any(one.serving for one in learners),
        "A learner from a serving folder has nothing held out to measure on: give data=.",
    )
    data = data if data is not None else learners[0].data if learners else None
    if isinstance(data, RatingsData):
        task = ratings_task(data, relevant)
    elif isinstance(data, InteractionsData):
        require(relevant is None, "relevant= belongs to ratings; of interactions every one that is held out counts.")
        task = interactions_task(data, part)
    else:
        raise VectableError("evaluate needs data=, interactions or ratings, or a learner, whose data are used.")
    return measure({name: _scorer(one, name, task) for name, one in named.items()}, task, k, by)


def _name(learn: Any) -> str:
    chosen = getattr(learn, "chosen", None)
    return type(learn).__name__ if chosen is None else str(chosen.name)


def _scorer(model: Any, name: str, task: ListTask) -> Scorer | str:
    if isinstance(model, str):
        check_baseline(model)
        return model
    if isinstance(model, InteractionLearner):
        return interactions_scorer(model, name, task)
    return ratings_scorer(model, name, task)
