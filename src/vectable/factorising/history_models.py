"""Models that know a user by their history alone: whatever was met, how often, in which order.

So a new user is served like any other, and every score is a sum over what was met, which is its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vectable.factorising.als import ImplicitALS
from vectable.factorising.history_weights import HistoryWeights
from vectable.factorising.item_weights import ItemWeights
from vectable.factorising.sparse_rows import SparseRows
from vectable.one_blas_thread import one_blas_thread

Floats = NDArray[np.float32]

UNWEIGHED = HistoryWeights()


class UserRows(Protocol):
    """What a model makes of some histories, ready to be scored."""

    def __len__(self) -> int:
        """Number of users."""

    def part(self, first: int, last: int) -> "UserRows":
        """Users [first, last)."""


class HistoryModel(Protocol):
    """Scores items for histories. Histories are rows of counts, each in the order of time; item 0 is the unknown."""

    @property
    def n_items(self) -> int:
        """Number of items, the unknown among them."""

    def user_rows(self, histories: SparseRows) -> Any:
        """What the model makes of some histories."""

    def score_rows(self, rows: Any) -> Floats:
        """Scores of every item, (users, items), for what `user_rows` gave."""

    def contributions(self, items: NDArray[np.int32], counts: Floats, target: int) -> NDArray[np.float64]:
        """How much each entry of one history adds to the score of `target`, (entries,): they sum to it."""


@dataclass(frozen=True)
class FactorRows:
    """Factors of some users.

    Attributes:
        factors: (users, width).
    """

    factors: Floats

    def __len__(self) -> int:
        return len(self.factors)

    def part(self, first: int, last: int) -> "FactorRows":
        """Users [first, last)."""
        return FactorRows(self.factors[first:last])


@dataclass(frozen=True)
class FactorModel:
    """Factors of items, and of a user the exact solution for their history.

    Attributes:
        als: the factors.
        weighing: how counts become confidences.
    """

    als: ImplicitALS
    weighing: HistoryWeights = UNWEIGHED

    @property
    def n_items(self) -> int:
        """Number of items, the unknown among them."""
        return len(self.als.items)

    def user_rows(self, histories: SparseRows) -> FactorRows:
        """The exact factors of users with these histories."""
        return FactorRows(self.als.user_rows(self.weighing.apply(histories)))

    def score_rows(self, rows: FactorRows) -> Floats:
        """Inner products of users and items, (users, items)."""
        with one_blas_thread():
            return np.asarray(rows.factors @ self.als.items.T)

    def contributions(self, items: NDArray[np.int32], counts: Floats, target: int) -> NDArray[np.float64]:
        """How much each entry of one history adds to the score of `target`, (entries,)."""
        return self.als.contributions(items, self.weighing.of_one(counts), target)


@dataclass(frozen=True)
class LinearModel:
    """Weights between items: the score is a weighted sum of the rows of what was met.

    Attributes:
        weights: between items.
        weighing: of a history's entries.
    """

    weights: ItemWeights
    weighing: HistoryWeights = UNWEIGHED

    @property
    def n_items(self) -> int:
        """Number of items, the unknown among them."""
        return self.weights.n_items

    def user_rows(self, histories: SparseRows) -> SparseRows:
        """The histories with their entries weighed."""
        return self.weighing.apply(histories)

    def score_rows(self, rows: SparseRows) -> Floats:
        """Scores of every item, (users, items)."""
        return self.weights.scores(rows)

    def contributions(self, items: NDArray[np.int32], counts: Floats, target: int) -> NDArray[np.float64]:
        """How much each entry of one history adds to the score of `target`, (entries,)."""
        return self.weighing.of_one(counts).astype(np.float64) * self.weights.toward(items, target)


@dataclass(frozen=True)
class BlendRows:
    """What each part of a blend makes of some histories."""

    parts: Sequence[Any]

    def __len__(self) -> int:
        return len(self.parts[0])

    def part(self, first: int, last: int) -> "BlendRows":
        """Users [first, last)."""
        return BlendRows([one.part(first, last) for one in self.parts])


@dataclass(frozen=True)
class Blend:
    """Shares of several models' scores, each divided by its standard deviation over the items of the user's list.

    Attributes:
        models: of the same items.
        shares: of each; they sum to 1.
    """

    models: Sequence[HistoryModel]
    shares: Sequence[float]

    @property
    def n_items(self) -> int:
        """Number of items, the unknown among them."""
        return self.models[0].n_items

    def user_rows(self, histories: SparseRows) -> BlendRows:
        """What each model makes of some histories."""
        return BlendRows([model.user_rows(histories) for model in self.models])

    def score_rows(self, rows: BlendRows) -> Floats:
        """Scores of every item, (users, items)."""
        scored = [model.score_rows(part) for model, part in zip(self.models, rows.parts, strict=True)]
        return blended(scored, self.shares)

    def contributions(self, items: NDArray[np.int32], counts: Floats, target: int) -> NDArray[np.float64]:
        """How much each entry of one history adds to the score of `target`, (entries,)."""
        history = SparseRows(np.array([0, len(items)]), items, counts, self.n_items)
        total = np.zeros(len(items))
        for model, share in zip(self.models, self.shares, strict=True):
            spread = float(_spread(model.score_rows(model.user_rows(history)))[0, 0])
            total += share / spread * model.contributions(items, counts, target)
        return total


def blended(scored: Sequence[Floats], shares: Sequence[float]) -> Floats:
    """Shares of scores, each (users, items), divided by their standard deviation per user; item 0 counts not."""
    total = np.zeros_like(scored[0])
    for scores, share in zip(scored, shares, strict=True):
        total += scores * (np.float32(share) / _spread(scores))
    return total


def _spread(scores: Floats) -> Floats:
    """Standard deviation over the items but the unknown, (users, 1); 1 where all are the same."""
    spread = scores[:, 1:].std(axis=1, keepdims=True)
    return np.where(spread > 0, spread, np.float32(1.0))
