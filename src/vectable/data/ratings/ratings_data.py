"""Ratings: a table of who rated what how high, encoded, split and ready to train on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, batch_size_for, block_batches, count_steps, shuffled_batches
from vectable.data.encoders.categorify import Categorify
from vectable.data.interactions.interaction_rows import Interactions
from vectable.data.interactions.interaction_splits import TRAIN, VALID, Split, SplitPlan
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.interactions.liked import liked_interactions
from vectable.data.io.files import read_table
from vectable.data.io.frames import FrameKind, LateTable, numbers_of, to_polars
from vectable.data.io.sql import read_sql
from vectable.data.ratings.encoded_ratings import Ratings, encode_ratings, split_ratings
from vectable.data.ratings.rating_checks import check_on_scale, question_ratings
from vectable.data.ratings.rating_columns import Columns, DuplicatePolicy, find_columns, read_ratings
from vectable.data.ratings.rating_lanes import read_lanes
from vectable.data.ratings.wide_ratings import long_ratings
from vectable.data.side_tables import item_titles, lengthen, named_items, side_table
from vectable.data.splits import random_split, time_split
from vectable.data.titled_items import ids_for_titles
from vectable.data.vocabularies import Vocabularies
from vectable.distributed.world import started_by_torchrun, world
from vectable.errors import is_finite, quote_some, require, require_columns, warn

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_shard import RatingsShard
    from vectable.data.tensors import TensorSet

# From this many training rows on, the two-thread block order is used: below it a thread costs more than it saves.
BLOCK_ORDER_ROWS = 500_000


@dataclass  # noqa: PLR0904 - the reason stands below
class RatingsData(Vocabularies):
    """Training and validation ratings with their vocabularies; made by `from_df`, `from_file` or `from_splits`.

    It has more than a dozen methods, each of a few lines, because it is the one object that the data hands to whatever
    answers: five ways of making one, what the learner asks for (rows and batches), what applications and insight ask
    for (ranges, means, counts), and growing.

    Attributes:
        train_ratings, valid_ratings: the encoded rows.
        user_ids, item_ids: vocabularies, learned from the training rows only; code 0 is the unknown.
        columns: which column of the user's table is which.
        titles: a name to show for each item, in the order of `item_ids`, or None when the ids are the names.
        item_table, user_table: side columns in the order of the vocabularies, or None.
        kind: the kind of frame the user works with; results come back as the same.
        batch_size: rows per step.
        block_order: whether batches come in blocks that two threads can train at once; None for: if large.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> stars = pl.DataFrame({"who": [1, 1, 2, 2], "book": ["a", "b", "a", "c"], "stars": [5, 3, 4, 1]})
        >>> data = vt.RatingsData.from_df(stars, user="who", item="book", rating="stars", valid_pct=0.25)
        >>> len(data.train), len(data.valid)
        (3, 1)
    """

    train_ratings: Ratings
    valid_ratings: Ratings
    user_ids: Categorify
    item_ids: Categorify
    columns: Columns
    titles: pl.Series | None = None
    item_table: pl.DataFrame | None = None
    user_table: pl.DataFrame | None = None
    kind: FrameKind = "polars"
    batch_size: int = 64
    block_order: bool | None = field(default=None, repr=False)

    # ---------------------------------------------------------------- making one

    @classmethod
    def from_df(
        cls,
        df: Any,
        user: str | None = None,
        item: str | None = None,
        rating: str | None = None,
        title: str | None = None,
        timestamp: str | None = None,
        *,
        valid_pct: float = 0.1,
        seed: int = 42,
        split: Literal["random", "time"] = "random",
        items: Any = None,
        users: Any = None,
        duplicates: DuplicatePolicy = "keep",
        missing_ids: Literal["error", "drop"] = "error",
        bad_times: Literal["error", "missing"] = "error",
        batch_size: int | None = None,
    ) -> "RatingsData":
        """Split and encode a table of ratings.

        Args:
            df: pandas, polars or pyarrow table, a row per rating.
            user, item, rating: column names. By default those that are named so or in a like way (userId, customer;
                movieId, product; score, stars ...), else the first, second and third column.
            title: column with the name to show for an item, in `df` or in `items`; may be the item itself.
            timestamp: column with the time of the rating (a number or a date), carried along.
            valid_pct: share of the rows held out, 0 to 1; may be 0.
            seed: of the random split.
            split: "random" rows, or "time": the latest rows (needs `timestamp`).
            items, users: side tables (or their files) with a row per item or user; the id column is named as in `df`,
                or else first.
            duplicates: pairs rated more than once: "keep" them all, keep the "last" in the table's order, their "mean",
                or "error".
            missing_ids: rows without user or item: "error" or "drop".
            bad_times: times that are missing or cannot be read: "error", or "missing" to take them as not known.
            batch_size: rows per step; by default by the number of users, see `batch_size_for`.

        Raises:
            DataError: with the column, row and value that cannot be used, and what to do.

        Warns:
            VectableWarning: a column that only numbers the rows is passed over; a column that nobody named looks like
                quantities, prices or times; a few ratings are far from all others.
        """
        frame, kind = to_polars(df)
        columns = find_columns(frame, user, item, rating, title, timestamp, items=items)
        ratings = read_ratings(frame, columns, duplicates, missing_ids, bad_times=bad_times)
        question_ratings(columns.rating, numbers_of(ratings["rating"]), rating is not None)
        if split == "time":
            require(columns.timestamp is not None, "split='time' needs timestamp=: the column with the times.")
            unknown = int(ratings["time"].is_nan().sum())
            require(not unknown, f"split='time' needs the time of each rating, and {unknown:,} are missing.")
            valid_rows = time_split(ratings["time"].to_numpy(), valid_pct)[1]
        else:
            require(split == "random", f"split must be 'random' or 'time'; got {split!r}.")
            valid_rows = random_split(len(ratings), valid_pct, seed)[1]
        held_out = np.zeros(len(ratings), dtype=np.bool_)
        held_out[valid_rows] = True
        named = named_items(frame, columns)
        taken = {values.name: values for values in ratings}
        del df, frame, ratings  # long tables fit in memory twice, not three times
        train, valid, user_ids, item_ids = split_ratings(taken, held_out)
        return cls._make(
            train, valid, user_ids, item_ids, columns, named, items=items, users=users, kind=kind, batch_size=batch_size
        )

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        sep: str | None = None,
        has_header: bool | None = None,
        columns: Sequence[str] | None = None,
        encoding: str = "utf-8",
        **how: Any,
    ) -> "RatingsData":
        """Read a CSV, TSV, Parquet or Arrow file and continue as `from_df`, whose arguments may follow."""
        read = partial(read_table, path, sep=sep, has_header=has_header, columns=columns, encoding=encoding)
        return cls.from_df(LateTable(read), **how)

    @classmethod
    def from_sql(cls, address: str, query: str, **how: Any) -> "RatingsData":
        """Read what a query to a database gives, streamed as Arrow, and continue as `from_df`.

        Args:
            address: ``postgresql://user@host:port/database`` or ``sqlite:///file.db``; a password stands in it or in
                PGPASSWORD, and is never printed or saved. Needs ``pip install 'vectable[sql]'``.
            query: one SELECT.
            how: arguments of `from_df`.

        Raises:
            DataError: the database cannot be reached, or refuses the query, or gives no rows.
        """
        return cls.from_df(LateTable(partial(read_sql, address, query)), **how)

    @classmethod
    def from_wide(
        cls,
        df: Any,
        user: str | None = None,
        *,
        missing: float | Sequence[float] = (),
        leave_out: Sequence[str] = (),
        **how: Any,
    ) -> "RatingsData":
        """Take a matrix of ratings, a row per user and a column per item, and continue as `from_df`.

        Args:
            df: pandas, polars or pyarrow table, or a file.
            user: column with the users' ids. By default one that is named as such, or a first column of texts or of
                row numbers; else the rows are numbered from 1.
            missing: the number that stands for "not rated", or several, besides empty fields: 99, say, or 0.
            leave_out: columns that are neither users nor items.
            how: further arguments of `from_df`, but for the columns' names.

        Raises:
            DataError: a column of an item that holds other things than numbers, or no rating at all.
        """
        frame, kind = to_polars(read_table(df) if isinstance(df, str | Path) else df)
        long = long_ratings(frame, user, missing, leave_out)
        data = cls.from_df(long.frame, long.user, long.item, long.rating, **how)
        data.kind = kind
        return data

    @classmethod
    def from_lanes(
        cls,
        path: str | Path,
        *,
        valid_pct: float = 0.1,
        seed: int = 42,
        items: Any = None,
        users: Any = None,
        batch_size: int | None = None,
        window: int | None = None,
    ) -> "RatingsData | RatingsShard":
        """Take the ratings of a folder that `encode_lanes` made: codes alone come into memory, 12 bytes a row.

        In a program that torchrun started they are those of the process's own users, a `RatingsShard`. `collab_learner`
        takes either, and trains one model in all processes.

        Args:
            path: the folder.
            valid_pct: share of the rows held out at random, 0 to 1; may be 0. The same rows in any number of processes.
            seed: of that.
            items, users: side tables as in `from_df`; not under torchrun.
            batch_size: rows per step; by default by the number of users, see `batch_size_for`.
            window: number of lanes whose rows are in memory at a time, for ratings that are larger than it: a
                `RatingsShard` without torchrun, too.

        Raises:
            DataError: a piece is missing or damaged; more than 2,147,483,647 rows without `window` or torchrun.
        """
        if window is None and not started_by_torchrun():
            return cls.from_whole_lanes(
                path, valid_pct=valid_pct, seed=seed, items=items, users=users, batch_size=batch_size
            )
        from vectable.data.ratings.ratings_shard import RatingsShard

        require(items is None and users is None, "Side tables belong to whole ratings; leave items and users out.")
        return RatingsShard(path, world(), valid_pct=valid_pct, seed=seed, batch_size=batch_size, window=window)

    @classmethod
    def from_whole_lanes(
        cls,
        path: str | Path,
        *,
        valid_pct: float = 0.1,
        seed: int = 42,
        items: Any = None,
        users: Any = None,
        batch_size: int | None = None,
    ) -> "RatingsData":
        """As `from_lanes`, all ratings, also in a process that torchrun started."""
        train, valid, user_ids, item_ids, columns = read_lanes(path, valid_pct, seed)
        return cls._make(
            train,
            valid,
            user_ids,
            item_ids,
            columns,
            None,
            items=items,
            users=users,
            kind="polars",
            batch_size=batch_size,
        )

    @classmethod
    def from_splits(
        cls,
        train_df: Any,
        valid_df: Any,
        user: str | None = None,
        item: str | None = None,
        rating: str | None = None,
        title: str | None = None,
        timestamp: str | None = None,
        *,
        items: Any = None,
        users: Any = None,
        duplicates: DuplicatePolicy = "keep",
        missing_ids: Literal["error", "drop"] = "error",
        bad_times: Literal["error", "missing"] = "error",
        batch_size: int | None = None,
    ) -> "RatingsData":
        """Take training and validation rows that are already apart (canonical folds, yesterday and today)."""
        frame, kind = to_polars(train_df, "the training table")
        other, _ = to_polars(valid_df, "the validation table")
        columns = find_columns(frame, user, item, rating, title, timestamp, items=items)
        wanted = [columns.user, columns.item, columns.rating]
        require_columns(wanted, other.columns, "The validation table")
        train = read_ratings(frame, columns, duplicates, missing_ids, "the training table", bad_times=bad_times)
        valid = read_ratings(
            other, columns, "keep", missing_ids, "the validation table", may_be_empty=True, bad_times=bad_times
        )
        question_ratings(columns.rating, train["rating"].to_numpy(), rating is not None)
        user_ids, item_ids = Categorify().fit(train["user"]), Categorify().fit(train["item"])
        trains, validates = (encode_ratings(part, user_ids, item_ids) for part in (train, valid))
        named = named_items(frame, columns)
        return cls._make(
            trains,
            validates,
            user_ids,
            item_ids,
            columns,
            named,
            items=items,
            users=users,
            kind=kind,
            batch_size=batch_size,
        )

    @classmethod
    def _make(
        cls,
        train: Ratings,
        valid: Ratings,
        user_ids: Categorify,
        item_ids: Categorify,
        columns: Columns,
        named: pl.DataFrame | None,
        *,
        items: Any,
        users: Any,
        kind: FrameKind,
        batch_size: int | None,
    ) -> "RatingsData":
        from vectable.data.tensors import check_batch_size

        batch_size = batch_size_for(len(user_ids) - 1) if batch_size is None else batch_size
        check_batch_size(batch_size)
        item_table = side_table(items, columns.item, item_ids, "items")
        data = cls(
            train_ratings=train,
            valid_ratings=valid,
            user_ids=user_ids,
            item_ids=item_ids,
            columns=columns,
            titles=item_titles(named, columns, item_ids, item_table),
            item_table=item_table,
            user_table=side_table(users, columns.user, user_ids, "users"),
            kind=kind,
            batch_size=batch_size,
        )
        low, high = data.rating_range
        if low == high:
            warn(f"All {len(data.train_ratings):,} training ratings are {low:g}: there is nothing to learn from them.")
        return data

    # ---------------------------------------------------------------- what the Learner asks for

    @property
    def train(self) -> "TensorSet":
        """Training rows as tensors: inputs (user, item), target rating."""
        return self.train_ratings.tensors()

    @property
    def valid(self) -> "TensorSet":
        """Validation rows as tensors; may have none."""
        return self.valid_ratings.tensors()

    @property
    def n_steps(self) -> int:
        """Steps per epoch."""
        return count_steps(len(self.train_ratings), self.batch_size)

    def plan(self, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch: one random order, or blocks for two threads where the table is large."""
        ratings = self.train_ratings
        blocks = len(ratings) >= BLOCK_ORDER_ROWS if self.block_order is None else self.block_order
        if blocks and self.n_steps >= 4:
            return block_batches(ratings.user, ratings.item, self.batch_size, rng)
        return shuffled_batches(len(ratings), self.batch_size, rng)

    # ---------------------------------------------------------------- what users and insight ask for

    @cached_property
    def rating_range(self) -> tuple[float, float]:
        """Lowest and highest training rating."""
        return float(self.train_ratings.rating.min()), float(self.train_ratings.rating.max())

    @cached_property
    def mean_rating(self) -> float:
        """Mean training rating."""
        return float(self.train_ratings.rating.mean(dtype=np.float64))

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """Training ratings of each item, (items + 1,); entry 0 is the unknown's and 0."""
        return np.bincount(self.train_ratings.item, minlength=len(self.item_ids))

    @cached_property
    def item_means(self) -> NDArray[np.float64]:
        """Plain mean training rating of each item, (items + 1,); not a number for the unknown."""
        sums = np.bincount(self.train_ratings.item, self.train_ratings.rating, minlength=len(self.item_ids))
        with np.errstate(invalid="ignore"):
            return np.asarray(sums / self.item_counts)

    @cached_property
    def by_user(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Training rows by user and item: (starts, rows); user u's rows are ``rows[starts[u]:starts[u + 1]]``."""
        rows = np.lexsort((self.train_ratings.item, self.train_ratings.user)).astype(np.int32)
        counts = np.bincount(self.train_ratings.user, minlength=len(self.user_ids))
        return np.concatenate([[0], np.cumsum(counts)]), rows

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that tell this split from any other: who rated what how high, and what is held out.

        Independent of the order of the rows, and of how ids are coded.
        """
        digest = hashlib.sha256()
        for ids in (self.user_ids, self.item_ids):
            digest.update("\0".join(ids.vocabulary.cast(pl.String).to_list()).encode())
        for part in (self.train_ratings, self.valid_ratings):
            order = np.lexsort((part.rating, part.item, part.user))
            for column in (part.user, part.item, part.rating):
                digest.update(column[order].tobytes())
        return digest.hexdigest()[:12]

    def rows_of(self, user_code: int) -> NDArray[np.int32]:
        """Numbers of the training rows of one user."""
        starts, rows = self.by_user
        return rows[starts[user_code] : starts[user_code + 1]]

    def to_interactions(
        self, at_least: float | None = None, *, split: Split | None = None, **how: Any
    ) -> InteractionsData:
        """The ratings that are high enough as interactions: who liked what, for lists of what they would take.

        Args:
            at_least: the lowest rating that counts; by default every rating does.
            split: "last", "random", "time" or "users", to split again; by default what trains and what validates stays
                so, with the same codes, and nothing tests.
            how: valid_pct, test_pct, valid_users, test_users and seed of a new split; see `InteractionsData.from_df`.

        Raises:
            VectableError: no rating is high enough.
        """
        require(at_least is None or is_finite(at_least), f"at_least must be a rating; got {at_least!r}.")
        both = self.train_ratings.joined(self.valid_ratings)
        high = np.full(len(both), True) if at_least is None else both.rating >= at_least
        low, best = self.rating_range
        require(bool(high.any()), f"No rating is at least {at_least or low:g}: they go from {low:g} to {best:g}.")
        rows = Interactions(both.user, both.item, both.rating, both.time).take(high)
        parts = np.repeat(np.array([TRAIN, VALID], np.int8), [len(self.train_ratings), len(self.valid_ratings)])[high]
        data = liked_interactions(rows, parts, self, self.columns.timestamp, self.item_table, self.user_table)
        require(split is not None or not how, f"{quote_some(how)} belong to a new split: name it with split=.")
        return data if split is None else data.split_again(SplitPlan(split, **how))

    def show_batch(self, n: int = 9, seed: int = 0) -> Any:
        """Some training rows as the user knows them: user, item, title if there is one, rating."""
        ratings = self.train_ratings
        rows = np.random.default_rng(seed).permutation(len(ratings))[:n]
        shown: dict[str, Any] = {
            self.columns.user: self.user_ids.decode(ratings.user[rows]),
            self.columns.item: self.item_ids.decode(ratings.item[rows]),
        }
        if self.titles is not None:
            shown["title"] = self.item_names(ratings.item[rows])
        shown[self.columns.rating] = ratings.rating[rows]
        return self.to_native(pl.DataFrame(shown))

    def __repr__(self) -> str:
        low, high = self.rating_range
        unknown = int(np.count_nonzero((self.valid_ratings.user == 0) | (self.valid_ratings.item == 0)))
        note = f" ({unknown:,} with a user or item that training never showed)" if unknown else ""
        return (
            f"RatingsData: {len(self.train_ratings):,} training and {len(self.valid_ratings):,} validation ratings"
            f"{note}, {self.n_users:,} users, {self.n_items:,} items, ratings {low:g} to {high:g} "
            f"(mean {self.mean_rating:.3f}), batches of {self.batch_size}"
        )

    # ---------------------------------------------------------------- growing

    def with_more(self, df: Any) -> "RatingsData":
        """The same data with tomorrow's ratings among the training rows; vocabularies grow behind what they held.

        Codes given out stay, so a trained model's rows keep their meaning. Known items may be named by their titles.

        Raises:
            DataError: rows that cannot be used; a text that is neither a title nor like the items' ids.
        """
        frame, _ = to_polars(df, "the new table")
        columns = self.columns
        require_columns([columns.user, columns.item, columns.rating], frame.columns, "The new table")
        items = ids_for_titles(frame[columns.item], self.item_ids, self.codes_by_title)
        frame = frame.with_columns(items.alias(columns.item))
        new = read_ratings(frame, columns, "keep", "error", "the new table", may_be_empty=True)
        check_on_scale(new["rating"].to_numpy(), self.rating_range, "the new table")
        user_ids, item_ids = Categorify(self.user_ids.vocabulary), Categorify(self.item_ids.vocabulary)
        user_ids.grow(new["user"])
        item_ids.grow(new["item"])
        titles = self.titles
        if titles is not None:
            new_titles = item_titles(named_items(frame, columns), columns, item_ids, None)
            titles = titles.extend_constant(None, len(item_ids) - 1 - len(titles))
            if new_titles is not None:
                titles = pl.select(pl.coalesce(titles.alias("old"), new_titles.alias("new"))).to_series()
        return RatingsData(
            train_ratings=self.train_ratings.joined(encode_ratings(new, user_ids, item_ids)),
            valid_ratings=self.valid_ratings,
            user_ids=user_ids,
            item_ids=item_ids,
            columns=columns,
            titles=titles,
            item_table=lengthen(self.item_table, item_ids, columns.item),
            user_table=lengthen(self.user_table, user_ids, columns.user),
            kind=self.kind,
            batch_size=self.batch_size,
            block_order=self.block_order,
        )
