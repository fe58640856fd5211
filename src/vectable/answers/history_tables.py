"""A model of interactions and what it knows of users and items, ready to answer as JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.answers.json_rows import frame_of_rows
from vectable.answers.named_items import Json, NamedItems
from vectable.answers.notes_as_json import notes_as_json
from vectable.artifact import ArrayContents
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.interactions.saved_interactions import from_saved
from vectable.folder_schema import mapping, part
from vectable.interactions.folded_history import history_of
from vectable.interactions.history_recommender import HistoryRecommender, history_request
from vectable.interactions.model_parts import model_from_parts, saved_directions
from vectable.interactions.new_row_parts import new_rows_from_parts
from vectable.interactions.new_rows import NewRows, need_new_rows
from vectable.interactions.presenting import strongest_reasons
from vectable.recommending.answer import Answer, Notes
from vectable.recommending.likeness import check_neighbours
from vectable.recommending.names import find_code, listed
from vectable.recommending.request import ListRequest


@dataclass(frozen=True)
class HistoryTables:
    """Answers of a model of interactions, as JSON values; made by `load_answers`.

    It never changes and may be asked from many threads at once: every call takes its own notes.

    Attributes:
        recommender: the model and the interactions.
        version: twelve hexadecimal digits that tell this folder from any other.
        new: what knows new users and items by their columns; None where the model was trained without.
    """

    recommender: HistoryRecommender
    version: str
    new: NewRows | None = None

    @property
    def data(self) -> InteractionsData:
        """Names, titles, and what each user has met."""
        return self.recommender.data

    def recommend(self, user: Any, n: int = 10, exclude_seen: bool = True, **filters: Any) -> Json:
        """The list for one user; see `InteractionLearner.recommend`, whose arguments these are.

        Returns:
            ``{"items": [{"item", "title", "score", "count"}], "notes": [...]}``, best first; "title" only where there
            are titles.

        Raises:
            VectableError: an argument out of range, or one that does not exist.
        """
        answers = self.recommender.answer([user], *history_request(n, exclude_seen, filters))
        return {"items": self._rows(answers[0]), "notes": notes_as_json(answers.notes)}

    def recommend_many(
        self, users: Iterable[Any] | None = None, n: int = 10, exclude_seen: bool = True, **filters: Any
    ) -> Json:
        """The lists for many users, for all known ones by default; the arguments are those of `recommend`.

        Returns:
            ``{"users": [{"user", "items": [...]}], "notes": [...]}``, in the order in which they were asked for.
        """
        named = None if users is None else listed(users)
        answers = self.recommender.answer(named, *history_request(n, exclude_seen, filters))
        names = self.data.user_ids.vocabulary.to_list() if named is None else named
        lists = [{"user": name, "items": self._rows(answers[at])} for at, name in enumerate(names)]
        return {"users": lists, "notes": notes_as_json(answers.notes)}

    def fold_in(
        self,
        items: Iterable[Any] | Mapping[Any, float],
        n: int = 10,
        exclude_seen: bool = True,
        *,
        features: Mapping[str, Any] | None = None,
        **filters: Any,
    ) -> Json:
        """The list for somebody new by basket or session, the latest last: ``["Tea", "Milk"]`` or ``{"Tea": 12}``.

        Args:
            exclude_seen: leave out the items that were given.
            features: values of columns of the users' side table; see `InteractionLearner.fold_in`.

        Returns:
            As `recommend`.

        Raises:
            VectableError: a count that is not a number above 0; features, of which the model was trained without, or a
                column that it does not know.
        """
        request, novelty = history_request(n, exclude_seen, filters)
        notes, known = Notes(), self.recommender
        history = history_of(self.data, items, notes)
        if features is not None:
            known = need_new_rows(self.new).recommender(known, features)
        answers = known.answer_histories(history, request, novelty, notes)
        return {"items": self._rows(answers[0]), "notes": notes_as_json(notes)}

    def recommend_new(self, items: Sequence[Mapping[str, Any]], users: Any = None, n: int = 10) -> Json:
        """Who would want items that nobody has met yet; or which of them some users would.

        Args:
            items: each a mapping with its id and columns of the items' side table.
            users: a list of ids; by default the users are found.
            n: users of each item, or items of each user.

        Returns:
            ``{"items": [{"item", "title", "users": [{"user", "score"}]}], "notes": [...]}``, or for users
            ``{"users": [{"user", "items": [{"item", "title", "score"}]}], "notes": [...]}``, best first.

        Raises:
            VectableError: the model was trained without columns of items, or an item without id.
            DataError: the items have none of these columns.
        """
        request, notes, data = ListRequest(n), Notes(), self.data
        rows = need_new_rows(self.new)
        new = rows.new_items(data, frame_of_rows(items, [data.columns.item], "item"), notes)
        about = new.about.rename({data.columns.item: "item"}).to_dicts()
        if users is None:
            codes, scores = new.takers(data, self._known_users, request.n)
            names = data.user_ids.decode(codes.ravel().astype(np.int32)).to_list()
            known = [{"user": name, "score": one} for name, one in zip(names, scores.ravel().tolist(), strict=True)]
            width = codes.shape[1]
            found = [one | {"users": known[at * width : (at + 1) * width]} for at, one in enumerate(about)]
            return {"items": found, "notes": notes_as_json(notes)}
        named = listed(users)
        places, scores = new.of_users(data, self._known_users, named, request.n, notes)
        lists = [
            {"user": name, "items": [about[at] | {"score": one} for at, one in zip(row, of_row, strict=True)]}
            for name, row, of_row in zip(named, places.tolist(), scores.tolist(), strict=True)
        ]
        return {"users": lists, "notes": notes_as_json(notes)}

    def similar(self, item: Any, n: int = 10, min_ratings: int | None = None) -> Json:
        """The `n` items met by the same kind of users as `item` (id or title); see `InteractionLearner.similar`.

        Returns:
            ``{"items": [{"item", "title", "similarity", "count"}], "notes": []}``, the most alike first.

        Raises:
            UnknownNameError: the item is not in the training data.
        """
        check_neighbours(n, min_ratings)
        codes, cosines = self.recommender.similar(find_code(self.data, item, True), n, min_ratings or 1)
        return {"items": self._items.rows(codes, similarity=cosines), "notes": []}

    def explain(self, user: Any, item: Any, n: int = 5) -> Json:
        """Why this score: the `n` items of the user's history that add most to it; see `InteractionLearner.explain`.

        Returns:
            ``{"terms": [{"term", "item", "title", "points"}], "notes": []}``: "score", then the entries ("because"),
            then "everything else", which names no item.

        Raises:
            UnknownNameError: the user or the item is not in the training data.
        """
        code, target = find_code(self.data, user, False), find_code(self.data, item, True)
        return self._reasons(*self.data.train.of(code), target, n)

    def explain_new(self, items: Iterable[Any] | Mapping[Any, float], item: Any, n: int = 5) -> Json:
        """The same for somebody new by basket or session; see `fold_in`."""
        notes, target = Notes(), find_code(self.data, item, True)
        history = history_of(self.data, items, notes)
        return {**self._reasons(*history.of(0), target, n), "notes": notes_as_json(notes)}

    def _reasons(self, items: NDArray[np.int32], counts: NDArray[np.float32], target: int, n: int) -> Json:
        """What of a history adds up to the score of an item."""
        terms = strongest_reasons(items, *self.recommender.reasons(items, counts, target), target, n)
        named = [(term, self._items.name(at) if at else {}, points) for term, at, points in terms]
        return {"terms": [{"term": term, **name, "points": points} for term, name, points in named], "notes": []}

    def _rows(self, answer: Answer) -> list[Json]:
        return self._items.rows(answer.items, score=answer.scores)

    @cached_property
    def _known_users(self) -> NDArray[np.float32]:
        """Factors of the known users, found when they are first asked for."""
        return need_new_rows(self.new).known_users(self.data)

    @cached_property
    def _items(self) -> NamedItems:
        return NamedItems(self.data, "count")


def history_tables(contents: ArrayContents) -> HistoryTables:
    """What answers from the contents of a model of interactions.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    data = from_saved(contents.arrays, contents.tables, contents.settings.get("data"))
    learner = part(contents.settings, "learner", mapping, "settings.")
    model = model_from_parts(part(learner, "model", mapping, "learner."), contents.arrays, len(data.item_ids))
    new = new_rows_from_parts(learner.get("new_rows"), contents.arrays, model, len(data.item_ids))
    known = HistoryRecommender(model, data, saved_directions(contents.arrays, data))
    tables = HistoryTables(known, contents.version, new)
    tables.recommend("", 1)  # the first questions compile the kernels and make the lists of names
    tables.fold_in([], 1)
    return tables
