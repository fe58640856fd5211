"""`vectable train interactions` and `vectable train next`: lists from orders, clicks or plays, without ratings."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.gathering import grouped
from vectable.cli.options import AsJson, ModelFolder, Quiet, Seed, TextFile
from vectable.cli.output import print_json, print_table, report

if TYPE_CHECKING:
    from vectable.data.interactions.interactions_data import InteractionsData
    from vectable.interactions.learner import InteractionLearner

File = Annotated[
    str,
    typer.Argument(
        help="CSV, TSV, Parquet or Arrow file, or a database with --query; a row says that a user met an item."
    ),
]


@dataclass(frozen=True)
class InteractionColumnsOptions:
    """Which column is which."""

    panel: ClassVar[str] = "Columns"

    user: Annotated[str | None, typer.Option(help="Column with the user; by default one named so, else the first.")] = (
        None
    )
    item: Annotated[
        str | None, typer.Option(help="Column with the item; by default one named so, else the second.")
    ] = None
    count: Annotated[str | None, typer.Option(help="Column with how often or how much; 1 per row by default.")] = None
    timestamp: Annotated[str | None, typer.Option(help="Column with the time, a number or a date.")] = None
    title: Annotated[str | None, typer.Option(help="Column with the name to show for an item.")] = None
    items: Annotated[Path | None, typer.Option(help="File with a row per item: title, category, ...")] = None
    users: Annotated[Path | None, typer.Option(help="File with a row per user.")] = None


@dataclass(frozen=True)
class InteractionRows:
    """Which rows train and which are held out."""

    panel: ClassVar[str] = "Rows"

    repeats: Annotated[
        str | None,
        typer.Option(
            help="What a pair in several rows counts: count, sum, last, any; by default sum with --count, else count.",
            autocompletion=complete_one_of("count", "sum", "last", "any"),
        ),
    ] = None
    split: Annotated[
        str | None,
        typer.Option(
            help="last, random, time or users; by default last with --timestamp, else random.",
            autocompletion=complete_one_of("last", "random", "time", "users"),
        ),
    ] = None
    valid_pct: Annotated[float | None, typer.Option(help="Share held out for validation.")] = None
    test_pct: Annotated[float | None, typer.Option(help="Share held out for the test.")] = None
    missing_ids: Annotated[str, typer.Option(help="Rows without user or item: error or drop.")] = "error"
    seed: Seed = 42


@grouped
def interactions(
    file: File,
    columns: InteractionColumnsOptions,
    text: TextFile,
    rows: InteractionRows,
    out: ModelFolder = Path("model"),
    model: Annotated[
        str,
        typer.Option(
            help="auto tries what the data allow and keeps the best on held-out rows; or als, ease, slim, neighbours.",
            autocompletion=complete_one_of("auto", "als", "ease", "slim", "neighbours"),
        ),
    ] = "auto",
    refit: Annotated[bool, typer.Option("--refit", help="Fit the chosen model again on everything.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train lists of what users would take on orders, clicks, plays or loans: one row per user and item, no rating.

    [bold]Example:[/bold] vectable train interactions orders.csv --user Customer --item Product --count Quantity -o shop
    """
    from vectable import implicit_learner
    from vectable.artifact import check_target

    check_target(out)
    data = read_interactions_file(file, columns, text, rows, quiet)
    _finish(implicit_learner(data, model, progress=not quiet and not as_json), out, refit, as_json)  # type: ignore[arg-type]  # the learner checks the name


@grouped
def next_item(
    file: File,
    columns: InteractionColumnsOptions,
    text: TextFile,
    rows: InteractionRows,
    out: ModelFolder = Path("model"),
    model: Annotated[
        str,
        typer.Option(
            help="auto and linear take seconds; sasrec trains a net, which takes hours without a GPU.",
            autocompletion=complete_one_of("auto", "linear", "sasrec"),
        ),
    ] = "auto",
    epochs: Annotated[int | None, typer.Option(help="Epochs of sasrec at most.")] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Fit the chosen model again on everything.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train lists of what users take next on interactions with times: orders, clicks, plays or loans.

    [bold]Example:[/bold] vectable train next plays.csv --user listener --item song --timestamp when -o radio
    """
    from vectable import next_item_learner
    from vectable.artifact import check_target

    check_target(out)
    data = read_interactions_file(file, columns, text, rows, quiet)
    changes = {} if epochs is None else {"epochs": epochs}
    known: Any = model  # the learner checks the name
    learn = next_item_learner(data, known, sasrec=changes, progress=not quiet and not as_json)
    _finish(learn, out, refit, as_json)


def read_interactions_file(
    file: str, columns: InteractionColumnsOptions, text: TextFile, rows: InteractionRows, quiet: bool
) -> "InteractionsData":
    """The interactions of a file, with a line on which column was taken for what."""
    from vectable import InteractionsData

    named = {name: getattr(columns, name) for name in ("user", "item", "count", "timestamp", "title", "items", "users")}
    how: dict[str, Any] = {one.name: getattr(rows, one.name) for one in fields(rows)}
    data = InteractionsData.from_df(text.read(file), **named, **how)
    taken = ", ".join(f"{role} {name!r}" for role, name in data.columns.to_json().items() if name)
    report(f"Columns: {taken}.")
    if not quiet:
        report(repr(data))
    return data


def _finish(learn: "InteractionLearner", out: Path, refit: bool, as_json: bool) -> None:
    """Fit, measure on the test part where there is one, save, and report."""
    from vectable.evaluating import evaluate

    data = learn.data
    learn.fit()
    tested = evaluate({"model": learn}, data, k=10) if len(data.test) else None
    if refit:
        learn.fit(refit=True)
    folder = learn.save(out)
    beats = tested is None or tested.mean("model", "ndcg@10") > tested.mean("popularity", "ndcg@10")
    if as_json:
        figures = None if tested is None else tested.to_frame().to_dicts()
        kept = None if learn.chosen is None else learn.chosen.name
        print_json({"saved": str(folder), "kept": kept, "tried": learn.tried.to_dicts(), "test": figures})
        return
    print_table(learn.tried, "On the validation part")
    if tested is not None:
        shown = ["model", "ndcg@10", "recall@10", "mrr@10", "coverage@10", "novelty@10"]
        print_table(tested.to_frame().select(shown), f"On the test part, {tested.n_users:,} users")
    if not beats:
        report("note: The model does not beat popularity on the test part; do not rely on it.")
    print(f"Saved to {folder}. Next: vectable recommend {folder} USER")
