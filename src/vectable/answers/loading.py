"""From a saved folder to what answers from it, without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vectable.answers.dot_product import DotProduct
from vectable.answers.rating_tables import RatingTables
from vectable.answers.row_tables import RowTables
from vectable.artifact import ArrayContents, check_is_model, making_from, read_arrays_of_folder
from vectable.data.ratings import saved_ratings
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import VectableError
from vectable.folder_schema import boolean, list_of, mapping, number, one_of, part
from vectable.recommending.likeness import FACTORS_ALONE, Likeness
from vectable.recommending.saved_ranker import ranker_from_arrays
from vectable.recommending.user_row import noise_rows
from vectable.serving_folder import SERVING, arrays_from_serving

CLASS_LOSS, NUMBER_LOSSES = "CrossEntropyLoss", ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")


def load_answers(path: str | Path) -> RatingTables | RowTables:
    """What answers from the saved model at `path`, without torch: NumPy arrays and lists, made once.

    Its answers are the learner's, as JSON values, in a fraction of the time. It never changes, and threads may share
    it.

    Args:
        path: a folder that `save` or `slim` wrote of a dot-product model of ratings (`collab_learner` with neither
            `use_nn` nor `n_models`), which answers lists, neighbors, reasons, folding in and predictions; or of
            `tabular_learner`, which answers predictions.

    Raises:
        ArtifactError: the folder is not there, not ours, newer or damaged.
        VectableError: it holds another kind of model.
    """
    contents = read_arrays_of_folder(path)
    check_is_model(contents, str(path))
    other = _cannot(contents)
    if other:
        raise VectableError(
            f"{str(path)!r} holds {other}; load_answers answers from a single dot-product model of ratings or from a "
            "tabular net with a loss of its own kind: use load_learner."
        )
    with making_from(str(path)):
        contents = arrays_from_serving(contents) if contents.settings.get(SERVING) else contents
        if contents.kind == "table":
            rows = RowTables.from_saved(contents.settings, contents.arrays, contents.tables, contents.version)
            rows.predict([dict.fromkeys(rows.encoder.raw_columns)])  # the first question makes what all others use
            return rows
        return _rating_tables(contents)


def _cannot(contents: ArrayContents) -> str:
    """What a folder holds that cannot be answered from, in words; empty where it can."""
    settings = contents.settings
    model, loss = settings.get("model"), settings.get("loss_func")
    if contents.kind == "ratings":
        if settings.get("n_models") != 1:
            return "an ensemble of models of ratings"
        return "" if model == "EmbeddingDotBias" else f"a model of ratings of type {model!r:.60}"
    if contents.kind == "table":
        is_classes = isinstance(settings.get("target"), dict) and settings["target"].get("kind") == "classes"
        if model != "TabularModel":
            return f"a model for tables of type {model!r:.60}"
        return (
            ""
            if loss in ((CLASS_LOSS,) if is_classes else NUMBER_LOSSES)
            else f"a net trained with the loss {loss!r:.60}"
        )
    return f"a model of kind {contents.kind!r:.60}"


def _rating_tables(contents: ArrayContents) -> RatingTables:
    settings = contents.settings
    data = saved_ratings.from_saved(contents.arrays, contents.tables, part(settings, "data", mapping, "settings."))
    model = DotProduct.from_saved(settings, contents.arrays, {"users": data.n_users, "items": data.n_items})
    likeness = FACTORS_ALONE
    if "likeness" in settings:
        likeness = Likeness(**part(settings, "likeness", Likeness.SAVED, "settings."))
    clips = boolean(settings.get("clips", False), "settings.clips")
    scale = data.rating_range if clips else None
    prior = model.prior(_noise(settings, model, data))
    by_interactions = one_of("ratings", "interactions")(settings.get("lists", "ratings"), "settings.lists") != "ratings"
    ranker = ranker_from_arrays(contents.arrays, data).of_items(len(data.item_ids)) if by_interactions else None
    tables = RatingTables(model, data, prior, likeness, scale, contents.version, ranker)
    tables.recommend_many([""], 1)  # the first questions make the lists of names
    tables.fold_in({}, 1)
    return tables


def _noise(settings: Mapping[str, Any], model: DotProduct, data: RatingsData) -> float:
    """Mean squared error on the training ratings: as it is saved, or measured."""
    if "noise" in settings:
        (noise,) = part(settings, "noise", list_of(number(0), 1, 1), "settings.")
        return float(noise)
    known = data.train_ratings
    rows = noise_rows(len(known))
    errors = model.predict_pairs(known.user[rows], known.item[rows]) - known.rating[rows]
    return float(np.mean(errors**2))
