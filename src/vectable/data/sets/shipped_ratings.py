"""The ratings that come with the package."""

from collections.abc import Callable

import polars as pl

from vectable.data.sets.ratings_set import RatingsSet, SetInfo
from vectable.data.sets.shipped_files import read_shipped


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


RATINGS: dict[str, tuple[SetInfo, Callable[[SetInfo], RatingsSet]]] = {
    "goodbooks": (
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
        _goodbooks,
    ),
    "movietweetings": (
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
        _movietweetings,
    ),
}
"""What is known of each, and what reads it."""
