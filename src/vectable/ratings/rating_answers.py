"""What any trained model of ratings answers: how good its lists are, what it learned, what to recommend, and why."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.frames import to_polars
from vectable.data.ratings.ratings_data import Ratings, RatingsData
from vectable.errors import require_columns
from vectable.insight.components import principal_components
from vectable.insight.neighbours import nearest
from vectable.recommending.folded_user import FoldedUser
from vectable.recommending.names import find_codes, tell_unknown
from vectable.recommending.ranking import rank_all_items, same_for_all
from vectable.recommending.recommender import Recommender, check_length
from vectable.training.metrics import mae, rmse

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class RatingAnswers:
    """The questions that a learner of ratings answers, however it was trained.

    The learner brings `data`, a `recommender`, and as `_rater` the model, with rows for users and items.
    """

    data: RatingsData

    @property
    def _rater(self) -> Any:
        """The model, known to have rows for users and items."""
        raise NotImplementedError

    @property
    def recommender(self) -> Recommender:
        """Answers from the weights as they are now."""
        raise NotImplementedError

    # ---------------------------------------------------------------- how good is it

    def ranking(self, k: int = 10, relevant: float | None = None) -> dict[str, Any]:
        """NDCG, recall and hit rate at `k` over all items, seen ones left out, beside popularity and bias alone.

        Args:
            relevant: held-out ratings of at least this much are what a list should find; by default the training mean.
        """
        scorers = {
            "model": self.recommender.scores,
            "popularity": same_for_all(self.data.item_counts),
            "bias": same_for_all(self.recommender.baseline.item_bias),
        }
        return rank_all_items(self.data, scorers, k, relevant)

    # ---------------------------------------------------------------- what did it learn

    def bias(self, names: Iterable[Any], is_item: bool = True) -> NDArray[np.float32]:
        """Biases of items (or users) by id or title, (names,): how far above what factors explain they are rated."""
        codes = find_codes(self.data, names, is_item)
        return self._rater.biases(is_item).cpu().numpy()[codes]  # type: ignore[no-any-return]

    def weight(self, names: Iterable[Any], is_item: bool = True) -> NDArray[np.float32]:
        """Factors of items (or users) by id or title, (names, n_factors); an ensemble's members side by side."""
        codes = find_codes(self.data, names, is_item)
        return self._rater.vectors(is_item).cpu().numpy()[codes]  # type: ignore[no-any-return]

    def biases(self, top: int = 1000) -> Any:
        """The `top` most-rated items: bias beside plain mean rating and number of ratings, highest bias first."""
        codes = self._most_rated(top)
        bias = self._rater.biases(True).cpu().numpy()[codes]
        shown = self.data.item_frame(
            codes, bias=bias, mean_rating=self.data.item_means[codes], ratings=self.data.item_counts[codes]
        )
        return self.data.to_native(shown.sort("bias", descending=True))

    def components(self, k: int = 3, top: int = 1000) -> tuple[Any, NDArray[np.float64]]:
        """The `top` most-rated items on the first `k` principal components of their factors.

        Returns:
            A table with a column a component ("factor 0", ...), and the share of variance each explains, (k,).
        """
        codes = self._most_rated(top)
        scores, shares = principal_components(self._item_vectors()[codes], k)
        columns = {f"factor {at}": scores[:, at] for at in range(k)}
        return self.data.to_native(self.data.item_frame(codes, **columns)), shares

    def map(self, x: int = 0, y: int = 1, show: int = 50, top: int = 1000, path: str | None = None) -> "Figure":
        """The `show` most-rated items on components `x` and `y` (found over the `top` most-rated), with their names."""
        from vectable.insight.factor_map import labelled_map

        codes = self._most_rated(top)
        scores, shares = principal_components(self._item_vectors()[codes], max(x, y) + 1)
        names = [f"factor {at} ({shares[at]:.0%} of the variance)" for at in (x, y)]
        labels = self.data.item_names(codes[:show]).to_list()
        return labelled_map(scores[:show][:, [x, y]], labels, (names[0], names[1]), path)

    def similar(self, item: Any, n: int = 10) -> Any:
        """The `n` items whose factors point the way of those of `item` (id or title), by cosine."""
        check_length(n)
        code = int(find_codes(self.data, [item], True, must_exist=True)[0])
        codes, cosines = nearest(self._item_vectors(), code, n)
        return self.data.to_native(self.data.item_frame(codes, similarity=cosines))

    def explain(self, user: Any, item: Any, n: int = 5) -> Any:
        """Why this prediction: a table of terms that add up to it, in rating points.

        "mean" is what the average user gives the average item; "user" and "item" how far these two are from average;
        "taste" how well they suit each other, of which the `n` seen items that contribute most follow, with the rest.
        """
        return self.recommender.explain(user, item, n)

    # ---------------------------------------------------------------- recommending

    def recommend(
        self,
        user: Any,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
    ) -> Any:
        """The `n` items with the highest predicted rating for one user.

        A user that training never showed gets what the average user likes best, and the caller is told.

        Args:
            user: id.
            exclude_seen: leave out what the user rated in training.
            candidates: only these items (ids or titles).
            exclude: none of these.
            min_ratings: only items with at least so many training ratings.

        Returns:
            A table of items, best first, with the prediction and the number of ratings each has.
        """
        return self.recommender.recommend(user, n, exclude_seen, candidates, exclude, min_ratings)

    def recommend_many(
        self,
        users: Iterable[Any] | None = None,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
    ) -> Any:
        """The same for many users (all known ones by default), a row a user and item, in blocks of bounded memory."""
        return self.recommender.recommend_many(users, n, exclude_seen, candidates, exclude, min_ratings)

    def fold_in(self, ratings: Mapping[Any, float]) -> FoldedUser:
        """A user the model never saw, from a few ratings by item id or title; nothing is trained, nothing is kept."""
        return self.recommender.fold_in(ratings)

    # ---------------------------------------------------------------- exporting

    def export_vectors(self, path: str | Path, is_item: bool = True) -> list[Path]:
        """Write id, name, number of ratings, bias and factors of every item (or user).

        `.parquet`, `.arrow` and `.csv` give one table; `.tsv` the pair that the TensorBoard projector reads: the
        vectors, and beside them `..._metadata.tsv`.

        Returns:
            The files written.
        """
        from vectable.insight.vectors import export_vectors

        data, ids = self.data, self.data.item_ids if is_item else self.data.user_ids
        codes = np.arange(1, len(ids), dtype=np.int32)
        counts = data.item_counts if is_item else np.diff(data.by_user[0])
        about = data.item_frame(codes) if is_item else pl.DataFrame({data.columns.user: ids.vocabulary})
        about = about.with_columns(pl.Series("ratings", counts[1:]))
        if self._has_biases:
            about = about.with_columns(pl.Series("bias", self._rater.biases(is_item).cpu().numpy()[1:]))
        return export_vectors(Path(path), about, self._rater.vectors(is_item).cpu().numpy()[1:])

    # ---------------------------------------------------------------- inside

    @property
    def _has_biases(self) -> bool:
        """Whether the model has a bias for every user and item."""
        return True

    def _codes_of(self, df: Any) -> tuple[pl.DataFrame, NDArray[np.int32], NDArray[np.int32]]:
        """A table with its user and item codes, (rows,); how many are unknown is told."""
        frame, _ = to_polars(df)
        columns = self.data.columns
        require_columns([columns.user, columns.item], frame.columns, "The table")
        users = self.data.user_ids.encode(frame[columns.user])
        items = self.data.item_ids.encode(frame[columns.item])
        tell_unknown(columns.user, users)
        tell_unknown(columns.item, items)
        return frame, users, items

    def _baseline_errors(self) -> dict[str, dict[str, float]]:
        """Errors on the validation ratings of their mean alone, and of that mean plus biases of user and item."""
        held_out = self.data.valid_ratings
        guesses = {
            "global mean": np.full(len(held_out), self.data.mean_rating),
            "biases": self.recommender.baseline.predict(held_out.user, held_out.item),
        }
        return {name: errors_of(held_out, guess) for name, guess in guesses.items()}

    def _most_rated(self, top: int) -> NDArray[np.int32]:
        counts = self.data.item_counts
        return np.argsort(-counts[1:], kind="stable")[:top].astype(np.int32) + 1

    def _item_vectors(self) -> NDArray[np.float32]:
        return self._rater.vectors(True).cpu().numpy()  # type: ignore[no-any-return]


def errors_of(held_out: Ratings, guess: NDArray[Any]) -> dict[str, float]:
    """Mean squared error (as valid_loss), rmse and mae of guesses for held-out ratings."""
    if len(held_out) == 0:
        return dict.fromkeys(("valid_loss", "rmse", "mae"), float("nan"))
    error = rmse(guess, held_out.rating)
    return {"valid_loss": error**2, "rmse": error, "mae": mae(guess, held_out.rating)}
