"""Whole tensors cut into batches: the form in which every engine meets its data."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from vectable.data.batches import BatchPlan, Rows, count_steps, shuffled_batches
from vectable.errors import DataError, require


class Inputs:
    """Encoded rows to predict: some input tensors, all with the rows as first dimension."""

    predict_rows = 16_384  # rows per forward pass where no gradients are needed

    def __init__(self, inputs: tuple[Tensor, ...]) -> None:
        self.inputs = inputs

    def __len__(self) -> int:
        return len(self.inputs[0])

    def inputs_of(self, rows: Rows | slice) -> tuple[Tensor, ...]:
        """The inputs of some rows, as the model takes them."""
        at = rows if isinstance(rows, slice) else torch.from_numpy(rows).to(self.inputs[0].device)
        return tuple(_taken(column, at) for column in self.inputs)


class TensorSet(Inputs):
    """Encoded rows: some input tensors, a target and perhaps weights, all with the rows as first dimension."""

    def __init__(self, inputs: tuple[Tensor, ...], target: Tensor, weights: Tensor | None = None) -> None:
        super().__init__(inputs)
        self.target, self.weights = target, weights

    def __len__(self) -> int:
        return len(self.target)

    def inputs_of(self, rows: Rows | slice) -> tuple[Tensor, ...]:
        """The inputs of some rows, as `batch` gives them."""
        return self.batch(rows)[0]

    def batch(self, rows: Rows | slice) -> tuple[tuple[Tensor, ...], Tensor]:
        """The inputs and targets of some rows, gathered in one indexing operation a tensor."""
        at = self._at(rows)
        return tuple(_taken(column, at) for column in self.inputs), _taken(self.target, at)

    def weights_of(self, rows: Rows | slice) -> Tensor | None:
        """The weights of some rows in the loss, or None where all count alike."""
        return None if self.weights is None else self.weights[self._at(rows)]

    def to(self, device: torch.device) -> "TensorSet":
        """The same rows on `device`; itself when they are there already."""
        weights = None if self.weights is None else self.weights.to(device)
        return TensorSet(tuple(column.to(device) for column in self.inputs), self.target.to(device), weights)

    def _at(self, rows: Rows | slice) -> Tensor | slice:
        return rows if isinstance(rows, slice) else torch.from_numpy(rows).to(self.target.device)


class TensorData:
    """Training and validation tensors for any custom model.

    Attributes:
        train, valid: the encoded rows (`valid` may have none).
        batch_size: rows per step.

    Examples:
        >>> import torch, vectable as vt
        >>> data = vt.TensorData.from_arrays(torch.randn(100, 4), torch.randn(100, 1), bs=32)
        >>> data.n_steps
        4
    """

    def __init__(self, train: TensorSet, valid: TensorSet, batch_size: int = 64) -> None:
        check_batch_size(batch_size)
        self.train, self.valid, self.batch_size = train, valid, batch_size

    @classmethod
    def from_arrays(
        cls, x_train: Any, y_train: Any, x_valid: Any = None, y_valid: Any = None, bs: int = 64
    ) -> "TensorData":
        """Take arrays or tensors as they are; 64-bit floats become 32-bit.

        Args:
            x_train, x_valid: inputs, (rows, ...), or a tuple of such for a model of several inputs.
            y_train, y_valid: targets, (rows, ...); the validation pair may be left out.
            bs: rows per step.

        Raises:
            DataError: when inputs and targets have different numbers of rows, or there are none.
        """
        train = _tensor_set(x_train, y_train, "training")
        if len(train) == 0:
            raise DataError("There are no training rows: x_train and y_train are empty.")
        if (x_valid is None) != (y_valid is None):
            raise DataError("Give both x_valid and y_valid, or neither.")
        if x_valid is None:
            valid = TensorSet(tuple(column[:0] for column in train.inputs), train.target[:0])
        else:
            valid = _tensor_set(x_valid, y_valid, "validation")
        return cls(train, valid, bs)

    @property
    def n_steps(self) -> int:
        """Steps per epoch."""
        return count_steps(len(self.train), self.batch_size)

    def plan(self, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch."""
        return shuffled_batches(len(self.train), self.batch_size, rng)


def _taken(column: Tensor, at: Tensor | slice) -> Tensor:
    """Some rows; `index_select` takes a third of the time of ``column[at]``."""
    return column[at] if isinstance(at, slice) else column.index_select(0, at)


def check_batch_size(batch_size: int) -> None:
    """Raise a sentence unless `batch_size` is a whole number of at least 1."""
    require(
        isinstance(batch_size, int | np.integer) and batch_size >= 1,
        f"The batch size must be a positive integer; got {batch_size!r}.",
    )


def _tensor_set(x: Any, y: Any, which: str) -> TensorSet:
    inputs = tuple(to_tensor(column) for column in (x if isinstance(x, tuple) else (x,)))
    target = to_tensor(y)
    for column in inputs:
        if len(column) != len(target):
            raise DataError(f"The {which} inputs have {len(column):,} rows and the targets {len(target):,}.")
    return TensorSet(inputs, target)


def to_tensor(values: Any) -> Tensor:
    """An array or tensor as a tensor; 64-bit floats become 32-bit."""
    tensor = values if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
    return tensor.float() if tensor.dtype == torch.float64 else tensor
