"""Named data sets: ratings, tables and pictures that come with the package; MovieLens from a folder or its source.

`load` looks in this order: shipped with the package, the `data_dir` argument, the folder that the environment
variable VECTABLE_DATA names, the user's cache, and last the source itself, over https and against a checksum.
"""

import hashlib
import http.client
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import polars as pl

from vectable.data.sets.picture_sets import PICTURES, PictureInfo, PictureSet
from vectable.data.sets.shipped_files import read_shipped
from vectable.data.sets.table_sets import TABLES, TableInfo, TableSet
from vectable.errors import DataError, UnknownNameError, did_you_mean, quote_some

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_data import RatingsData

Fold = tuple[pl.DataFrame, pl.DataFrame]

DATA_VARIABLE = "VECTABLE_DATA"
"""Environment variable: a folder that holds folders named ml-100k, ml-1m, ..."""


# --------------------------------------------------------------------------------------------- a data set


@dataclass(frozen=True, eq=False, repr=False)
class RatingsSet:
    """Ratings with what is known of their items and users.

    Attributes:
        name: as `load` knows it, or the folder's name.
        ratings: a row a rating, with the columns that `user`, `item`, `rating` and `timestamp` name.
        items: a row an item, with the column `item`, a title, and `genres` as ``Action|Comedy``; or None.
        users: a row a user, with the column `user`; or None.
        user, item, rating: names of columns.
        title: name of a column of `items`. Two items may have one title; they stay apart, told by their ids.
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


# ------------------------------------------------------------------------------------------ the catalogue

MOVIELENS_SOURCE = (
    "GroupLens, https://grouplens.org/datasets/movielens/; F. M. Harper and J. A. Konstan, The MovieLens "
    "Datasets: History and Context, ACM TiiS 5(4), 2015, doi 10.1145/2827872"
)
MOVIELENS_LICENCE = (
    "GroupLens licence; research use with acknowledgement, no redistribution, no commercial use without permission"
)


def _movielens(
    name: str, about: str, ratings: int, users: int, items: int, sha256: str | None, size: int | None
) -> SetInfo:
    url = f"https://files.grouplens.org/datasets/movielens/{name}.zip" if sha256 else None
    return SetInfo(name, about, ratings, users, items, MOVIELENS_LICENCE, MOVIELENS_SOURCE, False, url, sha256, size)


_KNOWN: tuple[SetInfo | TableInfo | PictureInfo, ...] = (
    SetInfo(
        "goodbooks",
        "books rated 1 to 5 by readers of Goodreads, a sample of goodbooks-10k",
        177_051,
        2_133,
        1_821,
        "CC BY-SA 4.0; the licence covers the data files only",
        "Zygmunt Zając, goodbooks-10k, https://github.com/zygmuntz/goodbooks-10k; sampled and renumbered",
        shipped=True,
    ),
    SetInfo(
        "movietweetings",
        "films rated 0 to 10 in tweets of 2013, a sample of MovieTweetings",
        73_508,
        3_084,
        1_585,
        "MIT",
        "Simon Dooms, MovieTweetings, https://github.com/sidooms/MovieTweetings; sampled and renumbered",
        shipped=True,
    ),
    *(known for known, _ in TABLES.values()),
    *(known for known, _ in PICTURES.values()),
    _movielens(
        "ml-100k",
        "films rated 1 to 5, 1997-1998, with the folds u1 to u5, ua and ub",
        100_000,
        943,
        1_682,
        "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
        4_924_029,
    ),
    _movielens(
        "ml-1m",
        "films rated 1 to 5, 2000",
        1_000_209,
        6_040,
        3_883,
        "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
        5_917_549,
    ),
    _movielens(
        "ml-latest-small",
        "films rated 0.5 to 5, 1996-2018",
        100_836,
        610,
        9_742,
        "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
        978_202,
    ),
    _movielens(
        "ml-20m",
        "films rated 0.5 to 5, 1995-2015",
        20_000_263,
        138_493,
        27_278,
        "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
        198_702_078,
    ),
    _movielens(
        "ml-25m",
        "films rated 0.5 to 5, 1995-2019",
        25_000_095,
        162_541,
        62_423,
        "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
        261_978_986,
    ),
    _movielens(
        "ml-32m",
        "films rated 0.5 to 5, 1995-2023",
        32_000_204,
        200_948,
        87_585,
        "e4a68655d7386b8f95f2f2424b2ff975dfdd15ffd59e0d864a14dca43e99d6ee",
        238_950_008,
    ),
)
"""The checksums of the archives are those that TensorFlow Datasets keeps (url_checksums/movielens.txt); that
of ml-32m is the one that independent projects agree on, of the archive whose MD5 GroupLens publishes."""
_CATALOGUE = {known.name: known for known in _KNOWN}


def names() -> list[str]:
    """The names that `load` knows, the shipped ones first."""
    return list(_CATALOGUE)


def info(name: str) -> SetInfo | TableInfo | PictureInfo:
    """What is known of the data set `name`: counts, licence, source, and how it is come by.

    Raises:
        UnknownNameError: with the closest names.
    """
    known = _CATALOGUE.get(name.strip().lower().replace("_", "-"))
    if known is None:
        hint = did_you_mean(name, _CATALOGUE)
        raise UnknownNameError(f"There is no data set named {name!r}.{hint} There are {quote_some(names(), 20)}.")
    return known


@overload
def load(
    name: Literal["goodbooks", "movietweetings", "ml-100k", "ml-1m"],
    *,
    data_dir: str | Path | None = None,
    download: bool = True,
) -> RatingsSet: ...
@overload
def load(
    name: Literal["adult", "flights"], *, data_dir: str | Path | None = None, download: bool = True
) -> TableSet: ...
@overload
def load(name: Literal["fashion"], *, data_dir: str | Path | None = None, download: bool = True) -> PictureSet: ...
@overload
def load(name: str, *, data_dir: str | Path | None = None, download: bool = True) -> Any: ...
def load(name: str, *, data_dir: str | Path | None = None, download: bool = True) -> RatingsSet | TableSet | PictureSet:
    """A data set by its name: ratings, a table of mixed columns, or pictures.

    Args:
        name: one of `names()`.
        data_dir: a folder that holds folders named as the sets, or is itself the set's folder.
        download: whether to fetch the set from its source into the user's cache where it is found nowhere.

    Raises:
        UnknownNameError: for a name not in the catalogue.
        DataError: when the set is found nowhere, with every place tried, or its files are damaged.
    """
    known = info(name)
    if isinstance(known, TableInfo):
        return TABLES[known.name][1](known)
    if isinstance(known, PictureInfo):
        return PICTURES[known.name][1](known)
    if known.shipped:
        return _SHIPPED_READERS[known.name](known)
    from vectable.data.sets.movielens import is_movielens, read_movielens  # which builds on this module

    tried = []
    for place, folder in _places(known.name, data_dir):
        if folder is None:
            tried.append(place)
        elif is_movielens(folder):
            return read_movielens(folder)
        else:
            tried.append(f"{place} ({folder})")
    if known.url is None:
        tried.append("not offered for download, since no checksum of it is known")
    elif not download:
        tried.append(f"not downloaded from {known.url} (download=False)")
    else:
        try:
            return read_movielens(_download(known, cache_dir()))
        except _FetchError as problem:
            tried.append(str(problem))
    raise DataError(
        f"The data set {known.name!r} was not found: {'; '.join(tried)}. Unpack it into a folder named "
        f"{known.name}, and give the folder around that as data_dir= or in the variable {DATA_VARIABLE}."
    )


def cache_dir() -> Path:
    """Where downloaded sets are kept: the platform's cache folder for this user, not made yet perhaps."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vectable"


def _places(name: str, data_dir: str | Path | None) -> list[tuple[str, Path | None]]:
    """Where a set may lie on this machine: what to call the place, and the folder, None where not set."""
    places: list[tuple[str, Path | None]] = []
    if data_dir is not None:
        folder = Path(data_dir).expanduser()
        if not folder.is_dir():
            raise DataError(f"The data directory {folder} is not a folder.")
        places += [("not in data_dir", folder / name)]
        if folder.name == name:
            places += [("nor in data_dir itself", folder)]
    variable = os.environ.get(DATA_VARIABLE)
    if variable:
        places += [(f"not in {DATA_VARIABLE}", Path(variable).expanduser() / name)]
    else:
        places += [(f"{DATA_VARIABLE} is not set", None)]
    return [*places, ("not in the cache", cache_dir() / name)]


# ---------------------------------------------------------------------------------------------- shipped


def _goodbooks(known: SetInfo) -> RatingsSet:
    books = read_shipped("goodbooks", "books.parquet")
    return RatingsSet(
        name=known.name,
        ratings=read_shipped("goodbooks", "ratings.parquet"),
        items=books.select(
            pl.col("item_idx").alias("item"),
            "title",
            "authors",
            "year",
            "language",
            pl.col("genres").str.replace_all(",", "|", literal=True),
            pl.col("item").alias("book_id"),
        ),
        title="title",
        y_range=(0.0, 5.5),
        licence=known.licence,
        source=known.source,
    )


def _movietweetings(known: SetInfo) -> RatingsSet:
    films = read_shipped("movietweetings", "movies.parquet")
    return RatingsSet(
        name=known.name,
        ratings=read_shipped("movietweetings", "ratings.parquet"),
        items=films.select(pl.col("item_idx").alias("item"), "title", "genres", pl.col("item").alias("imdb_id")),
        title="title",
        timestamp="day",
        y_range=(-0.5, 10.5),
        licence=known.licence,
        source=known.source,
    )


_SHIPPED_READERS = {"goodbooks": _goodbooks, "movietweetings": _movietweetings}


# --------------------------------------------------------------------------------------------- download


class _FetchError(Exception):
    """Why a download came to nothing, as a part of a sentence."""


def _download(known: SetInfo, cache: Path) -> Path:
    """Fetch, check and unpack a set into ``cache/name``: all of it, or nothing is left behind."""
    from vectable.data.sets.movielens import is_movielens

    assert known.url is not None
    assert known.sha256 is not None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(prefix=f".{known.name}-", dir=cache))
    except OSError as problem:
        raise _FetchError(f"nor downloaded, since the cache {cache} cannot be written ({problem.strerror})") from None
    try:
        archive = workplace / "archive.zip"
        found = _fetch(known.url, archive)
        if found != known.sha256:
            raise _FetchError(
                f"the download from {known.url} is not the archive it should be "
                f"(its SHA-256 is {found[:12]}..., not {known.sha256[:12]}...)"
            )
        unpacked = _unpack(archive, workplace / "unpacked")
        if not is_movielens(unpacked):
            raise _FetchError(f"the archive from {known.url} holds no MovieLens ratings")
        target = cache / known.name
        if target.exists():
            shutil.rmtree(target)
        os.replace(unpacked, target)
        return target
    except OSError as problem:
        raise _FetchError(f"the download from {known.url} could not be stored in {cache} ({problem})") from None
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _fetch(url: str, target: Path) -> str:
    """Save what `url` answers with; its SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    received = 0
    try:
        with urllib.request.urlopen(url, timeout=30) as answer, target.open("wb") as file:
            expected = answer.headers.get("Content-Length")
            while block := answer.read(1 << 20):
                digest.update(block)
                received += len(block)
                file.write(block)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as problem:
        reason = getattr(problem, "reason", None) or problem
        raise _FetchError(f"the download from {url} failed ({reason})") from None
    if expected is not None and received != int(expected):
        raise _FetchError(f"the download from {url} broke off after {received:,} of {int(expected):,} bytes")
    return digest.hexdigest()


def _unpack(archive: Path, target: Path) -> Path:
    """Unpack a zip archive into `target`; the folder in it that holds the files."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for member in packed.namelist():
                if not (target / member).resolve().is_relative_to(target.resolve()):
                    raise _FetchError(f"the archive would write outside of its folder ({member!r})")
            packed.extractall(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as problem:
        raise _FetchError(f"the archive is damaged ({problem})") from None
    inside = [path for path in target.iterdir() if path.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target
