"""Encoded rows of a table that is larger than memory: blocks of them, encoded when they are next trained on."""

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, windowed_batches
from vectable.data.io.parquet_table import ParquetTable
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.table_rows import TableRows

if TYPE_CHECKING:
    from vectable.data.tensors import TensorSet

TOGETHER = 8  # blocks in memory at a time, whose rows are shuffled among each other


class BlockRows:
    """The training rows of a Parquet table, as `TableRows` would hold them.

    In memory stay a dozen bytes per row (target, weight, order) and `TOGETHER` encoded blocks; a table of no more
    blocks is read once.

    Attributes:
        target, weights: as in `TableRows`.
        loaded: the blocks in memory, the one that came first first.
        capacity: the number of rows that memory is set aside for.
    """

    def __init__(
        self, table: ParquetTable, encoder: TableEncoder, target: NDArray[Any], weights: NDArray[np.float32] | None
    ) -> None:
        self.table, self.encoder, self.target, self.weights = table, encoder, target, weights
        self.sizes = np.diff(table.starts)
        slots = min(TOGETHER, len(self.sizes))
        self._size = int(self.sizes.max())
        self.capacity = slots * self._size
        self._codes = np.empty((self.capacity, len(encoder.categories)), dtype=np.int32)
        self._numbers = np.empty((self.capacity, len(encoder.numbers)), dtype=np.float32)
        self._first = np.full(len(self.sizes), -1)  # where a block's rows begin in memory; -1: it is not there
        self.loaded: deque[int] = deque()

    def __len__(self) -> int:
        return len(self.target)

    def tensors(self) -> "TensorSet":
        """The rows for the Learner."""
        import torch

        from vectable.data.tables.block_tensors import BlockTensors

        weights = None if self.weights is None else torch.from_numpy(self.weights)
        return BlockTensors(self.gather, torch.from_numpy(self.target), weights)

    def plan(self, batch_size: int, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch: blocks in random order, the rows of `TOGETHER` of them in one random order."""
        return windowed_batches(self.table.starts, TOGETHER, batch_size, rng)

    def highest_codes(self) -> NDArray[np.int32]:
        """The highest code of each category column, (categories,); reads every block."""
        each = [self._encode(block)[0].max(axis=0, initial=0) for block in range(len(self.sizes))]
        return np.asarray(np.max(each, axis=0))

    def to_keep(self) -> TableRows:
        """What a saved model keeps of them: none; they are in their files."""
        return TableRows(self._codes[:0], self._numbers[:0], self.target[:0])

    def gather(self, rows: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Codes, (rows, categories), and numbers, (rows, numbers), of the rows of some numbers."""
        starts = self.table.starts
        blocks = np.searchsorted(starts, rows, side="right") - 1
        absent = self._first[blocks] < 0
        at = self._first[blocks] + (rows - starts[blocks])
        codes, numbers = self._codes[at], self._numbers[at]
        for block in np.unique(blocks[absent]):
            mine = blocks == block
            at = self._load(int(block)) + (rows[mine] - starts[block])
            codes[mine], numbers[mine] = self._codes[at], self._numbers[at]
        return codes, numbers

    def _load(self, block: int) -> int:
        """Encode a block into the place of the one that has been in memory longest; where its rows begin."""
        if len(self.loaded) * self._size < self.capacity:
            first = len(self.loaded) * self._size
        else:
            oldest = self.loaded.popleft()
            first, self._first[oldest] = int(self._first[oldest]), -1
        last = first + int(self.sizes[block])
        self._codes[first:last], self._numbers[first:last] = self._encode(block)
        self._first[block] = first
        self.loaded.append(block)
        return first

    def _encode(self, block: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return self.encoder.encode(self.table.block(block, self.encoder.raw_columns), "the training table")[:2]
