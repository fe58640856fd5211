"""Pickling of learners, as a pool of processes needs it: by what their saved folders hold."""

from typing import Any, Protocol

import torch

from vectable.artifact import Contents
from vectable.serving_folder import SERVING

Parts = dict[str, dict[str, Any]]


class SavedByContents(Protocol):
    """A class of learners that are made of the contents of a folder."""

    @classmethod
    def from_contents(cls, contents: Contents, **more: Any) -> Any:
        """The learner."""


class PickledByContents:
    """A learner that is pickled, and copied by `copy.deepcopy`, by what its saved folder would hold.

    What no folder holds (a custom module, a custom loss, photographs) goes along as it is. The optimizer's state is
    part of it; callbacks are not.
    """

    progress: Any

    def to_contents(self) -> Contents:
        """Everything a saved folder holds."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        contents = self._contents_to_pickle()
        arrays = {part: {name: one.numpy() for name, one in named.items()} for part, named in contents.tensors.items()}
        plain = (contents.kind, contents.settings, arrays, contents.tables)
        return _restored, (type(self), plain, self._beside_contents())

    def _contents_to_pickle(self) -> Contents:
        return self.to_contents()

    def _beside_contents(self) -> dict[str, Any]:
        """Arguments of `from_contents` for what no folder holds."""
        return {"progress": self.progress if isinstance(self.progress, bool) else False}


def _restored(kind: type[SavedByContents], plain: tuple[str, dict[str, Any], Parts, dict[str, Any]], more: Any) -> Any:
    name, settings, arrays, tables = plain
    tensors = {part: {key: torch.from_numpy(one) for key, one in named.items()} for part, named in arrays.items()}
    learner = kind.from_contents(Contents(name, settings, tensors, tables), **more)
    learner.serving = bool(settings.get(SERVING))
    return learner
