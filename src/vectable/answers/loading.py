"""From a saved folder to what answers from it, without torch wherever that can be.

What only some kinds need is imported for them alone: a server starts in a fraction of a second.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from vectable.answers.dot_product import DotProduct
from vectable.answers.rating_tables import RatingTables
from vectable.artifact import ArrayContents, check_is_model, making_from, read_arrays_of_folder
from vectable.data.ratings import saved_ratings
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import VectableError, quote_some, require
from vectable.folder_schema import boolean, list_of, mapping, number, one_of, part
from vectable.recommending.likeness import FACTORS_ALONE, Likeness
from vectable.recommending.user_row import noise_rows
from vectable.remote_folder import local_folder
from vectable.serving_folder import SEARCH, SERVING, arrays_from_serving

if TYPE_CHECKING:
    from vectable.answers.history_tables import HistoryTables
    from vectable.answers.image_tables import ImageTables
    from vectable.answers.learned_tables import LearnedTables
    from vectable.answers.row_tables import RowTables
    from vectable.recommending.item_search import ItemSearch

    Answers = RatingTables | HistoryTables | RowTables | LearnedTables | ImageTables

CLASS_LOSS, NUMBER_LOSSES = "CrossEntropyLoss", ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")

Search = Literal["exact", "approximate", "auto"]
SEARCHES = get_args(Search)
SEARCHED_FROM = 100_000  # items from which on "auto" is approximate


def load_answers(path: str | Path, *, search: Search = "exact") -> "Answers":
    """What answers from the saved model at `path`, as JSON values with notes: arrays and lists made once.

    Its answers are the learner's, in a fraction of the time. It never changes, and threads may share it. torch is not
    imported for dot-product models and draws of ratings, for models of interactions (but SASRec), and for tabular nets
    with a loss of their own kind; it computes the answers of nets and ensembles for ratings, and for photographs.

    Args:
        path: a folder that `save` or `slim` wrote, or an address; see `load_learner`.
        search: "exact" scores all items for a list. "approximate" (needs the extra `search`) scores those that an
            index finds, which is made now, and pays from about 100,000 items on. It looks as far as it takes to find
            0.97 of the best ten on average; ``answers.search.recall`` is what it reached. A folder that was saved with
            an index (`save(..., search=True)`) has it already. "auto" is approximate for a model that can be searched
            and has 100,000 items or more, and exact for all others. Lists with conditions on
            their items (`candidates`, `exclude`, `min_ratings`) or with novelty are exact. For dot-product models of
            ratings alone.

    Returns:
        An object with a method for each question that the model answers: for ratings `recommend`, `recommend_many`,
        `fold_in`, `similar`, `explain` and `predict`; for interactions the same without `predict`; for tables
        `predict`; for photographs `classify`.

    Raises:
        ArtifactError: the folder is not there, not ours, newer or damaged.
        VectableError: it holds a custom module, or a net for tables with another loss: `load_learner` answers then.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> baskets = [(day, item) for day in range(40) for item in ("tea", "milk" if day % 3 else "lemon")]
        >>> data = vt.InteractionsData.from_df(pl.DataFrame(baskets, ["basket", "item"], orient="row"))
        >>> path = vt.implicit_learner(data, "ease", progress=False).fit().save("baskets")
        >>> vt.load_answers(path).fold_in(["lemon"], n=1)["items"][0]["item"]
        'tea'
    """
    require(search in SEARCHES, f"search must be {quote_some(SEARCHES)}; got {search!r}.")
    path = local_folder(path)
    contents = read_arrays_of_folder(path)
    check_is_model(contents, str(path))
    if other := _cannot(contents):
        raise VectableError(f"{str(path)!r} holds {other}; load_answers does not answer from it: use load_learner.")
    require(
        search != "approximate" or (contents.kind == "ratings" and _is_dot_product(contents)),
        f"{str(path)!r} is no dot-product model of ratings, for which alone there is approximate search.",
    )
    if contents.kind == "images" or (contents.kind == "ratings" and not _is_dot_product(contents)):
        from vectable.answers.from_learner import tables_of_learner

        return tables_of_learner(path, contents.version)
    with making_from(str(path)):
        contents = arrays_from_serving(contents) if contents.settings.get(SERVING) else contents
        if contents.kind == "table":
            from vectable.answers.row_tables import RowTables

            rows = RowTables.from_saved(contents.settings, contents.arrays, contents.tables, contents.version)
            rows.predict([dict.fromkeys(rows.encoder.raw_columns)])  # the first question makes what all others use
            return rows
        if contents.kind == "posterior":
            from vectable.answers.drawn_tables import drawn_tables

            return drawn_tables(contents)
        if contents.kind != "ratings":
            from vectable.answers.history_tables import history_tables

            return history_tables(contents)
        tables = _rating_tables(contents)
    if search == "auto":
        large = tables.data.n_items >= SEARCHED_FROM and tables.ranker is None
        search = "approximate" if large else "exact"
    if search == "exact":
        return tables
    require(tables.ranker is None, f"{str(path)!r} ranks its lists by interactions, for which search is exact.")
    return replace(tables, search=_search_of(contents, tables.model, str(path)))


def _search_of(contents: ArrayContents, model: DotProduct, where: str) -> "ItemSearch":
    """The search that a folder holds, or one made now."""
    from vectable.recommending.item_search import ItemSearch, need_faiss

    need_faiss()
    if SEARCH not in contents.settings:
        return ItemSearch.of(model.items, model.item_biases, model.users[1:, :-1])
    with making_from(where):
        return ItemSearch.from_saved(contents.settings[SEARCH], contents.arrays, model.items, model.item_biases)


def _cannot(contents: ArrayContents) -> str:
    """What a folder holds that cannot be answered from, in words; empty where it can."""
    settings = contents.settings
    if contents.kind in ("ratings", "posterior", "images", "implicit", "next_item"):
        return ""
    if contents.kind != "table":
        return f"a model of kind {contents.kind!r:.60}"
    model, loss = settings.get("model"), settings.get("loss_func")
    if model != "TabularModel":
        return f"a model for tables of type {model!r:.60}"
    is_classes = isinstance(settings.get("target"), dict) and settings["target"].get("kind") == "classes"
    usual = (CLASS_LOSS,) if is_classes else NUMBER_LOSSES
    return "" if loss in usual else f"a net trained with the loss {loss!r:.60}"


def _is_dot_product(contents: ArrayContents) -> bool:
    return contents.settings.get("n_models") == 1 and contents.settings.get("model") == "EmbeddingDotBias"


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
    ranker = None
    if by_interactions:
        from vectable.recommending.saved_ranker import ranker_from_arrays

        ranker = ranker_from_arrays(contents.arrays, data).of_items(len(data.item_ids))
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
