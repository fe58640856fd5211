"""Lists, neighbours and reasons from draws of the posterior, without torch: what `Recommender` says of them."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.ratings_data import RatingsData
from vectable.insight.neighbours import directions_of, nearest
from vectable.models.one_draw import OneDraw
from vectable.ratings.drawn_answers import DrawnAnswers
from vectable.recommending.answer import Answer, Answers, Notes
from vectable.recommending.filters import allowed_items
from vectable.recommending.limits import GroupsByColumn
from vectable.recommending.list_ranker import ListRanker, histories_of
from vectable.recommending.lists import SCORES_A_BLOCK
from vectable.recommending.names import user_of_list, users_of_lists
from vectable.recommending.novelty import lift_rare
from vectable.recommending.request import ListRequest
from vectable.recommending.row_spread import flat_row, row_mean_and_std
from vectable.recommending.selection import Selection
from vectable.recommending.terms import Term, terms_of
from vectable.recommending.top_n import top_items
from vectable.recommending.user_row import Predict, rating_contributions

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]
Known = tuple[Codes, Floats]
MeanAndStd = Callable[[Floats], tuple[NDArray[np.float64], NDArray[np.float64]]]


class DrawnRecommender:
    """Answers from draws. It never changes, and threads may share it.

    Args:
        answers: the draws and their ratings.
    """

    def __init__(self, answers: DrawnAnswers) -> None:
        self._answers, self.model = answers, answers.drawn

    @property
    def data(self) -> RatingsData:
        """The ratings."""
        return self._answers.data

    def answer(self, user: Any, request: ListRequest) -> Answer:
        """The list for one user, named by id; an unknown one gets the average user's, with a note."""
        notes = Notes()
        code = user_of_list(self.data, user, notes, self._ranker is not None)
        return self.answer_row(self.row_of(code), self.seen_by(code), request, notes)

    def answer_many(self, users: Iterable[Any] | None, request: ListRequest) -> Answers:
        """The lists for many users, named by id; for all known ones by default."""
        notes = Notes()
        codes = users_of_lists(self.data, users, notes, self._ranker is not None)
        rows = self.model.users[codes]
        return self._lists(rows, lambda at: self.seen_by(int(codes[at])), request, notes, self._mean_and_std)

    def answer_row(
        self, row: Floats, known: Known, request: ListRequest, notes: Notes, mean_and_std: MeanAndStd | None = None
    ) -> Answer:
        """The list for a user's row, (width,), who rated these items.

        Args:
            mean_and_std: of every item for the row, where the draws' spread is not all of the uncertainty.
        """
        return self._lists(row[None], lambda _: known, request, notes, mean_and_std or self._mean_and_std)[0]

    def similar(self, item: int, n: int, min_ratings: int | None = None) -> tuple[Codes, Floats]:
        """Codes of up to `n` items most like one, by factors alone, and how like it, -1 to 1."""
        return nearest(self._directions, item, n, allowed=self.data.item_counts >= (min_ratings or 0))

    def reasons(self, row: Floats, known: Known, item: int, n: int) -> list[Term]:
        """Why an item has its place in the lists of a user: of the expected rating, or of what ranks instead."""
        if self._ranker is None:
            return self.explain_row(row, *known, item, n)
        return self._ranker.reasons(*known, item, n, float(self.shown(self.model.score_rows(row[None])[0][[item]])[0]))

    def explain_row(self, row: Floats, seen: Codes, ratings: Floats, item: int, n: int) -> list[Term]:
        """Terms of the prediction of an item for a user's row, means over the draws; see `terms.terms_of`."""
        both, average = np.array([0, item], dtype=np.int32), self.row_of(0)
        parts, priors = (one.reshape(self.model.n_draws, -1) for one in (average, row)), self._answers.priors
        corners, points = [], []
        for at, (mean, own, prior) in enumerate(zip(*parts, priors, strict=True)):
            predict = _predict_of(self.model.draw(at))
            middle, of_user = predict(mean, both)[0], predict(own, both)[0]
            corners.append([middle[0], of_user[0], middle[1], of_user[1]])
            if len(seen):
                points.append(rating_contributions(predict, prior, own.astype(np.float64), seen, ratings, item))
        found = np.mean(points, axis=0) if points else np.zeros(0)
        return terms_of(np.mean(corners, axis=0).tolist(), seen, ratings, found, item, n, self.data.rating_range)

    def row_of(self, code: int) -> Floats:
        """All that the draws know of a user, (width,)."""
        return np.asarray(self.model.users[code], dtype=np.float32)

    def seen_by(self, code: int) -> Known:
        """Items and ratings of a user's training rows; none for the unknown."""
        rows = self.data.rows_of(code) if code else np.zeros(0, dtype=np.int64)
        return self.data.train_ratings.item[rows], self.data.train_ratings.rating[rows]

    def shown(self, predictions: Floats, raw: bool = False) -> Floats:
        """Predictions as people see them: clipped to the rating scale unless `raw`."""
        return predictions if raw else predictions.clip(*self.data.rating_range)

    # ---------------------------------------------------------------- inside

    def _lists(
        self,
        rows: NDArray[Any],
        known: Callable[[int], Known],
        request: ListRequest,
        notes: Notes,
        mean_and_std: MeanAndStd,
    ) -> Answers:
        bounded = bool(request.ucb_scale)
        ranker = None if bounded else self._ranker

        def bound(row: Floats) -> Floats:
            mean, std = mean_and_std(row)
            return (mean + request.ucb_scale * std).astype(np.float32)

        def score(part: slice) -> Floats:
            if ranker is not None:
                found = ranker.scores(histories_of([known(at) for at in range(part.start, part.stop)]))
            elif bounded:
                found = np.stack([bound(row) for row in rows[part].astype(np.float32)])
            else:
                found = self.model.score_rows(rows[part].astype(np.float32))
            return lift_rare(found, self.data.item_counts, request.novelty)

        items, scores = top_items(
            score,
            len(rows),
            len(self.data.item_ids),
            request.n,
            seen=(lambda at: known(at)[0]) if request.exclude_seen else None,
            allowed=allowed_items(self.data, request, notes),
            selection=Selection.of(request, self._groups_of, lambda: self._directions),
        )
        if ranker is not None or (request.novelty and not bounded):
            return Answers(items, scores, self._predictions(rows, items), None, notes, own_scores=True)
        if not bounded:
            return Answers(items, scores, scores, None, notes)
        both = np.zeros((2, *items.shape), dtype=np.float32)
        for at, codes in enumerate(items):
            both[:, at] = np.stack(mean_and_std(rows[at].astype(np.float32)))[:, codes]
        return Answers(items, scores, both[0], both[1], notes)

    def _predictions(self, rows: NDArray[Any], items: Codes) -> Floats:
        """Expected ratings of listed items, (users, n), in blocks of users."""
        found = np.empty(items.shape, dtype=np.float32)
        block = max(1, SCORES_A_BLOCK // len(self.data.item_ids))
        for first in range(0, len(items), block):
            part = slice(first, first + block)
            table = self.model.score_rows(rows[part].astype(np.float32))
            found[part] = np.take_along_axis(table, items[part].astype(np.int64), axis=1)
        return found

    def _mean_and_std(self, row: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        each = self.model.member_scores(row).astype(np.float64)
        return each.mean(axis=0), each.std(axis=0)

    @cached_property
    def _groups_of(self) -> GroupsByColumn:
        return GroupsByColumn(self.data)

    @cached_property
    def _directions(self) -> Floats:
        """Vectors of the items of length 1, by which they are compared."""
        return directions_of(self.model.vectors(True))

    @cached_property
    def _ranker(self) -> ListRanker | None:
        """What ranks the lists; None where the expected rating does."""
        return self._answers.ranking.ranker(self.data)


def _predict_of(draw: OneDraw) -> Predict:
    def predict(row: Any, items: Codes) -> Any:
        predicted, slopes = draw.predict_with_jacobian(row.astype(np.float32), items)
        return predicted.astype(np.float64), slopes.astype(np.float64)

    return predict


class DrawnUser:
    """What the draws make of a user who is not in the training data.

    Args:
        known: what answers.
        answers: the draws.
        seen, ratings: codes and ratings of the items that were given.
        features: values of columns, or None.
    """

    def __init__(
        self, known: DrawnRecommender, answers: DrawnAnswers, seen: Codes, ratings: Floats, features: Any = None
    ) -> None:
        self._known, self._seen = known, (seen, ratings)
        self._row = answers.new_user(seen, ratings, features)

    def answer(self, request: ListRequest, notes: Notes) -> Answer:
        """The list."""
        everything = np.arange(len(self._known.data.item_ids), dtype=np.int32)

        def mean_and_std(_: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            return row_mean_and_std(self._known.model, self._row, everything)

        return self._known.answer_row(flat_row(self._row), self._seen, request, notes, mean_and_std)
