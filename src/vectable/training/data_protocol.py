"""What the Learner asks of its data, and what stands there where a learner was loaded without."""

from typing import Any, Protocol

import numpy as np

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
        """Steps an epoch."""

    def plan(self, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch."""


class NoData:
    """Stands where a learner was loaded without data: whatever asks it is told what to do."""

    to_native = staticmethod(lambda frame: frame)

    def __getattr__(self, name: str) -> Any:
        raise VectableError(
            "This learner was loaded without data; hand it in: load_learner(path, data=...); with "
            "model=..., too, where the module is your own."
        )
