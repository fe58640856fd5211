"""A model of ratings that is no single dot product (a net, an ensemble, draws), ready to answer as JSON values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from vectable.answers.named_items import Json, NamedItems
from vectable.answers.notes_as_json import notes_as_json
from vectable.answers.pairs import pairs_of, terms_as_json, times_of
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import require
from vectable.recommending.answer import Answer, Notes
from vectable.recommending.given_ratings import given_ratings
from vectable.recommending.likeness import check_neighbours
from vectable.recommending.names import find_code, find_codes, listed
from vectable.recommending.presenting import check_of
from vectable.recommending.request import NEEDS_SPREAD, Filters, ListRequest

if TYPE_CHECKING:
    from vectable.answers.drawn_recommender import DrawnRecommender, DrawnUser
    from vectable.recommending.folded_user import FoldedUser
    from vectable.recommending.recommender import Recommender

Codes = NDArray[np.int32]
Predicted = tuple[NDArray[Any], NDArray[Any] | None]


@dataclass(frozen=True)
class LearnedTables:
    """Answers of any model of ratings, as JSON values; made by `load_answers` for draws, nets and ensembles.

    It never changes and may be asked from many threads at once: every call takes its own notes.

    Attributes:
        recommender: the model and its ratings.
        predict_codes: from user codes, item codes and times (or None) to predictions, (rows,), and their standard
            deviations, or None for a model that does not know how sure it is.
        fold: from item codes and ratings, and where `by_features` the values of columns, to the user that they make.
        version: twelve hexadecimal digits that tell this folder from any other.
        timestamp: the column of times, where predictions depend on it.
        by_features: whether new users are known by columns of the side table too.
    """

    recommender: "Recommender | DrawnRecommender"
    predict_codes: Callable[[Codes, Codes, NDArray[np.float64] | None], Predicted]
    fold: Callable[..., "FoldedUser | DrawnUser"]
    version: str
    timestamp: str | None = None
    by_features: bool = False

    @property
    def data(self) -> RatingsData:
        """Names, titles, and what each user has seen."""
        return self.recommender.data

    def recommend(
        self, user: Any, n: int = 10, exclude_seen: bool = True, *, raw: bool = False, **filters: Unpack[Filters]
    ) -> Json:
        """The list for one user; see `RatingTables.recommend`. With `ucb_scale` each item also has its "std"."""
        answer = self.recommender.answer(user, ListRequest.of(n, exclude_seen, filters))
        return {"items": self._rows(answer, raw), "notes": notes_as_json(answer.notes)}

    def recommend_many(
        self,
        users: Iterable[Any] | None = None,
        n: int = 10,
        exclude_seen: bool = True,
        *,
        raw: bool = False,
        **filters: Unpack[Filters],
    ) -> Json:
        """The lists for many users, for all known ones by default; see `RatingTables.recommend_many`."""
        named = None if users is None else listed(users)
        answers = self.recommender.answer_many(named, ListRequest.of(n, exclude_seen, filters))
        names = self.data.user_ids.vocabulary.to_list() if named is None else named
        lists = [{"user": name, "items": self._rows(answers[at], raw)} for at, name in enumerate(names)]
        return {"users": lists, "notes": notes_as_json(answers.notes)}

    def fold_in(
        self,
        ratings: Mapping[Any, float],
        n: int = 10,
        exclude_seen: bool = True,
        *,
        features: Mapping[str, Any] | None = None,
        raw: bool = False,
        **filters: Unpack[Filters],
    ) -> Json:
        """The list for a user who is not in the training data, from a few ratings; see `RatingTables.fold_in`.

        Args:
            features: of draws: values of columns of the users' side table; those not given count as missing.

        Raises:
            VectableError: features for another model, or a column that it does not know.
        """
        require(
            features is None or self.by_features, "This model knows new users by their ratings alone, not by features."
        )
        notes, request = Notes(), ListRequest.of(n, exclude_seen, filters)
        known = given_ratings(self.data, ratings, True, notes)
        folded = self.fold(*known) if features is None else self.fold(*known, features)
        answer = folded.answer(request, notes)
        return {"items": self._rows(answer, raw), "notes": notes_as_json(notes)}

    def predict(self, rows: Sequence[Mapping[str, Any]], *, raw: bool = False, return_std: bool = False) -> Json:
        """Predicted ratings of rows; see `RatingTables.predict`.

        Args:
            return_std: also "std", the standard deviation of each expected rating.

        Raises:
            VectableError: return_std for a single model, which does not know how sure it is.
        """
        notes = Notes()
        users, items = pairs_of(self.data, rows, notes)
        mean, std = self.predict_codes(users, items, times_of(rows, self.timestamp))
        require(not return_std or std is not None, NEEDS_SPREAD)
        found: Json = {"predictions": self.recommender.shown(mean.astype(np.float32), raw).tolist()}
        if return_std and std is not None:
            found["std"] = std.astype(np.float32).tolist()
        return {**found, "notes": notes_as_json(notes)}

    def similar(self, item: Any, n: int = 10, min_ratings: int | None = None) -> Json:
        """The `n` items most like `item` (id or title); see `RatingTables.similar`."""
        check_neighbours(n, min_ratings)
        codes, alike = self.recommender.similar(find_code(self.data, item, True), n, min_ratings)
        return {"items": self._items.rows(codes, similarity=alike), "notes": []}

    def explain(self, user: Any, item: Any, n: int = 5, of: Literal["list", "rating"] = "list") -> Json:
        """Why an item has its place in the lists, or with of="rating" its prediction; see `RatingTables.explain`."""
        check_of(of)
        notes = Notes()
        known: Any = self.recommender
        code = int(find_codes(self.data, [user], False, notes)[0])
        target, row, seen = find_code(self.data, item, True), known.row_of(code), known.seen_by(code)
        terms = known.reasons(row, seen, target, n) if of == "list" else known.explain_row(row, *seen, target, n)
        return {"terms": terms_as_json(terms, self._items), "notes": notes_as_json(notes)}

    def _rows(self, answer: Answer, raw: bool) -> list[Json]:
        figures = {"score": answer.scores} if answer.own_scores else {}
        figures["prediction"] = self.recommender.shown(answer.predictions, raw)
        figures |= {} if answer.std is None else {"std": answer.std}
        return self._items.rows(answer.items, **figures)

    @cached_property
    def _items(self) -> NamedItems:
        return NamedItems(self.data, "ratings")
