"""Interactions: a table of who met what, how often and when, encoded and split."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify
from vectable.data.interactions.held_out import HeldOut
from vectable.data.interactions.histories import Histories
from vectable.data.interactions.interaction_columns import (
    InteractionColumns,
    Repeats,
    find_interaction_columns,
    read_interactions,
)
from vectable.data.interactions.interaction_lanes import interactions_of_lanes
from vectable.data.interactions.interaction_rows import Interactions, encode_interactions, joined_rows
from vectable.data.interactions.interaction_splits import (
    SPLITS,
    TEST,
    TEST_KNOWN,
    TRAIN,
    VALID,
    VALID_KNOWN,
    Parts,
    Split,
    SplitPlan,
)
from vectable.data.io.files import read_table
from vectable.data.io.frames import FrameKind, to_polars
from vectable.data.io.sql import read_sql
from vectable.data.side_tables import item_titles, lengthen, named_items, side_table
from vectable.data.vocabularies import Vocabularies
from vectable.errors import DataError, require, require_columns


@dataclass  # noqa: PLR0904 - the reason stands below
class InteractionsData(Vocabularies):
    """Who met what, split into training, validation and test; made by `from_df`, `from_file`, `from_sql`, `from_lanes`.

    The vocabularies hold all users and items of the table. What training shows of them is in `train` and `item_counts`;
    an item that only held-out rows have is in no list.

    It has more than a dozen methods because four make one, each of a line or a few but for the first, and the others
    are what learners ask for.

    Attributes:
        interactions: all pairs.
        parts: which part each of them belongs to, (rows,) int8; see `interaction_splits`.
        user_ids, item_ids: vocabularies; code 0 is the unknown.
        columns: which column of the user's table is which.
        split: how the parts were made: "last", "random", "time" or "users".
        titles: a name to show for each item, in the order of `item_ids`, or None when the ids are the names.
        item_table, user_table: side columns in the order of the vocabularies, or None.
        kind: the kind of frame the user works with; results are returned as the same.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> baskets = [(day, item) for day in range(40) for item in ("tea", "milk" if day % 3 else "lemon")]
        >>> data = vt.InteractionsData.from_df(pl.DataFrame(baskets, ["basket", "item"], orient="row"))
        >>> data.n_users, data.n_items
        (40, 3)
    """

    interactions: Interactions
    parts: Parts
    user_ids: Categorify
    item_ids: Categorify
    columns: InteractionColumns
    split: Split
    titles: pl.Series | None = None
    item_table: pl.DataFrame | None = None
    user_table: pl.DataFrame | None = None
    kind: FrameKind = "polars"

    # ---------------------------------------------------------------- making one

    @classmethod
    def from_df(
        cls,
        df: Any,
        user: str | None = None,
        item: str | None = None,
        *,
        count: str | None = None,
        timestamp: str | None = None,
        title: str | None = None,
        repeats: Repeats | None = None,
        split: Split | None = None,
        valid_pct: float | None = None,
        test_pct: float | None = None,
        valid_users: Iterable[Any] | None = None,
        test_users: Iterable[Any] | None = None,
        seed: int = 42,
        items: Any = None,
        users: Any = None,
        missing_ids: Literal["error", "drop"] = "error",
    ) -> "InteractionsData":
        """Split and encode a table of interactions: orders, clicks, plays, loans.

        Args:
            df: pandas, polars or pyarrow table; a row says that a user met an item.
            user, item: column names. By default those that are named so or in a like way (customer, product, movieId),
                else the first and second column.
            count: column with how often or how much (a quantity, a number of plays); 1 per row by default.
            timestamp: column with the time (a number or a date). Equal times stay in the order of the table.
            title: column with the name to show for an item, in `df` or in `items`.
            repeats: what becomes of a pair in several rows: "count" (of its rows), "sum" (of `count`), "last" (the
                count of its last row) or "any" (1); by default "sum" with a column of counts, else "count". A pair
                stands where its last row does.
            split: "last" (each user's last interaction tests, the one before validates), "random" rows, "time" (the
                latest rows of all), or "users" (whole users are held out, four fifths of their items known). By default
                "last" with a timestamp, else "random".
            valid_pct, test_pct: share held out for validation and for the test: of the rows ("random", "time") or of
                the users ("last", "users"). By default 0.1 each; with "last", all users.
            valid_users, test_users: ids of the users that validate and test, instead of a share ("last", "users").
            seed: of everything random in the split.
            items, users: side tables (or their files) with a row per item or user; the id column is named as in `df`,
                or else first.
            missing_ids: rows without user or item: "error" or "drop".

        Raises:
            DataError: with the column, row and value that cannot be used, and what to do.
        """
        frame, kind = to_polars(df)
        require(split is None or split in SPLITS, f"split must be one of {list(SPLITS)}; got {split!r}.")
        needs_time = f"split={split!r}" if split in ("last", "time") else None
        given = {"user": user, "item": item, "count": count, "title": title, "timestamp": timestamp}
        columns = find_interaction_columns(frame, given, items, needs_time)
        pairs = read_interactions(frame, columns, repeats, missing_ids)
        named = named_items(frame, columns)
        del df, frame
        user_ids, item_ids = Categorify().fit(pairs["user"]), Categorify().fit(pairs["item"])
        in_time = encode_interactions(pairs, user_ids, item_ids)
        how = split or ("last" if columns.timestamp is not None else "random")
        plan = SplitPlan(how, valid_pct, test_pct, valid_users, test_users, seed)
        return cls._made(in_time, user_ids, item_ids, columns, plan, named, items=items, users=users, kind=kind)

    @classmethod
    def from_lanes(
        cls,
        path: str | Path,
        *,
        repeats: Repeats | None = None,
        split: Split | None = None,
        valid_pct: float | None = None,
        test_pct: float | None = None,
        valid_users: Iterable[Any] | None = None,
        test_users: Iterable[Any] | None = None,
        seed: int = 42,
        items: Any = None,
        users: Any = None,
    ) -> "InteractionsData":
        """Take the rows of a folder that `encode_lanes` made, codes alone: a lane at a time, then split as `from_df`.

        Args:
            path: lanes of interactions; or of ratings, each of which counts as one interaction.
            repeats, split, valid_pct, test_pct, valid_users, test_users, seed, items, users: as of `from_df`.

        Raises:
            DataError: a piece is missing or damaged; the split needs times, and there are none.
        """
        require(split is None or split in SPLITS, f"split must be one of {list(SPLITS)}; got {split!r}.")
        in_time, user_ids, item_ids, columns = interactions_of_lanes(path, repeats)
        how = split or ("last" if in_time.time is not None else "random")
        if in_time.time is None and how in ("last", "time"):
            raise DataError(f"split={how!r} needs the time of each interaction, and these lanes have none.")
        plan = SplitPlan(how, valid_pct, test_pct, valid_users, test_users, seed)
        return cls._made(in_time, user_ids, item_ids, columns, plan, None, items=items, users=users, kind="polars")

    @classmethod
    def _made(
        cls,
        in_time: Interactions,
        user_ids: Categorify,
        item_ids: Categorify,
        columns: InteractionColumns,
        plan: SplitPlan,
        named: pl.DataFrame | None,
        *,
        items: Any,
        users: Any,
        kind: FrameKind,
    ) -> "InteractionsData":
        """Of pairs in the order of time."""
        parts = plan.parts(in_time.user, user_ids, columns.user)
        order = np.argsort(in_time.user, kind="stable")
        item_table = side_table(items, columns.item, item_ids, "items")
        return cls(
            interactions=in_time.take(order),
            parts=parts[order],
            user_ids=user_ids,
            item_ids=item_ids,
            columns=columns,
            split=plan.split,
            titles=item_titles(named, columns, item_ids, item_table),
            item_table=item_table,
            user_table=side_table(users, columns.user, user_ids, "users"),
            kind=kind,
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
    ) -> "InteractionsData":
        """Read a CSV, TSV, Parquet or Arrow file and continue as `from_df`, whose arguments may follow."""
        return cls.from_df(read_table(path, sep=sep, has_header=has_header, columns=columns, encoding=encoding), **how)

    @classmethod
    def from_sql(cls, address: str, query: str, **how: Any) -> "InteractionsData":
        """Read what a query to a database gives, streamed as Arrow, and continue as `from_df`.

        Args:
            address: ``postgresql://user@host:port/database`` or ``sqlite:///file.db``; a password stands in it or in
                PGPASSWORD, and is never printed or saved. Needs ``pip install 'vectable[sql]'``.
            query: one SELECT.
            how: arguments of `from_df`.

        Raises:
            DataError: the database cannot be reached, or refuses the query, or gives no rows.
        """
        return cls.from_df(read_sql(address, query), **how)

    # ---------------------------------------------------------------- parts

    @cached_property
    def train(self) -> Histories:
        """The training history of every user, a row per code; that of code 0 is empty."""
        return self._histories(self.parts == TRAIN)

    @cached_property
    def _known(self) -> Histories:
        """All that may be known of every user when the test begins: training, validation, and what is folded in."""
        return self._histories(self.parts != TEST)

    @cached_property
    def valid(self) -> HeldOut:
        """The validation part."""
        return self._held_out(VALID, VALID_KNOWN, self.train)

    @cached_property
    def test(self) -> HeldOut:
        """The test part; what is known of its users includes their validation rows."""
        return self._held_out(TEST, TEST_KNOWN, self._known)

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """Training interactions of each item, (items + 1,); entry 0 is the unknown's and 0."""
        return np.bincount(self.train.items, minlength=len(self.item_ids))

    @property
    def has_times(self) -> bool:
        """Whether the order of each user's interactions is known."""
        return self.interactions.time is not None

    def all_training(self) -> "InteractionsData":
        """The same data with everything among the training rows and nothing held out."""
        return self._with(self.interactions, np.zeros_like(self.parts))

    def split_again(self, plan: SplitPlan) -> "InteractionsData":
        """The same data split in another way.

        Raises:
            DataError: the split needs times, and there are none.
        """
        rows = self.interactions
        if rows.time is None and plan.split in ("last", "time"):
            raise DataError(f"split={plan.split!r} needs the time of each interaction, and these have none.")
        order = np.arange(len(rows)) if rows.time is None else np.argsort(rows.time, kind="stable")
        parts = np.zeros(len(rows), dtype=np.int8)
        parts[order] = plan.parts(rows.user[order], self.user_ids, self.columns.user)
        return self._with(rows, parts, split=plan.split)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that tell this split from any other: who met what in which order, and the parts.

        Independent of how ids are coded, and of the order of the table's rows but for those of equal times.
        """
        digest = hashlib.sha256()
        for ids in (self.user_ids, self.item_ids):
            digest.update("\0".join(ids.vocabulary.cast(pl.String).to_list()).encode())
        rows = self.interactions
        order = np.arange(len(rows)) if self.has_times else np.lexsort((rows.item, rows.user))
        for column in (rows.user, rows.item, rows.count, self.parts):
            digest.update(column[order].tobytes())
        return digest.hexdigest()[:12]

    def __repr__(self) -> str:
        n_train = int(np.count_nonzero(self.parts == TRAIN))
        held = ", ".join(
            f"{name} {int(np.count_nonzero(self.parts == part)):,} of {len(self._part(part)):,} users"
            for name, part in (("validation", VALID), ("test", TEST))
        )
        return (
            f"InteractionsData: {n_train:,} training interactions; {held}; {self.n_users:,} users, "
            f"{self.n_items:,} items, split {self.split!r} ({self.fingerprint})"
        )

    def _part(self, part: int) -> HeldOut:
        return self.valid if part == VALID else self.test

    def _histories(self, kept: NDArray[np.bool_]) -> Histories:
        rows = self.interactions.take(kept)
        starts = np.append(0, np.cumsum(np.bincount(rows.user, minlength=len(self.user_ids)))).astype(np.int64)
        return Histories(starts, rows.item, rows.count)

    def _held_out(self, hidden: int, known: int, inputs: Histories) -> HeldOut:
        """The users with something hidden, besides what training (or what is known for good) shows of them."""
        targets = self._histories(self.parts == hidden)
        if self.split == "users":
            inputs = self._histories(self.parts == known)
        shown = self.item_counts > 0
        findable = targets.keep(shown[targets.items])
        inputs = inputs.keep(shown[inputs.items])
        users = np.flatnonzero(findable.lengths > 0)
        unseen = len(targets.items) - len(findable.items)
        return HeldOut(users.astype(np.int32), inputs.take(users), findable.take(users), unseen)

    def _with(self, interactions: Interactions, parts: Parts, **more: Any) -> "InteractionsData":
        """A copy with other rows; what was found for the old ones is found again."""
        same = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return InteractionsData(**{**same, "interactions": interactions, "parts": parts, **more})

    # ---------------------------------------------------------------- growing

    def with_more(self, df: Any, items: Any = None, repeats: Repeats | None = None) -> "InteractionsData":
        """The same data with tomorrow's interactions among the training rows; vocabularies grow behind what they held.

        Codes given out stay, so that a trained model's rows keep their meaning. A pair that is known already gets the
        sum of both counts and stands where its new row does.

        Args:
            df: a table with the same columns.
            items: a side table of the new items.
        """
        frame, _ = to_polars(df, "the new table")
        columns = self.columns
        wanted = [columns.user, columns.item, *([columns.timestamp] if self.has_times and columns.timestamp else [])]
        require_columns(wanted, frame.columns, "The new table")
        new = read_interactions(frame, columns, repeats, where="the new table", may_be_empty=True)
        user_ids, item_ids = Categorify(self.user_ids.vocabulary), Categorify(self.item_ids.vocabulary)
        user_ids.grow(new["user"])
        item_ids.grow(new["item"])
        titles = self.titles
        item_table = lengthen(self.item_table, item_ids, columns.item)
        if items is not None and item_table is not None:
            item_table = _filled(item_table, side_table(items, columns.item, item_ids, "items"))
        if titles is not None:
            found = item_titles(named_items(frame, columns), columns, item_ids, item_table)
            titles = titles.extend_constant(None, len(item_ids) - 1 - len(titles))
            if found is not None:
                titles = pl.select(pl.coalesce(titles.alias("old"), found.alias("new"))).to_series()
        joined, parts = joined_rows(self.interactions, self.parts, encode_interactions(new, user_ids, item_ids))
        return self._with(
            joined,
            parts,
            user_ids=user_ids,
            item_ids=item_ids,
            titles=titles,
            item_table=item_table,
            user_table=lengthen(self.user_table, user_ids, columns.user),
        )


def _filled(table: pl.DataFrame, more: pl.DataFrame | None) -> pl.DataFrame:
    """A side table with its missing values taken from another of the same rows."""
    if more is None:
        return table
    return table.with_columns(
        pl.coalesce(pl.col(name), more[name].cast(table[name].dtype, strict=False).alias("more")).alias(name)
        for name in table.columns
        if name in more.columns
    )
