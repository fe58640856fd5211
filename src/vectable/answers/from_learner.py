"""Answers of the models that torch computes, made of their learners."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vectable.answers.image_tables import ImageTables
from vectable.answers.learned_tables import Codes, LearnedTables, Predicted
from vectable.recommending.folded_user import FoldedUser

if TYPE_CHECKING:
    from vectable.ratings.collab import CollabLearner


def tables_of_learner(path: str | Path, version: str) -> LearnedTables | ImageTables:
    """What answers from the saved model at `path`, a model of ratings or of photographs, by its learner.

    Args:
        version: of the folder.

    Raises:
        ArtifactError: the folder cannot be loaded, or needs a module that is not in it.
    """
    from vectable.images.vision import VisionLearner
    from vectable.loading import load_learner

    learn: Any = load_learner(path, progress=False)
    if isinstance(learn, VisionLearner):
        return ImageTables(learn, version)
    tables = _of_nets(learn, version)
    tables.recommend("", 1)  # the first questions make what all others use
    tables.fold_in({}, 1)
    tables.similar(tables.data.item_ids.vocabulary[0], 1)
    return tables


def _of_nets(learn: "CollabLearner", version: str) -> LearnedTables:
    from vectable.ratings.rating_rows import predict_pairs

    known = learn.recommender

    def predict(users: Codes, items: Codes, _: Any) -> Predicted:
        each = np.stack([predict_pairs(member, users, items) for member in known.model.members])
        return (each.mean(axis=0), each.std(axis=0)) if len(each) > 1 else (each[0], None)

    return LearnedTables(known, predict, lambda *given: FoldedUser(known, known.fold_in(*given), *given), version)
