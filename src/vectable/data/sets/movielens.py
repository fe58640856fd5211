"""The MovieLens data sets as GroupLens packs them, each layout recognized by the files in its folder.

Whatever the layout, the tables that come out have the same columns:

- ratings: user, item, rating, timestamp (seconds since 1970; not in every set);
- items: item, title, year (of the title, missing where it has none), genres (``Action|Comedy``, missing where
  none are listed), and for ml-100k release_date (text, ``01-Jan-1995``);
- users: user, age (years in ml-100k; in ml-1m the first year of an age group, 1 for under 18), gender,
  occupation, zip_code (text); only for ml-100k and ml-1m.

A title may stand for two items: ml-100k has 1,682 items and 1,664 titles. They stay apart by their ids.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from vectable.data.io.files import read_table
from vectable.data.sets.movielens_archives import MOVIELENS_LICENCE, MOVIELENS_SOURCE
from vectable.data.sets.ratings_set import Fold, RatingsSet
from vectable.errors import DataError, quote_some, require_columns

RATING_COLUMNS = ["user", "item", "rating", "timestamp"]

GENRES_100K = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *(
        "Fantasy",
        "Film-Noir",
        "Horror",
        "Musical",
        "Mystery",
        "Romance",
        "Sci-Fi",
        "Thriller",
        "War",
        "Western",
    ),
]
"""What the last 19 columns of u.item stand for, in their order."""

OCCUPATIONS_1M = [
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service"),
    *("doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer"),
    *("programmer", "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer"),
    *("tradesman/craftsman", "unemployed", "writer"),
]
"""What the occupation numbers of users.dat stand for."""

CROSS_VALIDATION_100K = ("u1", "u2", "u3", "u4", "u5")
HOLD_OUTS_100K = ("ua", "ub")


def is_movielens(folder: str | Path) -> bool:
    """Whether `folder` holds the ratings of a MovieLens set in a layout that `read_movielens` knows."""
    return _ratings_file(Path(folder)) is not None


def read_movielens(folder: str | Path) -> RatingsSet:
    """Read a MovieLens set from its unpacked folder.

    The layouts are ml-100k (u.data, u.item, u.user, u1.base ...), ml-1m and ml-10m (ratings.dat, or
    ratings_no_timestamp.dat, movies.dat, users.dat), and latest-small, 20m, 25m, 32m (ratings.csv,
    movies.csv).
    Tables of items or users that are not there are None; tags, links and genome scores are not read.

    Raises:
        DataError: when the folder is missing or has none of these layouts, or one of its files is damaged.
    """
    folder = Path(folder).expanduser()
    ratings_file = _ratings_file(folder)
    if ratings_file is None:
        what = "is not one" if folder.is_dir() else "does not exist"
        raise DataError(
            f"The MovieLens folder {folder} {what}: none of {quote_some(_LAYOUTS, 9)} is there. "
            f"Give the folder into which a MovieLens archive was unpacked."
        )
    return _LAYOUTS[ratings_file](folder, ratings_file)


def _ratings_file(folder: Path) -> str | None:
    return next((name for name in _LAYOUTS if (folder / name).is_file()), None)


# ---------------------------------------------------------------------------------------------- ml-100k


def _read_100k(folder: Path, ratings_file: str) -> RatingsSet:
    return _set(
        _name(folder, "ml-100k"),
        _ratings_100k(folder / ratings_file),
        _read_if_there(folder / "u.item", _items_100k),
        _read_if_there(folder / "u.user", _users_100k),
        folds={
            name: partial(_fold_100k, folder, name)
            for name in CROSS_VALIDATION_100K + HOLD_OUTS_100K
            if (folder / f"{name}.base").is_file() and (folder / f"{name}.test").is_file()
        },
    )


def _ratings_100k(file: Path) -> pl.DataFrame:
    return read_table(file, sep="\t", has_header=False, columns=RATING_COLUMNS)


def _fold_100k(folder: Path, name: str) -> Fold:
    return _ratings_100k(folder / f"{name}.base"), _ratings_100k(folder / f"{name}.test")


def _items_100k(file: Path) -> pl.DataFrame:
    """u.item: id | title | release date | video release date | link | 19 columns of 0 and 1."""
    columns = ["item", "title", "release_date", "video_release_date", "link", *GENRES_100K]
    films = read_table(file, sep="|", has_header=False, columns=columns, encoding="latin-1")
    genres = [pl.when(pl.col(genre) == 1).then(pl.lit(genre)) for genre in GENRES_100K]
    return films.select(
        "item",
        *_title_and_year(),
        pl.concat_str(genres, separator="|", ignore_nulls=True).replace("", None).alias("genres"),
        "release_date",
    )


def _users_100k(file: Path) -> pl.DataFrame:
    columns = ["user", "age", "gender", "occupation", "zip_code"]
    people = read_table(file, sep="|", has_header=False, columns=columns, encoding="latin-1")
    return people.with_columns(pl.col("zip_code").cast(pl.String))


# ------------------------------------------------------------------------------------ ml-1m and ml-10m


def _read_dat(folder: Path, ratings_file: str) -> RatingsSet:
    ratings = read_table(folder / ratings_file, sep="::", has_header=False)
    if ratings.width not in (3, 4):
        raise DataError(
            f"{folder / ratings_file} has {ratings.width} columns where MovieLens has user::item::rating, "
            f"with or without ::timestamp."
        )
    ratings.columns = RATING_COLUMNS[: ratings.width]
    return _set(
        _name(folder, "ml-1m"),
        ratings,
        _read_if_there(folder / "movies.dat", _items_dat),
        _read_if_there(folder / "users.dat", _users_1m),
    )


def _items_dat(file: Path) -> pl.DataFrame:
    """movies.dat: id::title::genres, in Latin-1 in ml-1m and in UTF-8 in ml-10m."""
    read = partial(read_table, file, sep="::", has_header=False, columns=["item", "title", "genres"])
    try:
        films = read()
    except DataError as problem:
        if "UTF-8" not in str(problem):
            raise
        films = read(encoding="latin-1")
    return films.select("item", *_title_and_year(), _listed_genres())


def _users_1m(file: Path) -> pl.DataFrame:
    columns = ["user", "gender", "age", "occupation", "zip_code"]
    people = read_table(file, sep="::", has_header=False, columns=columns, encoding="latin-1")
    occupation = pl.col("occupation").replace_strict(dict(enumerate(OCCUPATIONS_1M)), default=None)
    return people.select("user", "age", "gender", occupation, pl.col("zip_code").cast(pl.String))


# ---------------------------------------------------------------------------- latest-small, 20m, 25m, 32m


def _read_csv(folder: Path, ratings_file: str) -> RatingsSet:
    file = folder / ratings_file
    ratings = read_table(file)
    require_columns(["userId", "movieId", "rating"], ratings.columns, str(file))
    ratings = ratings.rename({"userId": "user", "movieId": "item"})
    ratings = ratings.select(column for column in RATING_COLUMNS if column in ratings.columns)
    return _set(_name(folder, "movielens"), ratings, _read_if_there(folder / "movies.csv", _items_csv), users=None)


def _items_csv(file: Path) -> pl.DataFrame:
    films = read_table(file)
    require_columns(["movieId", "title", "genres"], films.columns, str(file))
    return films.rename({"movieId": "item"}).select("item", *_title_and_year(), _listed_genres())


# --------------------------------------------------------------------------------------- common to all

_LAYOUTS: dict[str, Callable[[Path, str], RatingsSet]] = {
    "u.data": _read_100k,
    "ratings.dat": _read_dat,
    "ratings_no_timestamp.dat": _read_dat,
    "ratings.csv": _read_csv,
}
"""The file of ratings tells the layout."""


def _set(
    name: str,
    ratings: pl.DataFrame,
    items: pl.DataFrame | None,
    users: pl.DataFrame | None,
    folds: dict[str, Callable[[], Fold]] | None = None,
) -> RatingsSet:
    folds = folds or {}
    complete = all(name in folds for name in CROSS_VALIDATION_100K)
    return RatingsSet(
        name=name,
        ratings=ratings,
        items=items,
        users=users,
        title=None if items is None else "title",
        timestamp="timestamp" if "timestamp" in ratings.columns else None,
        y_range=(0.0, 5.5),
        licence=MOVIELENS_LICENCE,
        source=MOVIELENS_SOURCE,
        fold_readers=folds,
        cross_validation=CROSS_VALIDATION_100K if complete else (),
    )


def _name(folder: Path, otherwise: str) -> str:
    name = folder.resolve().name
    return name if name.startswith("ml-") else otherwise


def _read_if_there(file: Path, read: Callable[[Path], pl.DataFrame]) -> pl.DataFrame | None:
    return read(file) if file.is_file() else None


def _title_and_year() -> tuple[pl.Expr, pl.Expr]:
    """The title without blanks around it, and the last year in parentheses in it."""
    title = pl.col("title").cast(pl.String).str.strip_chars()
    return title, title.str.extract(r".*\(((?:18|19|20)\d\d)").cast(pl.Int64).alias("year")


def _listed_genres() -> pl.Expr:
    return pl.col("genres").cast(pl.String).replace("(no genres listed)", None)
