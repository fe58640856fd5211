"""What any trained model of ratings answers: what to recommend to whom and why, and how good its lists are."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Unpack

from vectable.ratings.rating_insight import RatingInsight
from vectable.recommending.answer import Notes
from vectable.recommending.folded_user import FoldedUser
from vectable.recommending.names import find_code, find_codes
from vectable.recommending.presenting import check_of, list_frame, lists_frame, reasons_frame, warn_of
from vectable.recommending.ranking import rank_all_items, same_for_all
from vectable.recommending.request import Filters, ListRequest
from vectable.training.saved_as_folder import needs_training_data


class RatingAnswers(RatingInsight):
    """The questions that a learner of ratings answers, however it was trained."""

    serving: bool

    def recommend(
        self, user: Any, n: int = 10, exclude_seen: bool = True, *, raw: bool = False, **filters: Unpack[Filters]
    ) -> Any:
        """The `n` best items for one user: by predicted rating, or by who would take what (``lists="interactions"``).

        A user who is not in the training data gets what the average user likes best (or what most users took), with a
        warning.

        Args:
            user: id.
            exclude_seen: leave out what the user rated in training.
            raw: show predictions that lie beyond the rating scale, as they are ranked, instead of clipping them.
            filters: conditions of the list, all of them optional; see `vectable.recommending.request.ListRequest`.
                candidates: only these items (ids or titles). exclude: none of these. min_ratings: only items with at
                least this many training ratings. max_per: at most this many items per value of a column of the items'
                side table, ``{"author": 2}``. diversity: 0 to 1, how much items of the list should differ. novelty:
                lifts what few have rated, by dividing scores by the number of ratings to this power. ucb_scale: rank by
                prediction plus this many standard deviations, which a column "std" then shows, whatever ranks the lists
                otherwise; needs draws or an ensemble.

        Returns:
            A table of items, best first, with the prediction and the number of ratings each has; and with the score
            where it ranks and not the prediction.

        Raises:
            VectableError: an argument out of range, or one that does not exist.
        """
        answer = self.recommender.answer(user, ListRequest.of(n, exclude_seen, filters))
        return list_frame(self.recommender, answer, raw)

    def recommend_many(
        self,
        users: Iterable[Any] | None = None,
        n: int = 10,
        exclude_seen: bool = True,
        *,
        raw: bool = False,
        **filters: Unpack[Filters],
    ) -> Any:
        """Lists for many users (all known ones by default): a table with a row per user and item, and its rank.

        Memory is bounded for any number of users. The arguments are those of `recommend`.
        """
        users = [users] if isinstance(users, str) or not (users is None or isinstance(users, Iterable)) else users
        users = users if users is None or hasattr(users, "__len__") else list(users)
        answers = self.recommender.answer_many(users, ListRequest.of(n, exclude_seen, filters))
        return lists_frame(self.recommender, users, answers, raw)

    def fold_in(self, ratings: Mapping[Any, float]) -> FoldedUser:
        """A user who is not in the training data, from a few ratings by item id or title; nothing is trained or kept.

        Raises:
            VectableError: a rating that is not a number, or not on the scale of the training ratings.
        """
        return FoldedUser.of(self.recommender, ratings)

    def explain(self, user: Any, item: Any, n: int = 5, of: Literal["list", "rating"] = "list") -> Any:
        """Why an item has its place in a user's lists: a table of terms that add up, each with its meaning.

        Where the expected rating ranks the lists it is explained, in rating points: "mean" is what the average user
        gives the average item; "user" and "item" how far these two are from average; "taste" how well they suit each
        other, of which the `n` seen items that contribute most follow ("because"), with the number of ratings each has,
        and the rest. With ``lists="interactions"`` the "score" is explained: the `n` rated items that add most to it,
        and the rest; the "prediction" beside has no part in it.

        Args:
            of: "rating" explains the expected rating whatever ranks the lists.
        """
        notes, known = Notes(), self.recommender
        code = int(find_codes(self.data, [user], False, notes)[0])
        item_code = find_code(self.data, item, True)
        check_of(of)
        warn_of(notes)
        row, seen = known.row_of(code), known.seen_by(code)
        terms = known.reasons(row, seen, item_code, n) if of == "list" else known.explain_row(row, *seen, item_code, n)
        return reasons_frame(self.data, terms)

    @needs_training_data
    def ranking(self, k: int = 10, relevant: float | None = None) -> dict[str, Any]:
        """NDCG, recall and hit rate at `k` over all items, seen ones left out; the same for popularity and bias alone.

        Args:
            relevant: held-out ratings of at least this much are what a list should find; by default the training mean.
        """
        scorers = {
            "model": self.recommender.list_scores,
            "popularity": same_for_all(self.data.item_counts),
            "bias": same_for_all(self.recommender.baseline.item_bias),
        }
        return rank_all_items(self.data, scorers, k, relevant)

    def closest_liked(self, user: Any, items: Iterable[Any]) -> list[tuple[str, float] | None]:
        """For each item the one most like it among those that the user rated at or above their mean: name and rating.

        A reason in one line; `explain` gives the whole account. None for a user without training ratings.
        """
        codes = self._codes_named(items, True)
        seen, ratings = self.recommender.seen_by(int(self._codes_named([user], False)[0]))
        if len(seen) == 0:
            return [None for _ in codes]
        liked = ratings >= ratings.mean()
        seen, ratings = seen[liked], ratings[liked]
        at = self.recommender.most_alike(codes, seen)
        names = self.data.item_names(seen[at]).to_list()
        return list(zip(names, ratings[at].tolist(), strict=True))
