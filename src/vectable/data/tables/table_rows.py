"""Encoded rows of a table, in memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, shuffled_batches

if TYPE_CHECKING:
    from vectable.data.tensors import TensorSet


@dataclass(frozen=True)
class TableRows:
    """Encoded rows.

    Attributes:
        categories: codes, (rows, categories) int32.
        numbers: normalised, (rows, numbers) float32.
        target: class numbers int64 or normalised numbers float32, (rows,) or (rows, numbers).
        weights: of the rows in the loss, (rows,) float32, or None for all alike.
    """

    categories: NDArray[np.int32]
    numbers: NDArray[np.float32]
    target: NDArray[Any]
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.target)

    def tensors(self) -> "TensorSet":
        """The same memory as torch tensors: inputs (categories, numbers), target, and weights where there are any."""
        import torch

        from vectable.data.tensors import TensorSet

        weights = None if self.weights is None else torch.from_numpy(self.weights)
        inputs = (torch.from_numpy(self.categories), torch.from_numpy(self.numbers))
        return TensorSet(inputs, torch.from_numpy(self.target), weights)

    def plan(self, batch_size: int, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch: all rows in one random order."""
        return shuffled_batches(len(self), batch_size, rng)

    def highest_codes(self) -> NDArray[np.int32]:
        """The highest code of each category column, (categories,); 0 where there are no rows."""
        return np.asarray(self.categories.max(axis=0, initial=0))

    def to_keep(self) -> "TableRows":
        """What a saved model keeps of them: all."""
        return self
