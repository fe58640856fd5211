"""Rows that are read block by block, in the form in which the Learner meets its data."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.batches import Rows
from vectable.data.tensors import TensorSet

Gather = Callable[[NDArray[Any]], tuple[NDArray[Any], ...]]


class BlockTensors(TensorSet):
    """Rows whose targets are in memory and whose inputs are gathered when they are asked for.

    Args:
        gather: the inputs of the rows of some numbers, each (rows, columns).
        target, weights: of all rows, as in `TensorSet`.
    """

    def __init__(self, gather: Gather, target: Tensor, weights: Tensor | None = None) -> None:
        self.gather = gather
        super().__init__((), target, weights)

    def batch(self, rows: Rows | slice) -> tuple[tuple[Tensor, ...], Tensor]:
        """The inputs and targets of some rows."""
        numbers = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        inputs = tuple(torch.from_numpy(block).to(self.target.device) for block in self.gather(numbers))
        return inputs, self.target[self._at(rows)]

    def to(self, device: torch.device) -> "BlockTensors":
        """The same rows, whose batches come on `device`."""
        weights = None if self.weights is None else self.weights.to(device)
        return BlockTensors(self.gather, self.target.to(device), weights)
