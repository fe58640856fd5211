"""A user folded in: known by a few ratings, served like any other, kept by the caller alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vectable.recommending.answer import Answer, Notes
from vectable.recommending.given_ratings import given_ratings
from vectable.recommending.names import find_code, find_codes
from vectable.recommending.presenting import check_of, list_frame, reasons_frame, warn_of
from vectable.recommending.recommender import Recommender
from vectable.recommending.request import Filters, ListRequest
from vectable.recommending.upper_confidence import member_mean_and_std


@dataclass(frozen=True, repr=False)
class FoldedUser:
    """What the model makes of a user who is not in the training data.

    Attributes:
        row: the user's factors and bias (an ensemble's members side by side), (width,).
        seen, ratings: codes and ratings of the items that were given.
    """

    recommender: Recommender
    row: Tensor
    seen: NDArray[np.int32]
    ratings: NDArray[np.float32]

    def __repr__(self) -> str:
        return f"{type(self).__name__}: known by {len(self.seen):,} rating{'s' * (len(self.seen) != 1)}"

    @classmethod
    def of(cls, recommender: Recommender, ratings: Mapping[Any, float]) -> "FoldedUser":
        """Find the row for ratings by item id or title; see `RatingAnswers.fold_in`."""
        notes = Notes()
        seen, values = given_ratings(recommender.data, ratings, True, notes)
        warn_of(notes)
        return FoldedUser(recommender, recommender.fold_in(seen, values), seen, values)

    def recommend(
        self, n: int = 10, exclude_seen: bool = True, *, raw: bool = False, **filters: Unpack[Filters]
    ) -> Any:
        """The `n` best items, as `RatingAnswers.recommend` gives them and with its filters."""
        return list_frame(self.recommender, self.answer(ListRequest.of(n, exclude_seen, filters)), raw)

    def answer(self, request: ListRequest, notes: Notes | None = None) -> Answer:
        """The list, without frames and warnings.

        Args:
            notes: taken so far.
        """
        everything = np.arange(len(self.recommender.data.item_ids), dtype=np.int32)
        return self.recommender.answer_row(
            self.row, (self.seen, self.ratings), request, notes, mean_and_std=lambda _: self._mean_and_std(everything)
        )

    def predict(self, items: Iterable[Any], return_std: bool = False, *, raw: bool = False) -> Any:
        """Predicted ratings of items by id or title, (items,), clipped to the scale unless `raw`.

        Args:
            return_std: also the standard deviation of each, (items,).

        Raises:
            VectableError: return_std for a single model, which does not know how sure it is.
        """
        codes = self._codes(items)
        predicted = self.recommender.shown(self.recommender.scores_of_row(self.row)[codes], raw)
        if not return_std:
            return predicted
        return predicted, self._mean_and_std(codes)[1].astype(np.float32)

    def explain(self, item: Any, n: int = 5, of: Literal["list", "rating"] = "list") -> Any:
        """Why this place in the list; see `RatingAnswers.explain`."""
        known = self.recommender
        code, seen = find_code(known.data, item, True), (self.seen, self.ratings)
        check_of(of)
        terms = known.reasons(self.row, seen, code, n) if of == "list" else known.explain_row(self.row, *seen, code, n)
        return reasons_frame(known.data, terms)

    def _mean_and_std(self, codes: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected ratings of items, (items,), not clipped, and their standard deviations."""
        mean, std = member_mean_and_std(self.recommender.model)(self.row)
        return mean[codes], std[codes]

    def _codes(self, items: Iterable[Any]) -> NDArray[np.int32]:
        notes = Notes()
        codes = find_codes(self.recommender.data, items, True, notes)
        warn_of(notes)
        return codes
