"""Users and items that no interaction shows, known by the columns of their side tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.side_tables import read_side_table
from vectable.errors import DataError, VectableError, quote_some, require
from vectable.factorising.als import NO_PRIOR
from vectable.factorising.history_models import FactorModel, FactorRows
from vectable.factorising.sparse_rows import SparseRows
from vectable.interactions.candidates import to_rows
from vectable.interactions.history_recommender import HistoryRecommender
from vectable.interactions.interaction_features import InteractionFeatures
from vectable.recommending.answer import Notes
from vectable.recommending.names import find_codes

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

ITEMS_AT_A_TIME = 64


@dataclass(frozen=True)
class WithPrior(FactorModel):
    """Factors of a user who shrinks towards what their columns lead to expect; without a history they are just that.

    Attributes:
        prior: (1, width).
    """

    prior: Floats = field(default_factory=lambda: NO_PRIOR)

    def user_rows(self, histories: SparseRows) -> FactorRows:
        """The factors of users with these histories and these columns."""
        priors = np.repeat(self.prior, len(histories), axis=0)
        rows = self.als.user_rows(self.weighing.apply(histories), prior=priors)
        nothing = histories.lengths == 0
        rows[nothing] = priors[nothing]
        return FactorRows(rows)


class PriorRecommender(HistoryRecommender):
    """Answers for one user with columns: without a history too there is something to say but what is popular."""

    def scores(self, rows: Any, lengths: NDArray[np.int64]) -> Floats:
        """Scores of every item, by history and columns."""
        return self.model.score_rows(rows)

    def reasons(self, items: Any, counts: Floats, target: int) -> tuple[NDArray[np.float64], float]:
        """What each entry of a history adds, (entries,), and the score, in which the columns have the rest."""
        points, _ = super().reasons(items, counts, target)
        history = SparseRows(np.array([0, len(items)]), items, counts, self.model.n_items)
        return points, float(self.model.score_rows(self.model.user_rows(history))[0, target])


@dataclass(frozen=True)
class NewRows:
    """What serves those that training did not show.

    Attributes:
        model: factors with maps from features.
        features: the encoders of the side tables.
    """

    model: FactorModel
    features: InteractionFeatures

    def recommender(self, answers: HistoryRecommender, given: Mapping[str, Any]) -> PriorRecommender:
        """What answers for a user with these values of columns.

        Raises:
            VectableError: there are no columns of users, or not these.
        """
        require(
            isinstance(given, Mapping),
            "Features must be a mapping from columns of the users' side table to values, {'column': value}; "
            f"got {given!r}.",
        )
        users, user_map = self.features.users, self.model.als.user_map
        if users is None or user_map is None:
            raise VectableError(
                f"The model was trained without columns of users, and can do nothing with {list(given)}: hand in "
                "users= with the data."
            )
        prior = user_map.rows(users.encode_one(given, "user"))
        known = WithPrior(self.model.als, self.model.weighing, prior)
        return PriorRecommender(known, answers.data, answers.directions)

    def new_items(self, data: InteractionsData, table: Any, notes: Notes) -> "NewItems":
        """The rows of items that nobody has met, by a table (or its file) of their columns.

        Raises:
            DataError: the table has no row, or none of the columns.
        """
        items, item_map = self.features.items, self.model.als.item_map
        if items is None or item_map is None:
            raise VectableError(
                "The model was trained without columns of items, so nothing is known of one that nobody has met: hand "
                "in items= with the data."
            )
        frame = read_side_table(table, "new items")
        require(len(frame) > 0, "The table of new items has no row.")
        wanted = items.names
        missing = [name for name in wanted if name not in frame.columns]
        if len(missing) == len(wanted):
            raise DataError(
                f"The table of new items has none of the columns that the model knows ({quote_some(wanted)}); it has "
                f"{quote_some(frame.columns)}."
            )
        notes.add(
            "missing_column",
            len(missing),
            lambda: f"The table of new items has no column {quote_some(missing)}: taken as missing.",
        )
        key = data.columns.item if data.columns.item in frame.columns else frame.columns[0]
        known = int((data.item_counts[data.item_ids.encode(frame[key])] > 0).sum())
        notes.add(
            "known_item",
            known,
            lambda: (
                f"{known:,} of {len(frame):,} new items are in the training data already; here they are ranked by "
                "their columns alone, and recommend() knows them better."
            ),
        )
        absent = [name for name in (*items.columns.columns, *items.words.columns) if name not in frame.columns]
        filled = frame.with_columns(pl.lit(None).alias(name) for name in absent)
        about = {data.columns.item: frame[key]}
        if data.columns.title is not None and data.columns.title in frame.columns and data.columns.title != key:
            about["title"] = frame[data.columns.title].cast(pl.String)
        return NewItems(pl.DataFrame(about), item_map.rows(items.encode(filled)))

    def known_users(self, data: InteractionsData) -> Floats:
        """Factors of the known users by code, (users + 1, width)."""
        return self.model.user_rows(to_rows(data.train, self.model.n_items)).factors


def need_new_rows(new: NewRows | None) -> NewRows:
    """What serves new users and items.

    Raises:
        VectableError: there is none, because the model was trained without columns.
    """
    if new is None:
        raise VectableError(
            "The model was trained without columns of users or items, by which new ones would be known: hand in "
            "items= or users= with the data."
        )
    return new


@dataclass(frozen=True)
class NewItems:
    """Items that nobody has met.

    Attributes:
        about: id and, where it is known, title of each.
        rows: their factors, (items, width).
    """

    about: pl.DataFrame
    rows: Floats

    def of_users(
        self, data: InteractionsData, known: Floats, users: list[Any], n: int, notes: Notes
    ) -> tuple[Places, Floats]:
        """The `n` of them that each of some users is most likely to take; unknown ones get what most would take.

        Args:
            known: what `NewRows.known_users` gave.

        Returns:
            Places in `about`, (users, up to n), best first, and their scores.
        """
        codes = find_codes(data, users, False, notes, "the list is what most users would take")
        mine = np.where(codes[:, None] > 0, known[codes], known[data.train.lengths > 0].mean(axis=0))
        return best_of_each(mine @ self.rows.T, n)

    def takers(self, data: InteractionsData, known: Floats, n: int) -> tuple[Places, Floats]:
        """For each of them the `n` known users who are most likely to take it.

        Args:
            known: what `NewRows.known_users` gave.

        Returns:
            Codes of users, (items, up to n), best first, and their scores.
        """
        codes = np.flatnonzero(data.train.lengths > 0)
        factors = known[codes]
        firsts = range(0, len(self.rows), ITEMS_AT_A_TIME)
        parts = [best_of_each(self.rows[first : first + ITEMS_AT_A_TIME] @ factors.T, n) for first in firsts]
        best = np.concatenate([one for one, _ in parts])
        return codes[best], np.concatenate([one for _, one in parts])

    def lists_frame(self, data: InteractionsData, users: list[Any], best: Places, scores: Floats) -> pl.DataFrame:
        """A row for each of some users and item."""
        of_user, rank = np.repeat(np.arange(len(users)), best.shape[1]), np.tile(np.arange(best.shape[1]), len(users))
        shown = self.about[best.ravel().tolist()]
        named = pl.Series(_free(data.columns.user, shown), [users[at] for at in of_user], strict=False)
        more = [pl.Series("rank", rank + 1), pl.Series("score", scores.ravel())]
        return shown.insert_column(0, named).with_columns(more)

    def takers_frame(self, data: InteractionsData, codes: Places, scores: Floats) -> pl.DataFrame:
        """A row for each item and user."""
        n = codes.shape[1]
        shown = self.about[np.repeat(np.arange(len(self.rows)), n).tolist()]
        named = data.user_ids.decode(codes.ravel().astype(np.int32)).alias(_free(data.columns.user, shown))
        rank = np.tile(np.arange(n), len(self.rows)) + 1
        return shown.with_columns(pl.Series("rank", rank), named, pl.Series("score", scores.ravel()))


def best_of_each(scores: Floats, n: int) -> tuple[Places, Floats]:
    """Places of the up to `n` highest scores of each row, of equal ones the first, and these."""
    rows, width = scores.shape
    n = min(n, width)
    best = np.empty((rows, n), dtype=np.int64)
    for row, one in zip(best, scores, strict=True):
        least = np.partition(one, width - n)[width - n]
        likely = np.flatnonzero(one >= least)
        row[:] = likely[np.argsort(-one[likely], kind="stable")[:n]]
    return best, np.take_along_axis(scores, best, axis=1)


def _free(name: str, frame: pl.DataFrame) -> str:
    return f"{name}_2" if name in frame.columns else name
