"""A trained model and its ratings, ready to answer: what to recommend to whom, and why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import is_finite, is_whole, require
from vectable.insight.neighbours import cosines
from vectable.recommending.baselines import BiasBaseline
from vectable.recommending.fold_in import UserPrior
from vectable.recommending.folded_user import FoldedUser
from vectable.recommending.names import find_codes, tell_unknown
from vectable.recommending.optimism import Optimistic
from vectable.recommending.reasons import explain_row
from vectable.recommending.top_n import top_items

NOISE_ROWS = 100_000  # training rows looked at to know a model's error
NOTHING = np.zeros(0, dtype=np.int32)
MEAN_USER = "the list is what the average user likes best"


def check_length(n: int) -> None:
    """Raise a sentence unless `n` is a length that a list can have."""
    require(is_whole(n, 1), f"n is {n!r}; a list has at least 1 item.")


class Recommender:
    """Answers from weights that stay as they are; training makes a new one.

    Args:
        model: one that has rows for users and scores for items (`EmbeddingDotBias`, `EmbeddingNet`, `Ensemble`).
        members: the models that it is made of, itself if it is none of several.
        data: the ratings that it was trained on.
        priors: what each member knows of a user before any rating; by default found from the trained users.
    """

    def __init__(
        self, model: Any, members: Sequence[Any], data: RatingsData, priors: Sequence[UserPrior] | None = None
    ) -> None:
        self.model, self.members, self.data = model.eval(), members, data
        self._known_priors = priors
        self.device = next(model.parameters()).device

    # ---------------------------------------------------------------- lists

    def recommend(self, user: Any, n: int, exclude_seen: bool, *filters: Any) -> Any:
        """The best items for one user; see `CollabLearner.recommend`."""
        code = int(find_codes(self.data, [user], False, MEAN_USER)[0])
        seen = self.seen_by(code)[0] if exclude_seen else NOTHING
        return self.list_for(self.row_of(code), seen, n, *filters)

    def recommend_many(self, users: Iterable[Any] | None, n: int, exclude_seen: bool, *filters: Any) -> Any:
        """The best items for many users; see `CollabLearner.recommend_many`."""
        check_length(n)
        ids = self.data.user_ids
        users = [users] if isinstance(users, str) or not (users is None or isinstance(users, Iterable)) else users
        asked = ids.vocabulary if users is None else pl.Series(list(users), strict=False)
        codes = np.arange(1, len(ids), dtype=np.int32) if users is None else ids.encode(asked)
        tell_unknown(self.data.columns.user, codes, "they get what the average user likes best")
        lists, scores = top_items(
            lambda part: self.scores(codes[part]),
            len(codes),
            len(self.data.item_ids),
            n,
            seen=(lambda at: self.seen_by(int(codes[at]))[0]) if exclude_seen else None,
            allowed=self._allowed(*filters),
        )
        listed = lists > 0
        of_user, rank = np.nonzero(listed)
        figures = self._figures(lambda user: self.row_of(int(codes[user])), lists, scores)
        shown = self.data.item_frame(lists[listed], rank=rank + 1, **figures)
        name = self.data.columns.user
        shown = shown.rename({name: f"{name}_2"}) if name in shown.columns else shown
        return self.data.to_native(shown.insert_column(0, asked.gather(of_user).alias(name)))

    def list_for(self, row: Tensor, seen: NDArray[np.int32], n: int, *filters: Any) -> Any:
        """The best items for a user's row, (width,), without those `seen`."""
        check_length(n)
        lists, scores = top_items(
            lambda _: self.scores_of_row(row)[None],
            1,
            len(self.data.item_ids),
            n,
            seen=lambda _: seen,
            allowed=self._allowed(*filters),
        )
        codes = lists[0][lists[0] > 0]
        figures = self._figures(lambda _: row, lists, scores)
        shown = self.data.item_frame(codes, **figures, ratings=self.data.item_counts[codes])
        return self.data.to_native(shown)

    def fold_in(self, ratings: Mapping[Any, float]) -> FoldedUser:
        """A user the model never saw; see `CollabLearner.fold_in`."""
        require(isinstance(ratings, Mapping), "fold_in takes a mapping from items to ratings, {'Item A': 5}.")
        for item, value in ratings.items():
            require(is_finite(value), f"The rating of {item!r} is {value!r}; it is a finite number.")
        codes = find_codes(self.data, ratings, True, "they are left out")
        values = np.array(list(ratings.values()), dtype=np.float32)
        return FoldedUser.solve(self, codes[codes > 0], values[codes > 0])

    # ---------------------------------------------------------------- reasons

    def explain(self, user: Any, item: Any, n: int) -> Any:
        """Terms of one prediction; see `CollabLearner.explain`."""
        code = int(find_codes(self.data, [user], False)[0])
        item_code = int(find_codes(self.data, [item], True, must_exist=True)[0])
        return self.reasons(self.row_of(code), *self.seen_by(code), item_code, n)

    def reasons(
        self, row: Tensor, seen: NDArray[np.int32], ratings: NDArray[np.float32], item_code: int, n: int
    ) -> Any:
        """Terms of the prediction for a user's row and an item."""
        return self.data.to_native(explain_row(self.data, self._members_with(row), seen, ratings, item_code, n))

    def alike_seen(self, user: Any, items: Iterable[Any]) -> list[tuple[str, float] | None]:
        """For each item the one most like it among those that the user rated at or above their mean: name and rating.

        A reason in one line; `explain` gives the whole account. None for a user without training ratings.
        """
        seen, ratings = self.seen_by(int(self.data.user_ids.encode([user])[0]))
        if len(seen) == 0:
            return [None for _ in items]
        liked = ratings >= ratings.mean()
        seen, ratings = seen[liked], ratings[liked]
        alike = cosines(self.model.vectors(True).cpu().numpy())
        closest = [int(alike(int(code), seen).argmax()) for code in self.item_codes(items)]
        names = self.data.item_names(seen)
        return [(names[at], float(ratings[at])) for at in closest]

    # ---------------------------------------------------------------- rows and scores

    @cached_property
    def priors(self) -> list[UserPrior]:
        """What each member knows of a user before any rating."""
        if self._known_priors is not None:
            return list(self._known_priors)
        known = self.data.train_ratings
        rows = np.random.default_rng(0).permutation(len(known))[:NOISE_ROWS]
        users, items = (torch.from_numpy(codes[rows]).to(self.device) for codes in (known.user, known.item))
        target = torch.from_numpy(known.rating[rows]).to(self.device)
        with torch.no_grad():
            errors = [float(((member(users, items) - target) ** 2).mean()) for member in self.members]
        return [UserPrior.of(m, self.data.n_users, error) for m, error in zip(self.members, errors, strict=True)]

    @cached_property
    def baseline(self) -> BiasBaseline:
        """Biases of users and items alone."""
        return BiasBaseline.fit(self.data.train_ratings, len(self.data.user_ids), len(self.data.item_ids))

    def scores(self, users: NDArray[np.int32]) -> Tensor:
        """Predicted ratings of every item for user codes, (users, items)."""
        with torch.no_grad():
            rows = self.model.user_rows(torch.from_numpy(users).to(self.device))
            return self.model.score_rows(rows)  # type: ignore[no-any-return]

    def scores_of_row(self, row: Tensor) -> Tensor:
        """Predicted ratings of every item for a user's row, (items,)."""
        with torch.no_grad():
            return torch.as_tensor(self.model.score_rows(row[None].to(self.device))[0]).cpu()

    def row_of(self, code: int) -> Tensor:
        """All the model knows of a user: factors and bias, (width,)."""
        with torch.no_grad():
            return self.model.user_rows(torch.tensor([code], device=self.device))[0]  # type: ignore[no-any-return]

    def seen_by(self, code: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Items and ratings of a user's training rows; none for the unknown."""
        rows = self.data.rows_of(code) if code else NOTHING
        return self.data.train_ratings.item[rows], self.data.train_ratings.rating[rows]

    def item_codes(self, items: Iterable[Any]) -> NDArray[np.int32]:
        """Codes of items by id or title."""
        return find_codes(self.data, items, True)

    def _figures(
        self, row_of: Callable[[int], Tensor], lists: NDArray[np.int32], scores: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        """What lists show of each item: the predicted rating, clipped to the scale; where the standard deviation joins
        the score, the rating without it, and "std".
        """
        listed = lists > 0
        found = {"prediction": scores[listed]}
        if isinstance(self.model, Optimistic):
            both = np.zeros((2, *scores.shape), dtype=np.float32)
            for user, codes in enumerate(lists):
                both[:, user] = np.stack(self.model.mean_and_doubt(row_of(user)))[:, codes]
            found = dict(zip(("prediction", "std"), both[:, listed], strict=True))
        found["prediction"] = found["prediction"].clip(*self.data.rating_range)
        return found

    def _members_with(self, row: Tensor) -> list[tuple[Any, UserPrior, Tensor]]:
        return list(zip(self.members, self.priors, row.chunk(len(self.members)), strict=True))

    def _allowed(
        self,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
    ) -> NDArray[np.bool_]:
        require(is_finite(min_ratings), f"min_ratings is {min_ratings!r}; it is a number of ratings.")
        allowed = self.data.item_counts >= min_ratings
        if candidates is not None:
            wanted = np.zeros_like(allowed)
            wanted[find_codes(self.data, candidates, True, "they are left out")] = True
            allowed &= wanted
        if exclude is not None:
            allowed[find_codes(self.data, exclude, True, "there is nothing to leave out")] = False
        return allowed
