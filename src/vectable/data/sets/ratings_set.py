"""A set of ratings with its side tables, and what is known of it before it is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from vectable.errors import UnknownNameError, quote_some

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_data import RatingsData

Fold = tuple[pl.DataFrame, pl.DataFrame]


@dataclass(frozen=True, eq=False, repr=False)
class RatingsSet:
    """Ratings with what is known of their items and users.

    Attributes:
        name: as `load` knows it, or the folder's name.
        ratings: a row per rating, with the columns that `user`, `item`, `rating` and `timestamp` name.
        items: a row per item, with the column `item`, a title, and `genres` as ``Action|Comedy``; or None.
        users: a row per user, with the column `user`; or None.
        user, item, rating: names of columns.
        title: name of a column of `items`. Two items may have one title; they stay apart by their ids.
        timestamp: name of a column of `ratings`; None without one. Seconds since 1970, or what the name says.
        y_range: a range for predictions, a little wider than the scale of the ratings at both ends.
        licence: under which the data may be used.
        source: whom to name, and where the data comes from.
        fold_readers: for every split the set comes with, a function that reads its (train, valid) frames.
        cross_validation: names of the splits whose valid parts together are all ratings, each once.
    """

    name: str
    ratings: pl.DataFrame
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    user: str = "user"
    item: str = "item"
    rating: str = "rating"
    title: str | None = None
    timestamp: str | None = None
    y_range: tuple[float, float] = (0.0, 5.5)
    licence: str = ""
    source: str = ""
    fold_readers: Mapping[str, Callable[[], Fold]] = field(default_factory=dict)
    cross_validation: tuple[str, ...] = ()

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by name: ratings, and items and users where they are known."""
        sides = {"items": self.items, "users": self.users}
        return {"ratings": self.ratings, **{name: table for name, table in sides.items() if table is not None}}

    @property
    def folds(self) -> tuple[Fold, ...]:
        """The canonical (train, valid) frames for cross-validation, read now; empty for a set without any."""
        return tuple(self.fold(name) for name in self.cross_validation)

    def fold(self, name: str) -> Fold:
        """One canonical split, as (train, valid) frames.

        Raises:
            UnknownNameError: for a split that the set does not have.
        """
        if name not in self.fold_readers:
            has = f"its folds are {quote_some(self.fold_readers, 10)}" if self.fold_readers else "it has none"
            raise UnknownNameError(f"{self.name} has no fold {name!r}; {has}.")
        return self.fold_readers[name]()

    def to_data(self, valid_pct: float = 0.1, seed: int = 42, **how: Any) -> "RatingsData":
        """Split and encode, as `RatingsData.from_df` does with the columns and side tables of this set.

        Args:
            valid_pct: share of the ratings held out, 0 to 1.
            seed: of the split.
            how: further arguments of `from_df`.
        """
        from vectable.data.ratings.ratings_data import RatingsData

        arguments: dict[str, Any] = {
            "user": self.user,
            "item": self.item,
            "rating": self.rating,
            "title": self.title,
            "timestamp": self.timestamp,
            "items": self.items,
            "users": self.users,
            "valid_pct": valid_pct,
            "seed": seed,
        }
        return RatingsData.from_df(self.ratings, **(arguments | how))

    def __repr__(self) -> str:
        """Name, counts of what was rated, licence."""
        users, items = (self.ratings[column].n_unique() for column in (self.user, self.item))
        what = f"{len(self.ratings):,} ratings of {items:,} items by {users:,} users"
        return f"RatingsSet({self.name!r}: {what}; {self.licence.split(';')[0]})"


@dataclass(frozen=True)
class SetInfo:
    """What is known of a named data set before it is loaded.

    Attributes:
        name: for `load`.
        about: one line.
        ratings, users, items: how many; items are those of the side table, rated or not.
        licence, source: as in `RatingsSet`.
        shipped: whether it comes with the package.
        url, sha256, bytes: the archive at its source; None where there is none whose checksum is known, and
            such a set is not downloaded.
    """

    name: str
    about: str
    ratings: int
    users: int
    items: int
    licence: str
    source: str
    shipped: bool = False
    url: str | None = None
    sha256: str | None = None
    bytes: int | None = None

    def __str__(self) -> str:
        """A paragraph for people."""
        counts = f"{self.ratings:,} ratings, {self.users:,} users, {self.items:,} items"
        if self.shipped:
            where = "Comes with the package."
        elif self.url and self.sha256 and self.bytes:
            where = f"Downloaded from {self.url} ({self.bytes / 1e6:,.1f} MB) where no data directory has it."
        else:
            where = f"Not downloaded, no checksum of it being known; put a folder {self.name} into a data directory."
        return f"{self.name}: {self.about} ({counts}). {where} Licence: {self.licence}. Source: {self.source}."
