"""A trained model and its ratings, ready to answer: lists, rows of new users, reasons. No frames, no warnings."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.interactions.histories import Histories
from vectable.data.ratings.ratings_data import RatingsData
from vectable.insight.neighbours import nearest
from vectable.models.rating_model import InnerProducts, RatingModel, device_of
from vectable.recommending.answer import Answer, Answers, Notes
from vectable.recommending.baselines import BiasBaseline
from vectable.recommending.filters import allowed_items
from vectable.recommending.fold_in import prior_of, solve_row
from vectable.recommending.inner_products import RankedItems
from vectable.recommending.likeness import Likeness
from vectable.recommending.limits import GroupsByColumn
from vectable.recommending.list_ranker import ListRanker, histories_of
from vectable.recommending.lists import SCORES_A_BLOCK
from vectable.recommending.names import user_of_list, users_of_lists
from vectable.recommending.novelty import lift_rare
from vectable.recommending.reasons import explain_row
from vectable.recommending.request import ListRequest
from vectable.recommending.selection import Selection
from vectable.recommending.terms import Term
from vectable.recommending.top_n import top_items
from vectable.recommending.upper_confidence import MeanAndStd, UpperConfidenceBound, member_mean_and_std
from vectable.recommending.user_row import UserPrior, noise_rows

MANY_USERS = 64  # lists from which on making the items ready costs less than it saves
NOTHING = np.zeros(0, dtype=np.int32)

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]
Known = tuple[Codes, Floats]
"""Items that a user rated, and how high."""


class Recommender:
    """Answers from weights that stay as they are; training makes a new one. Safe to ask from several threads.

    It has more than a dozen methods because it answers each question in two forms: for a user by name, and for a row of
    numbers that need not belong to a known user.

    Args:
        model: any `RatingModel`.
        data: the ratings that it was trained on.
        priors: what each member knows of a user before any rating; by default found from the trained users.
        clips: whether predictions that people see are clipped to the rating scale; ranking never is.
        likeness: what makes two items alike; by default who rates them, and how.
        noise: each member's mean squared error on the training ratings; by default measured.
        lists: gives what ranks the lists instead of the expected rating, which is shown all the same; called when the
            first list is asked for. None, or giving None: the expected rating ranks.
    """

    def __init__(
        self,
        model: RatingModel,
        data: RatingsData,
        priors: Sequence[UserPrior] | None = None,
        clips: bool = True,
        likeness: Likeness | None = None,
        noise: Sequence[float] | None = None,
        lists: Callable[[], ListRanker | None] | None = None,
    ) -> None:
        if isinstance(model, nn.Module):
            model.eval()
        self.model, self.data, self.device = model, data, device_of(model)
        self.scale = data.rating_range if clips else None
        self.likeness = likeness or Likeness()
        self._known_priors, self._known_noise, self._lists_by = priors, noise, lists
        self._groups_of = GroupsByColumn(data)

    # ---------------------------------------------------------------- lists

    def answer(self, user: Any, request: ListRequest) -> Answer:
        """The list for one user, named by id; an unknown one gets the average user's, or with a ranker of its own what
        most users took, with a note."""
        notes = Notes()
        code = user_of_list(self.data, user, notes, self.ranker is not None)
        return self.answer_row(self.row_of(code), self.seen_by(code), request, notes)

    def answer_many(self, users: Iterable[Any] | None, request: ListRequest) -> Answers:
        """The lists for many users, named by id; for all known ones by default."""
        notes = Notes()
        codes = users_of_lists(self.data, users, notes, self.ranker is not None)
        if self._ranks_fast(len(codes), request):
            return self._lists_by_inner_products(codes, request, notes)
        return self._lists(
            lambda part: self.rows_of(codes[part]), len(codes), lambda at: self.seen_by(int(codes[at])), request, notes
        )

    def answer_row(
        self,
        row: Tensor,
        known: Known,
        request: ListRequest,
        notes: Notes | None = None,
        mean_and_std: MeanAndStd | None = None,
    ) -> Answer:
        """The list for a user's row, (width,), who rated these items.

        Args:
            known: item codes and ratings of the user.
            notes: taken so far.
            mean_and_std: of every item for the row, where the members' spread is not all of the uncertainty.
        """
        notes = Notes() if notes is None else notes
        return self._lists(lambda _: row[None], 1, lambda _: known, request, notes, mean_and_std)[0]

    def _lists(
        self,
        rows_of: Callable[[slice], Tensor],
        n_users: int,
        known: Callable[[int], Known],
        request: ListRequest,
        notes: Notes,
        mean_and_std: MeanAndStd | None = None,
    ) -> Answers:
        bound = None
        if request.ucb_scale:
            bound = UpperConfidenceBound(mean_and_std or member_mean_and_std(self.model), request.ucb_scale)
        ranker = self.ranker if bound is None else None
        score_rows = self.model.score_rows if bound is None else bound.score_rows

        def score(part: slice) -> Floats:
            if ranker is not None:
                found = ranker.scores(histories_of([known(at) for at in _numbers(part)]))
            else:
                with torch.no_grad():
                    rows = rows_of(part).to(self.device)
                    few = bound is None and self._has_inner_products and len(rows) < MANY_USERS
                    found = self._scores_of_few(rows) if few else np.asarray(score_rows(rows).cpu().numpy())
            return lift_rare(found, self.data.item_counts, request.novelty)

        items, scores = top_items(
            score,
            n_users,
            len(self.data.item_ids),
            request.n,
            seen=(lambda at: known(at)[0]) if request.exclude_seen else None,
            allowed=allowed_items(self.data, request, notes),
            selection=Selection.of(request, self._groups_of, lambda: self.directions),
        )
        if ranker is not None or (request.novelty and bound is None):
            return Answers(items, scores, self._predictions(rows_of, items), None, notes, own_scores=True)
        if bound is None:
            return Answers(items, scores, scores, None, notes)
        both = np.zeros((2, *items.shape), dtype=np.float32)
        for user, codes in enumerate(items):
            (row,) = rows_of(slice(user, user + 1))
            both[:, user] = np.stack(bound.mean_and_std(row))[:, codes]
        return Answers(items, scores, both[0], both[1], notes)

    @property
    def _has_inner_products(self) -> bool:
        return isinstance(self.model, InnerProducts) and self.device.type == "cpu"

    def _scores_of_few(self, rows: Tensor) -> Floats:
        """As the model's `score_rows`, of few users: on so little torch would only wait for its threads."""
        assert isinstance(self.model, InnerProducts)
        users = rows.detach().numpy()
        sums = users[:, :-1] @ self.model.vectors(True).numpy().T
        sums += users[:, -1:]
        sums += self.model.biases(True).numpy()
        return np.asarray(self.model.squash(torch.from_numpy(sums)).numpy())

    def _ranks_fast(self, n_users: int, request: ListRequest) -> bool:
        """Whether lists are the highest inner products, of so many users that it is worth to make the items ready."""
        others = request.max_per or request.diversity or request.ucb_scale or request.novelty
        plain = not others and self.ranker is None
        return plain and self._has_inner_products and n_users >= MANY_USERS

    def _lists_by_inner_products(self, codes: Codes, request: ListRequest, notes: Notes) -> Answers:
        """The lists of many users by the sums of inner products and biases, whose order is that of the predictions."""
        assert isinstance(self.model, InnerProducts)
        allowed = allowed_items(self.data, request, notes)
        ranked = self._ranked_items if allowed is None else self._ranked(allowed)
        seen = self._histories.take(codes) if request.exclude_seen else None
        items, sums = ranked.best(self.model.vectors(False).numpy()[codes], seen, request.n)
        sums += self.model.biases(False).numpy()[codes, None]
        scores = self.model.squash(torch.from_numpy(sums)).detach().numpy()
        scores[items == 0] = -np.inf
        return Answers(items, scores, scores, None, notes)

    @cached_property
    def _ranked_items(self) -> RankedItems:
        return self._ranked(None)

    def _ranked(self, allowed: NDArray[np.bool_] | None) -> RankedItems:
        return RankedItems.of(self.model.vectors(True).numpy(), self.model.biases(True).numpy(), allowed)

    @cached_property
    def _histories(self) -> Histories:
        """Items and ratings of every user's training rows, by code; the unknown has none."""
        starts, rows = self.data.by_user
        known = self.data.train_ratings
        return Histories(np.append(starts[1], starts[1:]), known.item[rows], known.rating[rows])

    def _predictions(self, rows_of: Callable[[slice], Tensor], items: Codes) -> Floats:
        """Expected ratings of listed items, (users, n), in blocks of users."""
        found = np.empty(items.shape, dtype=np.float32)
        block = max(1, SCORES_A_BLOCK // len(self.data.item_ids))
        for first in range(0, len(items), block):
            part = slice(first, min(first + block, len(items)))
            with torch.no_grad():
                table = self.model.score_rows(rows_of(part).to(self.device)).cpu().numpy()
            found[part] = np.take_along_axis(table, items[part].astype(np.int64), axis=1)
        return found

    @cached_property
    def ranker(self) -> ListRanker | None:
        """What ranks the lists; None where the expected rating does."""
        return None if self._lists_by is None else self._lists_by()

    def list_scores(self, users: Codes) -> Tensor:
        """What ranks the lists of user codes, (users, items)."""
        if self.ranker is None:
            return self.scores(users)
        return torch.from_numpy(self.ranker.scores(histories_of([self.seen_by(int(code)) for code in users])))

    # ---------------------------------------------------------------- new users, reasons

    def fold_in(self, seen: Codes, ratings: Floats) -> Tensor:
        """The row of a user known by `ratings` of the items `seen`, the members' side by side, (width,)."""
        pairs = zip(self.model.members, self.priors, strict=True)
        return torch.cat([solve_row(member, prior, seen, ratings) for member, prior in pairs])

    def explain_row(self, row: Tensor, seen: Codes, ratings: Floats, item: int, n: int) -> list[Term]:
        """Terms of the prediction of an item for a user's row; see `reasons.explain_row`."""
        members = self.model.members
        parts = list(zip(members, self.priors, row.chunk(len(members)), strict=True))
        return explain_row(parts, seen, ratings, item, n, self.scale)

    def reasons(self, row: Tensor, known: Known, item: int, n: int) -> list[Term]:
        """Why an item has its place in the lists of a user: of the expected rating, or of what ranks instead."""
        if self.ranker is None:
            return self.explain_row(row, *known, item, n)
        prediction = float(self.shown(self.scores_of_row(row)[[item]])[0])
        return self.ranker.reasons(*known, item, n, prediction)

    def similar(self, item: int, n: int, min_ratings: int | None = None) -> tuple[Codes, Floats]:
        """Codes of up to `n` items most like one, and how like it, -1 to 1, the most alike first.

        Args:
            min_ratings: which a neighbour must have; by default 5, or none where most items have fewer.
        """
        counts = self.data.item_counts
        fewest = self.likeness.fewest_ratings(counts) if min_ratings is None else min_ratings
        return nearest(self.directions, item, n, self.likeness.weights(counts), counts >= fewest)

    def most_alike(self, items: Codes, others: Codes) -> NDArray[np.intp]:
        """For each of `items` the place of the one of `others` whose vector points most the same way, (items,)."""
        return np.asarray((self.directions[items] @ self.directions[others].T).argmax(axis=1))

    # ---------------------------------------------------------------- rows and scores

    @cached_property
    def priors(self) -> list[UserPrior]:
        """What each member knows of a user before any rating."""
        if self._known_priors is not None:
            return list(self._known_priors)
        errors = self._known_noise or self._training_errors()
        pairs = zip(self.model.members, errors, strict=True)
        return [prior_of(member, self.data.n_users, error) for member, error in pairs]

    def _training_errors(self) -> list[float]:
        """Mean squared error of each member on the training ratings, of very many on a fixed random sample."""
        known = self.data.train_ratings
        rows = noise_rows(len(known))
        users, items = (torch.from_numpy(codes[rows]).to(self.device) for codes in (known.user, known.item))
        target = torch.from_numpy(known.rating[rows]).to(self.device)
        with torch.no_grad():
            return [float(((member(users, items) - target) ** 2).mean()) for member in self.model.members]

    @cached_property
    def baseline(self) -> BiasBaseline:
        """Biases of users and items alone."""
        return BiasBaseline.fit(self.data.train_ratings, len(self.data.user_ids), len(self.data.item_ids))

    @cached_property
    def directions(self) -> Floats:
        """Vectors of the items of length 1, by which they are compared, (items + 1, width); see `likeness`."""
        return self.likeness.directions(self.model, self.data)

    def scores(self, users: Codes) -> Tensor:
        """Predicted ratings of every item for user codes, (users, items); not clipped."""
        with torch.no_grad():
            return self.model.score_rows(self.rows_of(users))

    def scores_of_row(self, row: Tensor) -> Floats:
        """Predicted ratings of every item for a user's row, (items,); not clipped."""
        with torch.no_grad():
            return np.asarray(self.model.score_rows(row[None].to(self.device))[0].cpu().numpy())

    def shown(self, predictions: Floats, raw: bool = False) -> Floats:
        """Predictions as people see them: clipped to the rating scale unless `raw`."""
        return predictions if raw or self.scale is None else predictions.clip(*self.scale)

    def rows_of(self, users: Codes) -> Tensor:
        """All that the model knows of some users, (users, width)."""
        with torch.no_grad():
            return self.model.user_rows(torch.from_numpy(users).to(self.device))

    def row_of(self, code: int) -> Tensor:
        """All that the model knows of a user, (width,)."""
        return self.rows_of(np.array([code], dtype=np.int32))[0]

    def seen_by(self, code: int) -> tuple[Codes, Floats]:
        """Items and ratings of a user's training rows; none for the unknown."""
        rows = self.data.rows_of(code) if code else NOTHING
        return self.data.train_ratings.item[rows], self.data.train_ratings.rating[rows]


def _numbers(part: slice) -> range:
    return range(part.start, part.stop)
