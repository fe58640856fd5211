"""Somebody new, known by a basket or a session alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vectable.data.interactions.histories import Histories
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.errors import is_finite, require
from vectable.interactions.history_recommender import HistoryRecommender
from vectable.interactions.presenting import one_list_frame, reasons_frame
from vectable.recommending.answer import Notes
from vectable.recommending.names import find_code, find_codes
from vectable.recommending.request import ListRequest


@dataclass(frozen=True, repr=False)
class FoldedHistory:
    """What the model makes of a history that training did not show; nothing is kept.

    Attributes:
        history: of one user.
    """

    recommender: HistoryRecommender
    history: Histories

    def recommend(self, n: int = 10, exclude_seen: bool = True, novelty: float = 0.0, **filters: Any) -> Any:
        """The `n` items most likely to be taken, as `recommend` of the learner gives them."""
        request = ListRequest.of(n, exclude_seen, filters)
        return one_list_frame(self.recommender.data, self.recommender.answer_histories(self.history, request, novelty))

    def explain(self, item: Any, n: int = 5) -> Any:
        """Why an item has its score: the `n` entries that add most to it, and all the others; exact sums."""
        data = self.recommender.data
        target = find_code(data, item, True)
        items, counts = self.history.of(0)
        return reasons_frame(data, items, *self.recommender.reasons(items, counts, target), target, n)

    def __repr__(self) -> str:
        return f"FoldedHistory: {self.history.lengths[0]:,} known items"


def history_of(data: InteractionsData, items: Iterable[Any] | Mapping[Any, float], notes: Notes) -> Histories:
    """The history that names, the latest last, or names with counts stand for; unknown ones are left out, with a note.

    Raises:
        VectableError: a count that is not a finite number above 0.
    """
    if isinstance(items, Mapping):
        named = dict(items)
    else:  # one that comes twice stands where it came last
        listed = [items] if isinstance(items, str) else list(items)
        named = dict(reversed([(name, 1.0) for name in dict.fromkeys(reversed(listed))]))
    for name, count in named.items():
        require(
            is_finite(count) and count > 0, f"The count of {name!r} must be a finite number above 0; got {count!r}."
        )
    codes = find_codes(data, list(named), True, notes, "left out")
    counts = np.array([float(count) for count in named.values()], dtype=np.float32)
    usable = data.item_counts[codes] > 0
    known = Histories.of_lists([codes])
    return Histories(known.starts, known.items, counts).keep(usable)
