"""From a saved folder to what answers from it, without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vectable.answers.dot_product import DotProduct
from vectable.answers.rating_tables import RatingTables
from vectable.artifact import ArrayContents, check_is_model, making_from, read_arrays_of_folder
from vectable.data.ratings import saved_ratings
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import VectableError
from vectable.folder_schema import boolean, list_of, mapping, number, part
from vectable.recommending.likeness import FACTORS_ALONE, Likeness
from vectable.recommending.user_row import noise_rows
from vectable.serving_folder import SERVING, arrays_from_serving


def load_answers(path: str | Path) -> RatingTables:
    """What answers from the saved model at `path`, without torch: NumPy arrays and lists, made once.

    Its answers are the learner's, as JSON values, in a fraction of the time: lists, neighbors, reasons, folding in and
    predictions. It never changes, and threads may share it.

    Args:
        path: a folder that `save` or `slim` wrote of a dot-product model of ratings (`collab_learner` with neither
            `use_nn` nor `n_models`).

    Raises:
        ArtifactError: the folder is not there, not ours, newer or damaged.
        VectableError: it holds another kind of model.
    """
    contents = read_arrays_of_folder(path)
    check_is_model(contents, str(path))
    kind = _kind_of(contents)
    if kind != "EmbeddingDotBias":
        raise VectableError(
            f"{str(path)!r} holds {kind}, and load_answers answers from a single dot-product model of ratings: "
            "use load_learner."
        )
    with making_from(str(path)):
        contents = arrays_from_serving(contents) if contents.settings.get(SERVING) else contents
        settings = contents.settings
        data = saved_ratings.from_saved(contents.arrays, contents.tables, part(settings, "data", mapping, "settings."))
        model = DotProduct.from_saved(settings, contents.arrays, {"users": data.n_users, "items": data.n_items})
        likeness = FACTORS_ALONE
        if "likeness" in settings:
            likeness = Likeness(**part(settings, "likeness", Likeness.SAVED, "settings."))
        clips = boolean(settings.get("clips", False), "settings.clips")
        scale = data.rating_range if clips else None
        tables = RatingTables(
            model, data, model.prior(_noise(settings, model, data)), likeness, scale, contents.version
        )
        tables.recommend_many([""], 1)  # the first questions make the lists of names
        tables.fold_in({}, 1)
        return tables


def _kind_of(contents: ArrayContents) -> str:
    """What a folder is of, as `load_answers` tells them apart: "EmbeddingDotBias" for what it can answer from."""
    if contents.kind != "ratings":
        return f"a model of kind {contents.kind!r}"
    if contents.settings.get("n_models") != 1:
        return "an ensemble"
    model = contents.settings.get("model")
    return "EmbeddingDotBias" if model == "EmbeddingDotBias" else f"an {model}"


def _noise(settings: Mapping[str, Any], model: DotProduct, data: RatingsData) -> float:
    """Mean squared error on the training ratings: as it is saved, or measured."""
    if "noise" in settings:
        (noise,) = part(settings, "noise", list_of(number(0), 1, 1), "settings.")
        return float(noise)
    known = data.train_ratings
    rows = noise_rows(len(known))
    errors = model.predict_pairs(known.user[rows], known.item[rows]) - known.rating[rows]
    return float(np.mean(errors**2))
