"""A table of mixed columns as the command line names it: a file or a data set, and what its columns are."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_data, complete_one_of
from vectable.cli.named_sets import named_set
from vectable.cli.options import Seed, TextFile, ValidPct, names_in
from vectable.errors import VectableError, require, require_columns

if TYPE_CHECKING:
    from vectable.data.tables.table_data import TableData

BINS = ("tree", "quantile", "none")

File = Annotated[
    str,
    typer.Argument(
        help="CSV, TSV, Parquet or Arrow file; the name of a data set, e.g. adult; or a database, with --query.",
        autocompletion=complete_data,
    ),
]
Target = Annotated[
    list[str] | None, typer.Option("--target", "-t", help="Column to predict; repeat it for several numbers at once.")
]


@dataclass(frozen=True)
class TableColumns:
    """Which column is what."""

    panel: ClassVar[str] = "Columns"

    target: Target = None
    task: Annotated[
        str | None,
        typer.Option(
            help="classes or numbers; auto-detected by default.", autocompletion=complete_one_of("classes", "numbers")
        ),
    ] = None
    cats: Annotated[str | None, typer.Option(help="Columns of categories, separated by commas.")] = None
    conts: Annotated[
        str | None, typer.Option(help="Columns of numbers. With --cats and --conts no other columns are used.")
    ] = None
    dates: Annotated[str | None, typer.Option(help="Columns of dates, which are split into their parts.")] = None
    whole_numbers: Annotated[
        str,
        typer.Option(
            help="Columns of few different whole numbers: both, a category and a number at once; or category.",
            autocompletion=complete_one_of("both", "category"),
        ),
    ] = "both"
    without: Annotated[str | None, typer.Option(help="Columns to leave out, separated by commas.")] = None
    weights: Annotated[str | None, typer.Option(help="Column with the weight of each row.")] = None
    decimal: Annotated[
        str,
        typer.Option(
            help="Decimal sign: '.' or ','; auto-detected by default.", autocompletion=complete_one_of(".", ",")
        ),
    ] = "auto"
    date_order: Annotated[
        str,
        typer.Option(
            help="'day first', 'month first' or a format such as '%d.%m.%Y'; auto-detected by default.",
            autocompletion=complete_one_of("day first", "month first"),
        ),
    ] = "auto"
    bad_dates: Annotated[
        str,
        typer.Option(
            help="Text that is not a date in a column of dates: error, or missing to take it for missing.",
            autocompletion=complete_one_of("error", "missing"),
        ),
    ] = "error"
    log_target: Annotated[bool, typer.Option("--log-target", help="Learn the logarithm of 1 + the number.")] = False
    balanced: Annotated[bool, typer.Option("--balanced", help="Give all classes the same total weight.")] = False
    bins: Annotated[
        str,
        typer.Option(help="Bins for the numbers: tree, quantile or none.", autocompletion=complete_one_of(*BINS)),
    ] = "tree"

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `TableData.from_df`, but for the target and the columns left out."""
        require(self.bins in BINS, f"--bins must be tree, quantile or none; got {self.bins!r}.")
        named = {"cat_names": self.cats, "cont_names": self.conts, "date_names": self.dates}
        return {
            **{argument: names_in(names) for argument, names in named.items() if names is not None},
            "task": self.task,
            "whole_numbers": self.whole_numbers,
            "weights": self.weights,
            "log_target": self.log_target,
            "decimal": self.decimal,
            "dates": self.date_order,
            "bad_dates": self.bad_dates,
            "class_weight": "balanced" if self.balanced else None,
            "bins": None if self.bins == "none" else self.bins,
        }


@dataclass(frozen=True)
class TableRows:
    """Which rows count, and which are held out."""

    panel: ClassVar[str] = "Rows"

    valid_pct: ValidPct = 0.2
    split: Annotated[
        str, typer.Option(help="What is held out: random rows; or a column (a date), whose latest rows are.")
    ] = "random"
    missing_target: Annotated[
        str,
        typer.Option(help="Rows without a target: error or drop.", autocompletion=complete_one_of("error", "drop")),
    ] = "error"
    seed: Seed = 42


def read_table_data(file: str, columns: TableColumns, text: TextFile, **how: Any) -> "TableData":
    """The table that the options name: a file, or a data set of the catalogue.

    Args:
        how: further arguments of `TableData.from_df`.
    """
    from vectable.data.sets.table_sets import TableSet
    from vectable.data.tables.table_data import TableData

    how |= columns.arguments
    without = names_in(columns.without) or []
    target: Any = columns.target[0] if columns.target and len(columns.target) == 1 else columns.target
    chosen = named_set(file, TableSet)
    if chosen is not None:
        require_columns(without, chosen.table.columns, f"The data set {file!r}")
        return chosen.without(without).to_data(target, **how)
    if not target:
        raise VectableError("Name the column to predict with --target COLUMN.")
    return TableData.from_df(text.read(file, decimal=columns.decimal), target, without=without, **how)
