"""A saved model as commands open it: its kind from the manifest alone, its answers as polars frames."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vectable.cli.output import report
from vectable.errors import VectableError

if TYPE_CHECKING:
    from vectable.images.vision import VisionLearner
    from vectable.interactions.learner import InteractionLearner
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner
    from vectable.tables.tabular import TabularLearner
    from vectable.training.learner import Learner


INTERACTIONS = ("implicit", "next_item")


def kind_of(model: Path) -> str:
    """Which kind of model a folder holds: "ratings", "posterior", "table", "images" or "own module"."""
    from vectable.artifact import read_manifest

    return str(read_manifest(model)["kind"])


def settings_of(model: Path) -> dict[str, Any]:
    """The settings that a folder keeps of its model."""
    from vectable.artifact import read_manifest

    settings: dict[str, Any] = read_manifest(model)["settings"]
    return settings


def open_ratings(model: Path) -> "CollabLearner | BayesLearner":
    """A model of ratings, however it was trained.

    Raises:
        VectableError: the folder holds another kind of model.
    """
    _check(model, ("ratings", "posterior"), "is not a model of ratings")
    return cast("CollabLearner | BayesLearner", _open(model))


def open_gradient(model: Path) -> "CollabLearner":
    """A model of ratings that gradient descent trained; otherwise as `open_ratings`."""
    _check(model, ("ratings",), "is not a model of ratings that can be trained on")
    return cast("CollabLearner", _open(model))


def knows_interactions(model: Path) -> bool:
    """Whether a folder holds a model of interactions."""
    return kind_of(model) in INTERACTIONS


def open_interactions(model: Path) -> "InteractionLearner":
    """A model of interactions without ratings; otherwise as `open_ratings`."""
    _check(model, INTERACTIONS, "is not a model of interactions")
    return cast("InteractionLearner", _open(model))


def open_lists(model: Path) -> "CollabLearner | BayesLearner | InteractionLearner":
    """A model that recommends, of ratings or of interactions; otherwise as `open_ratings`."""
    return open_interactions(model) if knows_interactions(model) else open_ratings(model)


def open_posterior(model: Path) -> "BayesLearner":
    """A model of ratings that knows how certain it is; otherwise as `open_ratings`."""
    _check(model, ("posterior",), "does not know how certain it is; train one with --method bayes")
    return cast("BayesLearner", _open(model))


def open_table(model: Path) -> "TabularLearner":
    """A model of a table of mixed columns; otherwise as `open_ratings`."""
    _check(model, ("table",), "is not a model of a table")
    return cast("TabularLearner", _open(model))


def open_images(model: Path, **more: Any) -> "VisionLearner":
    """A model of images, `more` as for `load_learner`; otherwise as `open_ratings`."""
    _check(model, ("images",), "is not a model of images")
    return cast("VisionLearner", _open(model, **more))


def open_any(model: Path) -> "Learner":
    """A model of any kind that trains by gradient descent.

    Raises:
        ArtifactError: the folder holds a custom module, whose code it does not have.
    """
    return cast("Learner", _open(model))


def _check(model: Path, kinds: tuple[str, ...], otherwise: str) -> None:
    """Raise unless the folder holds one of these kinds, before anything heavy is imported.

    Where the model did not beat its baselines when it was trained, that is reported.
    """
    from vectable.artifact import read_manifest

    manifest = read_manifest(model)
    if manifest["kind"] not in kinds:
        raise VectableError(f"{str(model)!r} {otherwise}.")
    if manifest["settings"].get("beats_baselines") is False:
        report(f"note: The model in {str(model)!r} did not beat its baselines when it was trained; do not rely on it.")


def _open(model: Path, **more: Any) -> Any:
    from vectable import load_learner

    return load_learner(model, progress=False, frames="polars", **more)
