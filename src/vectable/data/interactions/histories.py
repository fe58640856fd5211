"""Histories: what each of some users met, how often, in the order of time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Histories:
    """User k met ``items[starts[k]:starts[k + 1]]``, the latest last.

    Attributes:
        starts: (users + 1,) int64.
        items: codes, (entries,) int32; 0 is unknown.
        counts: how often, (entries,) float32.
    """

    starts: NDArray[np.int64]
    items: NDArray[np.int32]
    counts: NDArray[np.float32]

    @classmethod
    def of_lists(cls, lists: list[NDArray[np.int32]]) -> "Histories":
        """A history for each list of item codes, everything met once."""
        starts = np.append(0, np.cumsum([len(one) for one in lists], dtype=np.int64)).astype(np.int64)
        items = np.concatenate(lists).astype(np.int32) if lists else np.zeros(0, dtype=np.int32)
        return cls(starts, items, np.ones(len(items), dtype=np.float32))

    def __len__(self) -> int:
        """Number of users."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of entries of each user, (users,)."""
        return np.diff(self.starts)

    def of(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Items and counts of one user."""
        begin, end = self.starts[number], self.starts[number + 1]
        return self.items[begin:end], self.counts[begin:end]

    def take(self, which: NDArray[np.integer[Any]]) -> "Histories":
        """The users of these numbers, copied."""
        lengths = self.lengths[which]
        starts = np.append(0, np.cumsum(lengths))
        places = np.arange(starts[-1]) + np.repeat(self.starts[which] - starts[:-1], lengths)
        return Histories(starts, self.items[places], self.counts[places])

    def keep(self, kept: NDArray[np.bool_]) -> "Histories":
        """The entries that are `kept`, (entries,)."""
        if bool(kept.all()):
            return self
        starts = np.append(0, np.cumsum(kept))[self.starts]
        return Histories(starts, self.items[kept], self.counts[kept])
