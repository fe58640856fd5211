"""What the lists of learners of ratings are measured on, and how they score it."""

import numpy as np

from vectable.data.interactions.held_out import HeldOut
from vectable.data.interactions.histories import Histories
from vectable.data.interactions.popularity import recent_counts
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import require
from vectable.ratings.rating_answers import RatingAnswers
from vectable.recommending.list_task import ListTask
from vectable.recommending.lists import Scorer


def ratings_task(data: RatingsData, relevant: float | None = None) -> ListTask:
    """The favourites among the held-out ratings, to be found among all items that the user has not rated.

    Args:
        relevant: a held-out rating of at least this much is a favourite; by default one above the training mean.
    """
    threshold = data.mean_rating if relevant is None else relevant
    rated = data.to_interactions()
    targets = _favourites(data, threshold)
    users = np.flatnonzero(targets.lengths > 0)
    held_out = HeldOut(users.astype(np.int32), rated.train.take(users), targets.take(users))
    recent = recent_counts(rated) if rated.has_times else None
    about = f"validation ratings of at least {threshold:.2f} of split {data.fingerprint}"
    return ListTask(held_out, data, recent, about)


def _favourites(data: RatingsData, threshold: float) -> Histories:
    """Items of the held-out ratings of at least `threshold`, known and not rated in training, a history per user."""
    held_out, train, width = data.valid_ratings, data.train_ratings, len(data.item_ids)
    high = (held_out.rating >= threshold) & (held_out.user > 0) & (held_out.item > 0)
    wanted = np.unique(held_out.user[high].astype(np.int64) * width + held_out.item[high])
    wanted = np.setdiff1d(wanted, train.user.astype(np.int64) * width + train.item, assume_unique=False)
    users, items = np.divmod(wanted, width)
    starts = np.append(0, np.cumsum(np.bincount(users, minlength=len(data.user_ids)))).astype(np.int64)
    return Histories(starts, items.astype(np.int32), np.ones(len(items), dtype=np.float32))


def ratings_scorer(learn: RatingAnswers, name: str, task: ListTask) -> Scorer:
    """From a range of the held-out users to what ranks a learner's lists.

    Raises:
        VectableError: it knows other users or items, or was trained on what is to be found.
    """
    same = learn.data.user_ids.vocabulary.equals(task.names.user_ids.vocabulary)
    require(same, f"{name!r} was fitted on other users than those of the data ({task.about}).")
    if not learn.serving:
        task.check(name, learn.data, learn.data.to_interactions().train)
    users, answers = task.held_out.users, learn.recommender
    return lambda first, last: np.array(answers.list_scores(users[first:last]).cpu().numpy(), dtype=np.float32)
