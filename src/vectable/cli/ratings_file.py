"""A table of ratings as the command line names it: a file or a data set of the catalogue, and what its columns are."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_data, complete_one_of
from vectable.cli.named_sets import named_set
from vectable.cli.options import Seed, TextFile, ValidPct
from vectable.errors import require

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_data import RatingsData

File = Annotated[
    str,
    typer.Argument(
        help="CSV, TSV, Parquet or Arrow file; the name of a data set, e.g. goodbooks; or a database, with --query.",
        autocompletion=complete_data,
    ),
]


@dataclass(frozen=True)
class RatingColumns:
    """Which column is which."""

    panel: ClassVar[str] = "Columns"

    user: Annotated[
        str | None,
        typer.Option(help="Column with the user; by default one named so (userId, customer), else the first."),
    ] = None
    item: Annotated[
        str | None,
        typer.Option(help="Column with the item; by default one named so (movieId, product), else the second."),
    ] = None
    rating: Annotated[
        str | None, typer.Option(help="Column with the rating; by default one named so (stars, score), else the third.")
    ] = None
    wide: Annotated[
        bool, typer.Option("--wide", help="The file is a matrix: a row per user, and a column per item.")
    ] = False
    missing: Annotated[
        list[float] | None,
        typer.Option(help="With --wide, a number that stands for 'not rated', e.g. 99; may be repeated."),
    ] = None

    def check(self) -> None:
        """Refuse options that do not go together."""
        named = [option for option in ("item", "rating") if getattr(self, option) is not None]
        require(not (self.wide and named), f"--{''.join(named[:1])} names a column, and with --wide columns are items.")
        require(self.wide or not self.missing, "--missing belongs to --wide.")


@dataclass(frozen=True)
class MoreColumns:
    """What else is known of users, items and ratings."""

    panel: ClassVar[str] = "Columns"

    title: Annotated[str | None, typer.Option(help="Column with the item's name to show, here or in --items.")] = None
    timestamp: Annotated[str | None, typer.Option(help="Column with the time of the rating.")] = None
    items: Annotated[Path | None, typer.Option(help="File with more about the items, an id column first.")] = None
    users: Annotated[Path | None, typer.Option(help="File with more about the users, an id column first.")] = None

    def arguments(self, encoding: str) -> dict[str, Any]:
        """The arguments of `RatingsData.from_df`, the side tables read."""
        from vectable.data.io.files import read_table

        sides = {"items": self.items, "users": self.users}
        read = {name: read_table(path, encoding=encoding) for name, path in sides.items() if path is not None}
        return {"title": self.title, "timestamp": self.timestamp, **read}


@dataclass(frozen=True)
class RatingRows:
    """Which rows count, and which are held out."""

    panel: ClassVar[str] = "Rows"

    duplicates: Annotated[
        str,
        typer.Option(
            help="Pairs rated more than once: keep, last, mean or error.",
            autocompletion=complete_one_of("keep", "last", "mean", "error"),
        ),
    ] = "keep"
    missing_ids: Annotated[
        str,
        typer.Option(help="Rows without user or item: error or drop.", autocompletion=complete_one_of("error", "drop")),
    ] = "error"
    split: Annotated[
        str,
        typer.Option(
            help="What is held out: random rows, or time for the latest.",
            autocompletion=complete_one_of("random", "time"),
        ),
    ] = "random"
    valid_pct: ValidPct = 0.1
    seed: Seed = 42

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `RatingsData.from_df`."""
        return dict(vars(self))


def read_ratings(
    file: str,
    columns: RatingColumns | None = None,
    more: MoreColumns | None = None,
    text: TextFile | None = None,
    **how: Any,
) -> "RatingsData":
    """The ratings that the options name.

    Args:
        file: a file, a folder of lanes, a data set of the catalogue, or the address of a database.
        columns, more, text: the groups of options that were given.
        how: further arguments of `RatingsData.from_df`.
    """
    from vectable.data.lanes.lanes import MANIFEST
    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.data.sets.catalogue import RatingsSet

    columns, more, text = columns or RatingColumns(), more or MoreColumns(), text or TextFile()
    columns.check()
    chosen = named_set(file, RatingsSet)
    if chosen is not None:
        return chosen.to_data(**how)
    if (Path(file) / MANIFEST).is_file():
        return _of_lanes(file, how | more.arguments(text.encoding))
    table, how = text.read(file), how | more.arguments(text.encoding)
    if columns.wide:
        require(how.pop("timestamp") is None, "--timestamp names a column, and with --wide columns are items.")
        return RatingsData.from_wide(table, columns.user, missing=columns.missing or (), **how)
    return RatingsData.from_df(table, columns.user, columns.item, columns.rating, **how)


def _of_lanes(folder: str, how: dict[str, Any]) -> "RatingsData":
    """The ratings of lanes, whose columns were named when they were encoded."""
    from vectable.data.ratings.ratings_data import RatingsData

    named = [name for name in ("title", "timestamp") if how.pop(name, None) is not None]
    require(not named, f"--{''.join(named[:1])} belongs to vectable encode: lanes have the columns that it took.")
    for name, usual in (("duplicates", "keep"), ("missing_ids", "error"), ("split", "random")):
        require(how.pop(name, usual) == usual, f"--{name.replace('_', '-')} {usual} is all that lanes have.")
    return RatingsData.from_whole_lanes(folder, **how)
