"""`vectable lr-find`: a learning rate to train with, from a short run with growing rates."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vectable.cli.gathering import grouped
from vectable.cli.named_sets import is_table_set
from vectable.cli.options import AsJson, Preset, Seed, TextFile, Wd, numbers_in
from vectable.cli.output import print_json, progress_console
from vectable.cli.ratings_file import File, RatingColumns, read_ratings
from vectable.cli.ratings_methods import YRange, limits_in
from vectable.cli.table_file import TableColumns, Target, read_table_data

if TYPE_CHECKING:
    from vectable.training.lr_finder import FoundRates


@dataclass(frozen=True)
class Ratings:
    """The model for ratings whose rate is looked for."""

    panel: ClassVar[str] = "For ratings"

    factors: Annotated[int, typer.Option(help="Width of the vectors.")] = 40
    y_range: YRange = "auto"
    wd: Wd = 0.1


@dataclass(frozen=True)
class Table:
    """The net for any other table whose rate is looked for."""

    panel: ClassVar[str] = "For any other table"

    target: Target = None
    layers: Annotated[str, typer.Option(help="Widths of the hidden layers.")] = "200,100"


@grouped
def lr_find(
    file: File,
    columns: RatingColumns,
    text: TextFile,
    ratings: Ratings,
    table: Table,
    preset: Preset = "modern",
    batch_size: Annotated[
        int | None, typer.Option(help="Rows per step; by default 64 ratings or more, or 256 rows.")
    ] = None,
    seed: Seed = 42,
    plot: Annotated[
        Path | None, typer.Option(help="File to draw loss against learning rate into: .png, .svg or .pdf.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Suggest a learning rate for a table of ratings, or with --target for any other.

    [bold]Example:[/bold] vectable lr-find ratings.csv --plot lr.png        vectable lr-find people.csv --target salary
    """
    if table.target or is_table_set(file):
        found = _for_table(file, text, table, preset, seed, batch_size or 256)
    else:
        found = _for_ratings(file, columns, text, ratings, preset, seed, batch_size)
    if plot is not None:
        found.plot(path=str(plot))
    if as_json:
        print_json({"rate": found.rate, **found.suggestions, "withheld": found.withheld})
        return
    for name, value in {"use": found.rate, **found.suggestions}.items():
        if value is None:
            print(f"{name:<18}none: {found.withheld['rate' if name == 'use' else name]}")
        else:
            rates = value if isinstance(value, tuple) else (value,)
            print(f"{name:<18}{'  '.join(f'{rate:.2e}' for rate in rates)}")


def _for_ratings(
    file: str, columns: RatingColumns, text: TextFile, how: Ratings, preset: str, seed: int, batch_size: int | None
) -> "FoundRates":
    from vectable import collab_learner

    data = read_ratings(file, columns, text=text, seed=seed, batch_size=batch_size)
    learn = collab_learner(
        data, how.factors, limits_in(how.y_range), how.wd, preset=preset, seed=seed, progress=progress_console()
    )
    return learn.lr_find()


def _for_table(file: str, text: TextFile, how: Table, preset: str, seed: int, batch_size: int) -> "FoundRates":
    """The rates for a table, with what `train table` takes by default."""
    from vectable import tabular_learner

    widths = numbers_in(how.layers, int, "--layers")
    data = read_table_data(file, TableColumns(target=how.target), text, seed=seed, batch_size=batch_size)
    return tabular_learner(data, widths, preset=preset, seed=seed, progress=progress_console()).lr_find()
