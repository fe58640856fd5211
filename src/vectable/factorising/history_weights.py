"""How much each entry of a history weighs: by its count, and by how many others came after it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.factorising.sparse_rows import SparseRows

LEAST = 1e-3  # weight below which an entry of a long history is passed over


@dataclass(frozen=True)
class HistoryWeights:
    """``(1 + alpha log(1 + count)) / (1 + alpha log 2) * (1 + back / reach)^-power``.

    Back is 0 for the last entry of a history, 1 for the one before it, and so on.

    Attributes:
        alpha: how much counts matter; with 0 all entries weigh the same, and a count of 1 weighs 1 always.
        power: how fast older entries lose weight; with 0 they do not.
        reach: entries back at which the loss begins to matter.
    """

    alpha: float = 0.0
    power: float = 0.0
    reach: float = 3.0

    def of(self, counts: NDArray[np.float32], back: NDArray[np.int64]) -> NDArray[np.float32]:
        """Weights of entries with these counts, so far back, (entries,); 0 for what is passed over."""
        weights = np.ones(len(counts))
        if self.alpha:
            weights *= (1 + self.alpha * np.log1p(counts)) / (1 + self.alpha * np.log(2))
        if self.power:
            recency = (1 + back / self.reach) ** -self.power
            weights *= np.where(recency >= LEAST, recency, 0.0)
        return weights.astype(np.float32)

    def apply(self, histories: SparseRows) -> SparseRows:
        """Histories of counts as histories of weights; entries without weight are left out."""
        if not self.power:
            return histories.with_values(self.of(histories.values, np.zeros(0, dtype=np.int64)))
        back = np.repeat(histories.starts[1:], histories.lengths) - 1 - np.arange(len(histories.columns))
        weights = self.of(histories.values, back)
        kept = weights > 0
        starts = np.append(0, np.cumsum(kept))[histories.starts]
        return SparseRows(starts, histories.columns[kept], weights[kept], histories.n_columns)

    def of_one(self, counts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Weights of the entries of one history in the order of time, (entries,)."""
        return self.of(counts, np.arange(len(counts))[::-1])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)
