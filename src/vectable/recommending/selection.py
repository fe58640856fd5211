"""From items sorted by score to a list: by score alone, or within limits and with diversity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectable.recommending.diversity import POOL, MarginalRelevance
from vectable.recommending.limits import Groups, ListLimit, limits_of
from vectable.recommending.request import ListRequest

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Selection:
    """How the items of a list are chosen among those that may be in it.

    Attributes:
        limits: what makes the limits of one list; see `limits.py`.
        diversity: 0 to 1; see `diversity.py`.
        directions: the items' vectors, of length 1, (items + 1, width); needed for diversity.
    """

    limits: Sequence[Callable[[], ListLimit]] = ()
    diversity: float = 0.0
    directions: NDArray[np.float32] | None = None

    @classmethod
    def of(
        cls,
        request: ListRequest,
        groups_of: Callable[[str], Groups],
        directions: Callable[[], NDArray[np.float32]],
    ) -> "Selection":
        """What a request asks for.

        Args:
            groups_of: the values of a column by its name.
            directions: called only where the request needs the items' vectors.
        """
        return cls(limits_of(request, groups_of), request.diversity, directions() if request.diversity else None)

    @property
    def is_plain(self) -> bool:
        """Whether the list is the best items by score."""
        return not self.limits and self.diversity == 0

    def candidates(self, n: int) -> int:
        """How many of the best items to look at first for a list of `n`."""
        if self.is_plain:
            return n
        return max(n, POOL) if self.diversity else 4 * n

    def choose(self, items: Codes, scores: NDArray[np.float32], n: int) -> NDArray[np.intp]:
        """Which of `items`, sorted by score, make the list, in its order: places, (up to n,).

        With diversity the best `POOL` (or n, if more) are ordered by marginal relevance; where limits leave fewer than
        n of them, the items behind follow by score.
        """
        limits, chosen = [start() for start in self.limits], list[int]()

        def admits(item: int) -> bool:
            return all(limit.admits(item) for limit in limits)

        def take(at: int) -> None:
            chosen.append(at)
            for limit in limits:
                limit.take(int(items[at]))

        pool = max(n, POOL) if self.diversity else 0
        if self.diversity and self.directions is not None:
            order = MarginalRelevance(scores[:pool], self.directions[items[:pool]], self.diversity)
            while len(chosen) < n and (at := order.best()) is not None:
                admitted = admits(int(items[at]))
                order.close(at, admitted)
                if admitted:
                    take(at)
        for at in range(pool, len(items)):
            if len(chosen) == n:
                break
            if admits(int(items[at])):
                take(at)
        return np.array(chosen, dtype=np.intp)
