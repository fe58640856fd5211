"""What an engine is asked to train."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from vectable.data.tensors import TensorSet
from vectable.models.losses import LossFunction
from vectable.training.options import TrainingOptions
from vectable.training.parameter_groups import Groups


@dataclass(frozen=True)
class Job:
    """One model and how it is to be trained: all that an engine needs to know to say whether it can.

    Attributes:
        model: trained in place.
        loss_func: (outputs, target) -> scalar.
        options: optimizer, decay, precision and the rest.
        groups: the model's parameters by layer group.
        wd: weight decay of each layer group, (groups,).
        rows: what it is trained on.
    """

    model: nn.Module
    loss_func: LossFunction
    options: TrainingOptions
    groups: Groups
    wd: Sequence[float]
    rows: TensorSet

    @property
    def weighted(self) -> bool:
        """Whether the training rows have weights."""
        return self.rows.weights is not None
