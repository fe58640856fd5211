"""Rows that are read block by block, in the form in which the Learner meets its data."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vectable.data.batches import Rows
from vectable.data.tensors import TensorSet

if TYPE_CHECKING:
    from vectable.data.tables.block_rows import BlockRows


class BlockTensors(TensorSet):
    """Encoded rows whose targets are in memory and whose inputs are gathered from blocks of a file."""

    def __init__(self, rows: "BlockRows", device: torch.device | None = None) -> None:
        self.rows, self.device = rows, device or torch.device("cpu")
        weights = None if rows.weights is None else torch.from_numpy(rows.weights).to(self.device)
        super().__init__((), torch.from_numpy(rows.target).to(self.device), weights)

    def batch(self, rows: Rows | slice) -> tuple[tuple[Tensor, ...], Tensor]:
        """The inputs (categories, numbers) and targets of some rows."""
        numbers = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        inputs = tuple(torch.from_numpy(block).to(self.device) for block in self.rows.gather(numbers))
        return inputs, self.target[self._at(rows)]

    def to(self, device: torch.device) -> "BlockTensors":
        """The same rows, whose batches come on `device`."""
        return BlockTensors(self.rows, device)
