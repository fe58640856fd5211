"""Training rows of one process, in memory or read from its lanes a window at a time."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from vectable.data.tensors import TensorSet

LaneColumns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]
"""Users here, items and ratings, each (rows,)."""


class ShardRows(TensorSet):
    """Rows of which a window is in memory, or all.

    Args:
        whole: all rows, where they are in memory.
        read: the rows of a window, from the disk.
        length: number of all rows here.
        n_items: items in all processes.
    """

    def __init__(
        self, whole: LaneColumns | None, read: Callable[[int], LaneColumns], length: int, n_items: int
    ) -> None:
        nothing = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
        users, items, ratings = nothing if whole is None else whole
        super().__init__((torch.from_numpy(users), torch.from_numpy(items)), torch.from_numpy(ratings))
        self._whole, self._read, self._length, self.n_items = whole, read, length, n_items

    def __len__(self) -> int:
        return self._length

    def window(self, number: int) -> LaneColumns:
        """Users here, items and ratings of a window, each (rows,)."""
        return self._read(number) if self._whole is None else self._whole

    def to(self, device: torch.device) -> "ShardRows":
        """Themselves: they are for the CPU."""
        return self


def tensor_set(columns: LaneColumns) -> TensorSet:
    """Users, items and ratings as tensors."""
    users, items, ratings = columns
    return TensorSet((torch.from_numpy(users), torch.from_numpy(items)), torch.from_numpy(ratings))
