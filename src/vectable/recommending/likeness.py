"""Which items are alike: those that the same people rate, and rate alike.

An item's factors say how opinions of it differ from what the biases explain, which for a film that nearly everybody
likes is little more than noise: by factors alone it stands beside other such films. Who rates it says the rest, and
the model has learned that too, since it has a vector for every rater. The shares of the two were chosen by the genres
that neighbours share, which no training saw, on three sets of films and books.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import is_whole, require
from vectable.folder_schema import fraction, number, record, whole
from vectable.insight.neighbours import directions_of

if TYPE_CHECKING:
    from vectable.models.rating_model import RatingModel

Floats = NDArray[np.float32]

RIDGE = 1e-9  # joins the covariance of the users' vectors
MOST_RATINGS = 2_000_000  # rows that audiences are taken from; of more a fixed random sample


@dataclass(frozen=True)
class Likeness:
    """What likeness is made of.

    Attributes:
        audience: share of who rates an item, 0 to 1; the rest is how.
        shrinkage: so many ratings halve the likeness of an item.
        fewest: ratings that a neighbour has at least, where most items have as many.
    """

    audience: float = 0.4
    shrinkage: float = 20
    fewest: int = 5

    SAVED = record(audience=fraction, shrinkage=number(0), fewest=whole())
    """Its form in a saved folder."""

    def directions(self, model: "RatingModel", data: RatingsData) -> Floats:
        """A vector of length 1 for every item of a model; see `directions_of_items`."""
        users = model.vectors(False).cpu().numpy() if self.audience else np.zeros((0, 0), dtype=np.float32)
        return self.directions_of_items(model.vectors(True).cpu().numpy(), users, data)

    def directions_of_items(self, items: Floats, users: Floats, data: RatingsData) -> Floats:
        """A vector of length 1 for every item, (items + 1, width), whose dot products tell how alike two items are.

        The dot product of two is ``1 - audience`` times the cosine of their factors plus ``audience`` times the cosine
        of their audiences; row 0 stands for no item.

        Args:
            items, users: their vectors in the model, (items + 1, width) and (users + 1, width).
        """
        factors = directions_of(items)
        if not self.audience:
            return factors
        audience = directions_of(audiences(data, users))
        return np.concatenate([factors * (1 - self.audience) ** 0.5, audience * self.audience**0.5], axis=1)

    def weights(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the likeness of each item is multiplied by, for its number of ratings, (items + 1,)."""
        return counts / np.maximum(counts + self.shrinkage, 1) if self.shrinkage else np.ones(len(counts))

    def fewest_ratings(self, counts: NDArray[np.int64]) -> int:
        """How many ratings a neighbour has at least by default: none where most items have fewer than `fewest`."""
        return self.fewest if np.median(counts[1:]) >= self.fewest else 0


def check_neighbours(n: int, min_ratings: int | None) -> None:
    """Raise a sentence for a number of neighbours, or of their ratings, that cannot be."""
    require(is_whole(n, 1), f"n must be a positive integer; got {n!r}.")
    require(
        min_ratings is None or is_whole(min_ratings, 0),
        f"min_ratings must be a number of ratings, 0 or more; got {min_ratings!r}.",
    )


FACTORS_ALONE = Likeness(audience=0, shrinkage=0, fewest=0)
"""By factors alone: for draws, whose factors are shrunk by the number of ratings, and folders of before."""


def audiences(data: RatingsData, users: Floats) -> Floats:
    """Who rates each item: the sum of the raters' vectors, (items + 1, width).

    Vectors are centred and whitened, so that what all users have in common counts for nothing and every direction
    counts alike; a user's weight is one through the root of the number of their ratings.

    Args:
        users: vectors, (users + 1, width).
    """
    centred = users[1:] - users[1:].mean(axis=0)
    covariance = centred.T @ centred / max(len(centred) - 1, 1)
    factor = np.linalg.cholesky(covariance.astype(np.float64) + RIDGE * np.eye(users.shape[1]))
    white = np.linalg.solve(factor, centred.T.astype(np.float64)).T
    rows, known = data.train_ratings, len(data.train_ratings)
    who, what = rows.user, rows.item
    if known > MOST_RATINGS:
        chosen = np.sort(np.random.default_rng(0).choice(known, MOST_RATINGS, replace=False))
        who, what = who[chosen], what[chosen]
    counts = np.bincount(who, minlength=len(users))
    weights = 1 / np.sqrt(np.maximum(counts[who], 1))
    rated = csr_matrix((weights, (what, who)), shape=(len(data.item_ids), len(users)))[:, 1:]
    return np.asarray(rated @ white, dtype=np.float32)
