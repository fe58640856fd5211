"""From a saved folder to the learner that it was: which class loads which kind of folder."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectable.artifact import Contents, check_is_model, contents_of_model
from vectable.errors import ArtifactError, quote_some, require
from vectable.remote_folder import local_folder
from vectable.serving_folder import SERVING, from_serving

if TYPE_CHECKING:
    from torch import nn

    from vectable.training.learner import Learner

HARMLESS = {"progress"}  # arguments that cannot be what is wrong
FRAMES = ("pandas", "polars", "pyarrow")

LOADERS = {
    "ratings": ("vectable.ratings.collab", "CollabLearner"),
    "posterior": ("vectable.ratings.bayes", "BayesLearner"),
    "table": ("vectable.tables.tabular", "TabularLearner"),
    "images": ("vectable.images.vision", "VisionLearner"),
    "implicit": ("vectable.interactions.implicit", "ImplicitLearner"),
    "next_item": ("vectable.interactions.next_item", "NextItemLearner"),
    "own module": ("vectable.training.learner", "Learner"),
}
"""The class of each kind of folder: the only names of code that a folder can lead to."""

HOLD_THEIR_DATA = ("ratings", "posterior", "table")
"""Kinds of folder with the data in them, to whose names and columns the model's vectors belong."""


def load_learner(
    path: str | Path, model: "nn.Module | None" = None, frames: str | None = None, **more: Any
) -> "Learner":
    """The learner that `save` wrote; it predicts bit for bit as before, and training can continue.

    Args:
        path: the folder, or an address that fsspec reads, e.g. ``hf://user/model`` (needs the extra `remote`); it is
            downloaded once, and checked like any folder.
        model: an instance of a custom module; its code is never in the folder.
        frames: kind of the tables that it returns: "pandas", "polars" or "pyarrow"; by default that of the data that it
            was trained on.
        more: arguments of the learner that the folder does not hold: `data` and `loss_func` for a custom module,
            `progress`, `device`, `callbacks`.

    Raises:
        ArtifactError: the folder is not there, not ours, newer, damaged, or needs `model`.
        VectableError: `frames` is none of these, or `data` is given where the folder holds it.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, progress=False).fit_one_cycle(1, 5e-3)
        >>> path = learn.save("books")
        >>> vt.load_learner(path).recommend(1200, n=1)["title"][0] == learn.recommend(1200, n=1)["title"][0]
        True
    """
    require(frames is None or frames in FRAMES, f"frames must be {quote_some(FRAMES)}; got {frames!r}.")
    with contents_of_model(local_folder(path), alone=model is None and not more.keys() - HARMLESS) as contents:
        if frames is not None and "kind" in contents.settings.get("data", {}):
            contents.settings["data"]["kind"] = frames
        return learner_of(contents, str(path), model=model, **more)


def learner_of(contents: Contents, where: str = "the folder", **more: Any) -> "Learner":
    """The learner whose folder these contents are; `more` as for `load_learner`.

    Args:
        where: the folder's name, for errors.

    Raises:
        ArtifactError: the contents are a checkpoint's, or of a kind that this version does not know.
    """
    check_is_model(contents, where)
    if contents.kind not in LOADERS:
        raise ArtifactError(f"{where!r} holds a model of kind {contents.kind!r}; this program loads {list(LOADERS)}.")
    if contents.kind in HOLD_THEIR_DATA:
        require(
            more.pop("data", None) is None,
            f"{where!r} holds the model together with its data: leave data= out. To a model of ratings, new ones are "
            "added by learn.update(ratings).",
        )
    serving = bool(contents.settings.get(SERVING))
    module, name = LOADERS[contents.kind]
    contents = from_serving(contents) if serving else contents
    learner: Learner = getattr(import_module(module), name).from_contents(contents, **more)
    learner.serving = serving
    return learner


def slim(path: str | Path, out: str | Path, *, search: bool = False, half: bool = False) -> Path:
    """Write a serving folder `out` of the saved model at `path`: what answers and nothing else.

    It answers as the model does, and is not to be trained on or measured; see `Learner.save`.

    Args:
        search: with an index for approximate search.
        half: round the weights to 16 bits.

    Raises:
        ArtifactError: `path` is no saved model, or `out` cannot be written.
        VectableError: search for a model that has none.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> path = vt.collab_learner(data, progress=False).fit_one_cycle(1, 5e-3).save("books")
        >>> served = vt.slim(path, "books-served")
        >>> vt.load_answers(served).recommend(1200, n=1)["items"][0]["title"] != ""
        True
    """
    return load_learner(path, progress=False).save(out, serving=True, search=search, half=half)
