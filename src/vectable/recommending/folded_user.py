"""A user folded in: known by a few ratings, served like any other, kept by the caller alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.recommending.fold_in import solve_row

if TYPE_CHECKING:
    from vectable.recommending.recommender import Recommender


@dataclass(frozen=True, repr=False)
class FoldedUser:
    """What the model makes of a user it never saw.

    Attributes:
        row: the user's factors and bias (an ensemble's members side by side), (width,).
        seen, ratings: codes and ratings of the items that were given.
    """

    recommender: "Recommender"
    row: Tensor
    seen: NDArray[np.int32]
    ratings: NDArray[np.float32]

    def __repr__(self) -> str:
        return f"{type(self).__name__}: known by {len(self.seen):,} rating{'s' * (len(self.seen) != 1)}"

    @classmethod
    def solve(cls, recommender: "Recommender", seen: NDArray[np.int32], ratings: NDArray[np.float32]) -> "FoldedUser":
        """Find the row; see `fold_in.solve_row`."""
        pairs = zip(recommender.members, recommender.priors, strict=True)
        rows = [solve_row(model, prior, seen, ratings) for model, prior in pairs]
        return cls(recommender, torch.cat(rows), seen, ratings)

    def recommend(
        self,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
    ) -> Any:
        """The `n` items with the highest predicted rating, as `CollabLearner.recommend` gives them."""
        seen = self.seen if exclude_seen else self.seen[:0]
        return self.recommender.list_for(self.row, seen, n, candidates, exclude, min_ratings)

    def predict(self, items: Iterable[Any]) -> NDArray[np.float32]:
        """Predicted ratings of items by id or title, (items,)."""
        return self.recommender.scores_of_row(self.row).numpy()[self.recommender.item_codes(items)]

    def explain(self, item: Any, n: int = 5) -> Any:
        """Why this prediction; see `CollabLearner.explain`."""
        code = int(self.recommender.item_codes([item])[0])
        return self.recommender.reasons(self.row, self.seen, self.ratings, code, n)
