"""A dot-product model of ratings and what it knows of users and items, ready to answer as JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from vectable.answers.best_items import best_items, best_of
from vectable.answers.dot_product import DotProduct
from vectable.answers.named_items import Json, NamedItems
from vectable.answers.notes_as_json import notes_as_json
from vectable.answers.pairs import pairs_of, terms_as_json
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import require
from vectable.insight.neighbours import nearest
from vectable.recommending.answer import Notes
from vectable.recommending.filters import allowed_items
from vectable.recommending.given_ratings import given_ratings
from vectable.recommending.item_search import ItemSearch
from vectable.recommending.likeness import Likeness, check_neighbours
from vectable.recommending.limits import GroupsByColumn
from vectable.recommending.list_ranker import ListRanker, histories_of
from vectable.recommending.names import find_code, find_codes, listed, user_of_list, users_of_lists
from vectable.recommending.novelty import lift_rare
from vectable.recommending.request import NEEDS_SPREAD, Filters, ListRequest
from vectable.recommending.selection import Selection
from vectable.recommending.terms import terms_of
from vectable.recommending.user_row import UserPrior, fit_row, rating_contributions

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]
Known = tuple[Codes, Floats]

MOST_FOUND = 100  # items found beyond those that a list may need, which costs little and finds some that are missed


@dataclass(frozen=True)
class RatingTables:
    """Answers of a dot-product model of ratings, as JSON values; made by `load_answers`.

    It never changes and may be asked from many threads at once: every call takes its own notes. Names are read as the
    learner reads them, and what was taken in its stride stands under "notes": ``{"code", "count", "text"}`` each.

    Attributes:
        model: the weights.
        data: names, titles, and what each user has seen.
        prior: what is known of a user before any rating.
        likeness: what makes two items alike.
        scale: lowest and highest prediction that is shown; None where it is not clipped.
        version: twelve hexadecimal digits that tell this folder from any other.
        ranker: what ranks the lists; None where the predicted rating does.
        search: what finds the likely best items; None where all are scored.
    """

    model: DotProduct
    data: RatingsData
    prior: UserPrior
    likeness: Likeness
    scale: tuple[float, float] | None
    version: str
    ranker: ListRanker | None = None
    search: ItemSearch | None = None

    # ---------------------------------------------------------------- lists

    def recommend(
        self, user: Any, n: int = 10, exclude_seen: bool = True, *, raw: bool = False, **filters: Unpack[Filters]
    ) -> Json:
        """The list for one user; see `CollabLearner.recommend`, whose arguments these are.

        Returns:
            ``{"items": [{"item", "title", "prediction", "ratings"}], "notes": [...]}``, best first; "title" only where
            there are titles, and "score" before the prediction where it ranks.

        Raises:
            VectableError: an argument out of range, or one that does not exist.
        """
        notes, request = Notes(), _request(n, exclude_seen, filters)
        code = user_of_list(self.data, user, notes, self.ranker is not None)
        listed = self._list(self.model.users[code], self._seen_by(code), request, notes, raw)
        return {"items": listed, "notes": notes_as_json(notes)}

    def recommend_many(
        self,
        users: Iterable[Any] | None = None,
        n: int = 10,
        exclude_seen: bool = True,
        *,
        raw: bool = False,
        **filters: Unpack[Filters],
    ) -> Json:
        """The lists for many users, for all known ones by default; the arguments are those of `recommend`.

        Returns:
            ``{"users": [{"user", "items": [...]}], "notes": [...]}``, in the order in which they were asked for.
        """
        notes, request = Notes(), _request(n, exclude_seen, filters)
        named = None if users is None else listed(users)
        codes = users_of_lists(self.data, named, notes, self.ranker is not None)
        names = self.data.user_ids.vocabulary.to_list() if named is None else named
        allowed = allowed_items(self.data, request, notes)
        lists = [
            {
                "user": name,
                "items": self._chosen(self.model.users[code], self._seen_by(code), request, allowed, raw),
            }
            for name, code in zip(names, codes.tolist(), strict=True)
        ]
        return {"users": lists, "notes": notes_as_json(notes)}

    def fold_in(
        self,
        ratings: Mapping[Any, float],
        n: int = 10,
        exclude_seen: bool = True,
        *,
        raw: bool = False,
        **filters: Unpack[Filters],
    ) -> Json:
        """The list for a user who is not in the training data, from a few ratings by item id or title.

        Args:
            exclude_seen: leave out the items that were given.

        Returns:
            As `recommend`.

        Raises:
            VectableError: a rating that is not a number, or not on the scale of the training ratings.
        """
        notes, request = Notes(), _request(n, exclude_seen, filters)
        seen, values = given_ratings(self.data, ratings, True, notes)
        row = fit_row(self.model.predict_with_jacobian, self.prior, seen, values).astype(np.float32)
        return {"items": self._list(row, (seen, values), request, notes, raw), "notes": notes_as_json(notes)}

    # ---------------------------------------------------------------- pairs and items

    def predict(self, rows: Sequence[Mapping[str, Any]], *, raw: bool = False) -> Json:
        """Predicted ratings of rows, each a mapping with the user and the item column; items may be ids or titles.

        Returns:
            ``{"predictions": [...], "notes": [...]}``.

        Raises:
            VectableError: a row without these columns.
        """
        notes = Notes()
        predicted = self._clipped(self.model.predict_pairs(*pairs_of(self.data, rows, notes)), raw)
        return {"predictions": predicted.tolist(), "notes": notes_as_json(notes)}

    def similar(self, item: Any, n: int = 10, min_ratings: int | None = None) -> Json:
        """The `n` items most like `item` (id or title); see `CollabLearner.similar`.

        Returns:
            ``{"items": [{"item", "title", "similarity", "ratings"}], "notes": []}``, the most alike first.

        Raises:
            UnknownNameError: the item is not in the training data.
        """
        check_neighbours(n, min_ratings)
        counts, code = self.data.item_counts, find_code(self.data, item, True)
        fewest = self.likeness.fewest_ratings(counts) if min_ratings is None else min_ratings
        codes, alike = nearest(self._directions, code, n, self.likeness.weights(counts), counts >= fewest)
        return {"items": self._items.rows(codes, similarity=alike), "notes": []}

    def explain(self, user: Any, item: Any, n: int = 5, of: Literal["list", "rating"] = "list") -> Json:
        """Why an item has its place in the lists, or with of="rating" its prediction; see `CollabLearner.explain`.

        Returns:
            ``{"terms": [{"term", "meaning", "points"}], "notes": [...]}``; a "because" also has the seen "item", its
            "title", "your_rating" and number of "ratings".

        Raises:
            UnknownNameError: the item is not in the training data.
        """
        notes = Notes()
        code = int(find_codes(self.data, [user], False, notes)[0])
        target = find_code(self.data, item, True)
        row = self.model.users[code].astype(np.float64)
        return {"terms": self._reasons(row, self._seen_by(code), target, n, of), "notes": notes_as_json(notes)}

    def explain_new(
        self, ratings: Mapping[Any, float], item: Any, n: int = 5, of: Literal["list", "rating"] = "list"
    ) -> Json:
        """The same for a user who is not in the training data, from a few ratings; see `fold_in`."""
        notes = Notes()
        known = given_ratings(self.data, ratings, True, notes)
        target = find_code(self.data, item, True)
        row = fit_row(self.model.predict_with_jacobian, self.prior, *known)
        return {"terms": self._reasons(row, known, target, n, of), "notes": notes_as_json(notes)}

    # ---------------------------------------------------------------- inside

    def _reasons(self, row: NDArray[np.float64], known: Known, target: int, n: int, of: str) -> list[Json]:
        """What adds up to the score of an item for a user's row, who rated these items."""
        require(of in ("list", "rating"), f"of must be 'list' or 'rating'; got {of!r}.")
        seen, ratings = known
        predict, both = self.model.predict_with_jacobian, np.array([0, target], dtype=np.int32)
        average, of_user = (predict(one, both)[0] for one in (self.model.users[0].astype(np.float64), row))
        points = rating_contributions(predict, self.prior, row, seen, ratings, target) if len(seen) else np.zeros(0)
        corners = [float(average[0]), float(of_user[0]), float(average[1]), float(of_user[1])]
        terms = terms_of(corners, seen, ratings, points, target, n, self.scale)
        if self.ranker is not None and of == "list":
            prediction = float(self._clipped(np.array([corners[3]], dtype=np.float32), False)[0])
            terms = self.ranker.reasons(seen, ratings, target, n, prediction)
        return terms_as_json(terms, self._items)

    def _list(self, row: Floats, known: Known, request: ListRequest, notes: Notes, raw: bool) -> list[Json]:
        return self._chosen(row, known, request, allowed_items(self.data, request, notes), raw)

    def _chosen(
        self, row: Floats, known: Known, request: ListRequest, allowed: NDArray[np.bool_] | None, raw: bool
    ) -> list[Json]:
        """One list as JSON values."""
        selection = Selection.of(request, self._groups_of, lambda: self._directions)
        left_out = known[0] if request.exclude_seen else known[0][:0]
        if self.search is not None and self.ranker is None and allowed is None and not request.novelty:
            found = self.search.find(row[:-1], len(left_out) + MOST_FOUND + 2 * selection.candidates(request.n))
            found = found[~np.isin(found, left_out)]
            codes, scores = best_of(found, self.model.sums_of(row, found), self.model.squash, request.n, selection)
            if len(codes) == request.n:  # else limits left too few of them: look at all
                return self._items.rows(codes, prediction=self._clipped(scores, raw))
        sums = self.model.sums(row)
        if self.ranker is None and not request.novelty:
            codes, scores = best_items(sums, self.model.squash, request.n, left_out, allowed, selection)
            return self._items.rows(codes, prediction=self._clipped(scores, raw))
        squashed = self.model.squash(sums)
        ranked = squashed[None] if self.ranker is None else self.ranker.scores(histories_of([known]))
        ranked = lift_rare(ranked, self.data.item_counts, request.novelty)[0].copy()
        codes, scores = best_items(ranked, lambda scores: scores, request.n, left_out, allowed, selection)
        predictions = self._clipped(squashed[codes], raw)
        return self._items.rows(codes, score=scores, prediction=predictions)

    def _seen_by(self, code: int) -> tuple[Codes, Floats]:
        """Items and ratings of a user's training rows; none for the unknown."""
        starts, items, ratings = self._seen
        part = slice(starts[code], starts[code + 1]) if code else slice(0, 0)
        return items[part], ratings[part]

    def _clipped(self, predictions: Floats, raw: bool) -> Floats:
        return predictions if raw or self.scale is None else predictions.clip(*self.scale)

    @cached_property
    def _groups_of(self) -> GroupsByColumn:
        return GroupsByColumn(self.data)

    @cached_property
    def _directions(self) -> Floats:
        """Vectors of the items of length 1, by which they are compared; made when they are first asked for."""
        return self.likeness.directions_of_items(self.model.items, self.model.users[:, :-1], self.data)

    @cached_property
    def _items(self) -> NamedItems:
        return NamedItems(self.data, "ratings")

    @cached_property
    def _seen(self) -> tuple[NDArray[np.int64], Codes, Floats]:
        """Training rows sorted by user: where each user's begin, their items and ratings."""
        starts, rows = self.data.by_user
        return starts, self.data.train_ratings.item[rows], self.data.train_ratings.rating[rows]


def _request(n: int, exclude_seen: bool, filters: Mapping[str, Any]) -> ListRequest:
    request = ListRequest.of(n, exclude_seen, filters)
    require(not request.ucb_scale, NEEDS_SPREAD)
    return request
