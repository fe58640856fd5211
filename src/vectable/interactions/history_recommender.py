"""A model of histories and its data, ready to answer: lists and reasons. No frames, no warnings."""

from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.histories import Histories
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.errors import is_finite, require
from vectable.factorising.history_models import HistoryModel
from vectable.insight.neighbours import nearest
from vectable.interactions.candidates import to_rows
from vectable.recommending.answer import Answers, Notes
from vectable.recommending.filters import allowed_items
from vectable.recommending.limits import Groups
from vectable.recommending.names import MOST_POPULAR, find_codes
from vectable.recommending.novelty import lift_rare
from vectable.recommending.request import ListRequest
from vectable.recommending.selection import Selection
from vectable.recommending.top_n import top_items

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]


class HistoryRecommender:
    """Answers from a fitted model. Safe to ask from several threads.

    Args:
        model: any `HistoryModel`.
        data: the interactions that it was fitted on.
        directions: vectors of the items of length 1, for diversity and likeness, (items + 1, width).
    """

    def __init__(self, model: HistoryModel, data: InteractionsData, directions: Floats) -> None:
        self.model, self.data, self.directions = model, data, directions

    def scores(self, rows: Any, lengths: NDArray[np.int64]) -> Floats:
        """Scores of every item for what the model made of some users; popularity for those without a history."""
        scores = self.model.score_rows(rows)
        nothing = np.flatnonzero(lengths == 0)
        if len(nothing):
            scores[nothing] = self.popularity
        return scores

    @cached_property
    def popularity(self) -> Floats:
        """Share of the users who met each item, (items + 1,)."""
        return (self.data.item_counts / max(self.data.n_users, 1)).astype(np.float32)

    @cached_property
    def known_rows(self) -> Any:
        """What the model makes of every known user, found once."""
        return self.model.user_rows(to_rows(self.data.train, self.model.n_items))

    def answer(self, users: Iterable[Any] | None, request: ListRequest, novelty: float) -> Answers:
        """The lists for users by id, for all known ones by default; unknown ones get what is popular, with a note."""
        notes = Notes()
        if users is None:
            codes = np.arange(1, len(self.data.user_ids), dtype=np.int32)
            rows, histories = self.known_rows, self.data.train
            return self._lists(rows.part(1, len(histories)), histories.take(codes), request, novelty, notes)
        codes = find_codes(self.data, users, False, notes, MOST_POPULAR)
        return self.answer_histories(self.data.train.take(codes), request, novelty, notes)

    def answer_histories(
        self, histories: Histories, request: ListRequest, novelty: float, notes: Notes | None = None
    ) -> Answers:
        """The lists for some histories."""
        rows = self.model.user_rows(to_rows(histories, self.model.n_items))
        return self._lists(rows, histories, request, novelty, Notes() if notes is None else notes)

    def _lists(self, rows: Any, histories: Histories, request: ListRequest, novelty: float, notes: Notes) -> Answers:
        allowed = self.data.item_counts > 0
        conditions = allowed_items(self.data, request, notes)
        if conditions is not None:
            allowed &= conditions

        def score(part: slice) -> Floats:
            scores = self.scores(rows.part(part.start, part.stop), histories.lengths[part])
            scores = lift_rare(scores, self.data.item_counts, novelty)
            return np.array(scores, dtype=np.float32, order="C")

        items, scores = top_items(
            score,
            len(histories),
            len(allowed),
            request.n,
            seen=(lambda at: histories.of(at)[0]) if request.exclude_seen else None,
            allowed=allowed,
            selection=Selection.of(request, partial(Groups.of, self.data), lambda: self.directions),
        )
        return Answers(items, scores, scores, None, notes)

    def similar(self, item: int, n: int, fewest: int = 1) -> tuple[Codes, Floats]:
        """Codes of up to `n` items most like one, and how like it, -1 to 1.

        Args:
            fewest: interactions that a neighbour must have.
        """
        return nearest(self.directions, item, n, allowed=self.data.item_counts >= max(fewest, 1))

    def reasons(self, items: Codes, counts: Floats, target: int) -> tuple[NDArray[np.float64], float]:
        """What each entry of a history adds to the score of an item, (entries,), and the score."""
        points = self.model.contributions(items, counts, target)
        return points, float(points.sum())


def history_request(n: int, exclude_seen: bool, filters: Mapping[str, Any]) -> tuple[ListRequest, float]:
    """The request and the novelty that the arguments of a call make.

    Raises:
        VectableError: an argument out of range, or one that does not exist.
    """
    others = dict(filters)
    novelty = others.pop("novelty", 0.0)
    require(is_finite(novelty) and novelty >= 0, f"novelty must be a number from 0 on; got {novelty!r}.")
    request = ListRequest.of(n, exclude_seen, others)
    require(not request.ucb_scale, "ucb_scale needs a model of ratings that knows how sure it is.")
    return request, float(novelty)
