"""Lists whose items differ: maximal marginal relevance (Carbonell & Goldstein 1998, doi 10.1145/290941.291025)."""

import numpy as np
from numpy.typing import NDArray

POOL = 100  # best items among which a list is made diverse


class MarginalRelevance:
    """Chooses one item after the other by ``(1 - diversity) * relevance - diversity * likeness to the nearest chosen``.

    Relevance is the score brought to 0 to 1 over the pool, likeness the cosine of the items' vectors.

    Args:
        scores: of the pool's items, (items,).
        directions: their vectors, of length 1, (items, width).
        diversity: 0 to 1.
    """

    def __init__(self, scores: NDArray[np.float32], directions: NDArray[np.float32], diversity: float) -> None:
        reach = float(np.ptp(scores)) if len(scores) else 0.0
        relevance = (scores - scores.min(initial=np.inf)) / reach if reach > 0 else np.zeros(len(scores))
        self._relevance = (1 - diversity) * relevance
        self._directions, self._diversity = directions, diversity
        self._nearest = np.full(len(scores), -np.inf)
        self._open = np.ones(len(scores), dtype=np.bool_)

    def best(self) -> int | None:
        """The number of the item that should come next; None when all were looked at."""
        if not self._open.any():
            return None
        like = np.where(np.isfinite(self._nearest), self._nearest, 0.0)
        return int(np.where(self._open, self._relevance - self._diversity * like, -np.inf).argmax())

    def close(self, item: int, chosen: bool) -> None:
        """Do not offer an item again; if it was `chosen`, what is like it becomes less wanted."""
        self._open[item] = False
        if chosen:
            self._nearest = np.maximum(self._nearest, self._directions @ self._directions[item])
