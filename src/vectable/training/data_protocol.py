"""What the Learner asks of its data, and what stands there where a learner was loaded without."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan
from vectable.data.tensors import TensorSet
from vectable.errors import VectableError


class Data(Protocol):
    """What the Learner asks of its data: rows of tensors, and the batches of an epoch, the same number every time."""

    batch_size: int

    @property
    def train(self) -> TensorSet:
        """Rows to train on."""

    @property
    def valid(self) -> TensorSet:
        """Rows to measure on; may be none."""

    @property
    def n_steps(self) -> int:
        """Steps per epoch."""

    def plan(self, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch."""


@runtime_checkable
class InOwnUnits(Protocol):
    """Data whose targets the model sees in other units than people do."""

    def in_own_units(self, predicted: NDArray[Any], target: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Predictions and encoded targets, (rows, ...), in the units of the table."""


@runtime_checkable
class FromFrames(Protocol):
    """Data that came from a data frame, and gives answers back as the same kind."""

    def to_native(self, frame: Any) -> Any:
        """A polars frame as the caller's kind of frame."""


class NoData:
    """Stands where a learner was loaded without data: any use of it raises a sentence that says what to do."""

    def to_native(self, frame: Any) -> Any:
        """The frame as it is."""
        return frame

    def __getattr__(self, name: str) -> Any:
        if name == InOwnUnits.in_own_units.__name__ or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)  # asked for by isinstance, copy and pickle
        raise VectableError(
            "This learner was loaded without data; hand it in: load_learner(path, data=...); with "
            "model=..., too, for a custom module."
        )
