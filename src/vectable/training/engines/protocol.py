"""What a fit asks of whatever trains a model."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.batches import BatchPlan
from vectable.data.tensors import TensorSet
from vectable.training.data_protocol import Data
from vectable.training.engines.job import Job
from vectable.training.schedules import Schedule


class Engine(Protocol):
    """Trains one module. Between runs the module holds the current weights: whoever changes them need not ask.

    A class of engines is one file and one line in `choice.ENGINES`.
    """

    name: str
    """Under which it is chosen and under which a folder keeps its state."""
    state_format: str
    """Engines with the same format read each other's `state`."""
    in_place: bool
    """Whether the module's weights change with every step, and not only when `sync_weights` is called."""

    @classmethod
    def why_not(cls, job: Job) -> str | None:
        """The reason why it cannot train this, as a clause for a sentence; None where it can."""

    @classmethod
    def make(cls, job: Job, report: Callable[[str], None]) -> Self:
        """An engine for a job that `why_not` has nothing against.

        Args:
            report: called with a sentence when something takes longer than one would expect.

        Raises:
            EngineUnavailable: it cannot work on this machine.
        """

    @property
    def model(self) -> nn.Module:
        """What is trained."""

    def begin(self, schedule: Schedule) -> None:
        """A fit starts: its learning rates and momenta, one per step and layer group, are known from here on."""

    def batches(self, data: Data, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch, ``data.n_steps`` of them, in the order in which it trains them best."""

    def run(
        self, plan: BatchPlan, rows: TensorSet, first: int = 0, most: int | None = None
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Train one epoch from its step `first` on; yields the losses of the steps done since the last yield.

        Args:
            most: largest number of steps between two yields.
        """

    def sync_weights(self) -> None:
        """Bring the module's weights up to the step reached."""

    def regroup(self) -> None:
        """Other parameters train from here on: keep the state of those that continue, and start the others afresh."""

    def state(self) -> dict[str, Tensor]:
        """The optimizer's state as named tensors, for saving."""

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up a saved state; rows that a table has gained since start with an empty one."""

    def snapshot(self) -> dict[str, Tensor] | None:
        """All that training continues from in the middle of a schedule, besides the module's weights.

        Nothing is brought up to date for it, so that training ends at the same bits with it and without it. None where
        a step is half done.
        """

    def restore(self, schedule: Schedule, snapshot: dict[str, Tensor], n_steps: int) -> None:
        """Continue after `n_steps` steps of a schedule, from a snapshot; the module holds the weights it had then."""
