"""Learners that are saved: whole, to be trained on, or as what answers and nothing else."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from vectable.artifact import Contents, write_folder
from vectable.data.io.writing import write_whole
from vectable.errors import VectableError
from vectable.serving_folder import SEARCH, SERVING, to_serving
from vectable.training.pickling import PickledByContents

if TYPE_CHECKING:
    from torch import Tensor

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
Own = TypeVar("Own", bound="MayServe")


class MayServe(Protocol):
    """A learner that knows whether it only answers."""

    serving: bool


class SavedAsFolder(PickledByContents):
    """A learner with a folder of its own.

    Attributes:
        serving: whether it came from a serving folder, and so answers but has nothing to train on or to measure.
    """

    serving = False

    def save(self, path: str | Path, *, serving: bool = False, search: bool = False, half: bool = False) -> Path:
        """Save the learner as a folder; see `vectable.artifact`.

        Args:
            path: the folder; an earlier save there is replaced in one step.
            serving: leave out all that answers do without (the optimizer, training rows but what each user has seen,
                held-out rows). Loaded again it answers the same, bit for bit, and cannot be trained or measured.
            search: make an index for approximate search (extra `search`) and keep it beside the vectors, so that
                `load_answers(path, search="approximate")` need not. For dot-product models of ratings alone; it is of
                these weights, and saving again without leaves it out.
            half: round the weights of a serving folder to 16 bits: half their bytes, and answers that differ by what
                rounding makes of them, some thousandths of a star. The draws of a posterior have 16 bits anyway.

        Raises:
            ArtifactError: the folder holds something else, or cannot be written.
            VectableError: search for a model that has none; or `half` of a folder that is not a serving folder.
        """
        if half and not (serving or self.serving):
            raise VectableError("half=True rounds the weights of a serving folder; give serving=True with it")
        contents = self.to_contents()
        if search:
            contents.settings[SEARCH], contents.tensors[SEARCH] = self._search_parts()
        if serving or self.serving:
            contents = to_serving(contents, half)
            contents.settings = {**contents.settings, **self._serving_settings(), SERVING: True}
        return write_folder(path, contents)

    def card(
        self, path: str | Path, *, title: str = "Model card", data_set: str | None = None, licence: str | None = None
    ) -> Path:
        """Write a model card in Markdown: what the model is, its data, errors beside baselines, limits, and its use.

        Args:
            path: the file, "README.md" say.
            title: the heading.
            data_set: what the data are called; for a set of the catalogue (`vt.datasets.names()`) the card states its
                licence and source.
            licence: of the data.

        Raises:
            DataError: the file cannot be written.
        """
        from vectable.training.model_card import model_card

        text = model_card(self, title, data_set, licence)
        return write_whole(Path(path), lambda file: file.write(text.encode()))

    def _contents_to_pickle(self) -> Contents:
        contents = super()._contents_to_pickle()
        if self.serving:
            contents.settings = {**contents.settings, **self._serving_settings(), SERVING: True}
        return contents

    def _search_parts(self) -> "tuple[dict[str, Any], dict[str, Tensor]]":
        """Settings and arrays of an index for approximate search.

        Raises:
            VectableError: lists of this model are not found so.
        """
        raise VectableError(
            f"A {type(self).__name__} has no approximate search; a dot-product model of ratings whose lists the "
            "prediction ranks does: leave search=True out."
        )

    def _serving_settings(self) -> dict[str, Any]:
        """What a serving folder must hold because its rows, or their order, are not there to find it from."""
        return {}


def needs_training_data(
    method: Callable[Concatenate[Own, Arguments], Result],
) -> Callable[Concatenate[Own, Arguments], Result]:
    """A method of a learner that a serving folder has too little for; there it raises a `VectableError`."""

    @wraps(method)
    def checked(self: Own, *args: Arguments.args, **more: Arguments.kwargs) -> Result:
        if self.serving:
            raise VectableError(
                f"{method.__name__}() needs training data, and this model was loaded from a serving folder, which "
                "answers and holds none: load the whole folder that save(path) wrote."
            )
        return method(self, *args, **more)

    return cast(Callable[Concatenate[Own, Arguments], Result], checked)
