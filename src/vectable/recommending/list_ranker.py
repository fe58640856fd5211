"""Lists by who would take what, for models of ratings: who rated what ranks, the expected rating is shown beside.

Most of what decides whether somebody meets an item is not how high they would rate it. Weights between items (EASE, or
neighbors where there are more than 10,000 items) are fitted to who rated what, a high rating counting more than a low
one: ``0.5 + (rating - lowest) / (highest - lowest)``. The score of an item is a sum over what the user rated, which is
its reason.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.histories import Histories
from vectable.data.ratings.encoded_ratings import Ratings
from vectable.recommending.terms import Term

if TYPE_CHECKING:
    from vectable.factorising.item_weights import ItemWeights

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]

SCORE = "what ranks the item: the sum of the terms below, but for the last"
NOTHING_RATED = "what ranks the item: the share of the users who rated it, since nothing is known of this one"
BECAUSE = "part of the score: those who rated this rated the item"
ALL_OTHERS = "part of the score: all other rated items"
EXPECTED = "the predicted rating, which has no part in the score"

LEAST = 0.5  # weight of the lowest rating; that of the highest is 1 more


@dataclass(frozen=True)
class ListRanker:
    """Scores items for users by what they rated.

    Attributes:
        weights: how much having rated one item speaks for another.
        popularity: share of the users who rated each item, (items + 1,): the scores of whoever rated nothing.
        scale: lowest and highest rating.
    """

    weights: "ItemWeights"
    popularity: Floats
    scale: tuple[float, float]

    @classmethod
    def fit(cls, ratings: Ratings, n_users: int, n_items: int, scale: tuple[float, float]) -> "ListRanker":
        """Fit to the training ratings.

        Args:
            n_users, n_items: with the unknown among them.
        """
        from vectable.factorising.ease import MOST_ITEMS, ease
        from vectable.factorising.neighbours import neighbours
        from vectable.factorising.sparse_rows import SparseRows

        users, items, means = _one_per_pair(ratings, n_items)
        weights = _weights_of(means, scale)
        rows = SparseRows.from_pairs(users, items, weights, n_rows=n_users, n_columns=n_items)
        counts = np.bincount(items, minlength=n_items)
        fitted: ItemWeights = ease(rows) if n_items <= MOST_ITEMS else neighbours(rows)
        return cls(fitted, (counts / max(n_users - 1, 1)).astype(np.float32), scale)

    def of_items(self, n_items: int) -> "ListRanker":
        """The same with items behind those it was fitted on, which nobody has rated yet: they come last."""
        return replace(self, popularity=np.pad(self.popularity, (0, n_items - len(self.popularity))))

    def scores(self, histories: Histories) -> Floats:
        """Scores of every item, (users, items + 1), for users who rated these items so high (the counts)."""
        from vectable.factorising.sparse_rows import SparseRows

        n_known = self.weights.n_items
        known = histories.keep(histories.items < n_known)
        rows = SparseRows(known.starts, known.items, _weights_of(known.counts, self.scale), n_known)
        found = self.weights.scores(rows)
        scores = np.zeros((len(histories), len(self.popularity)), dtype=np.float32)
        scores[:, :n_known] = found
        scores[known.lengths == 0] = self.popularity
        return scores

    def contributions(self, seen: Codes, ratings: Floats, item: int) -> NDArray[np.float64]:
        """How much each rated item adds to the score of `item`, (seen items,): they sum to it."""
        known = seen < self.weights.n_items
        points = np.zeros(len(seen))
        if item < self.weights.n_items and known.any():
            toward = self.weights.toward(seen[known], item).astype(np.float64)
            points[known] = _weights_of(ratings[known], self.scale) * toward
        return points

    def reasons(self, seen: Codes, ratings: Floats, item: int, n: int, prediction: float) -> list[Term]:
        """Why an item has its place: "score", the `n` rated items that add most to it, all others, and the rating
        expected, which has no part in it.

        Args:
            prediction: the rating expected of the item.
        """
        points = self.contributions(seen, ratings, item)
        if not len(seen):
            return [
                Term("score", float(self.popularity[item]), about=NOTHING_RATED),
                Term("prediction", prediction, about=EXPECTED),
            ]
        score = float(points.sum())
        best = np.argsort(-np.where(seen == item, -np.inf, points), kind="stable")[:n]
        best = best[points[best] > 0]
        return [
            Term("score", score, about=SCORE),
            *(Term("because", float(points[at]), int(seen[at]), float(ratings[at]), BECAUSE) for at in best),
            Term("everything else", score - float(points[best].sum()), about=ALL_OTHERS),
            Term("prediction", prediction, about=EXPECTED),
        ]


def histories_of(known: list[tuple[Codes, Floats]]) -> Histories:
    """Histories of the items and ratings of some users."""
    lists = Histories.of_lists([items for items, _ in known])
    ratings = [one for _, one in known]
    return Histories(lists.starts, lists.items, np.concatenate(ratings) if ratings else lists.counts)


def _weights_of(ratings: NDArray[Any], scale: tuple[float, float]) -> Floats:
    low, high = scale
    place = (ratings - low) / (high - low) if high > low else np.ones(len(ratings))
    return np.asarray(LEAST + place, dtype=np.float32)


def _one_per_pair(ratings: Ratings, n_items: int) -> tuple[Codes, Codes, NDArray[np.float64]]:
    """Users, items and mean ratings of all pairs."""
    pairs = ratings.user.astype(np.int64) * n_items + ratings.item
    found, number, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    users, items = np.divmod(found, n_items)
    means = np.bincount(number, ratings.rating) / counts
    return users.astype(np.int32), items.astype(np.int32), means
