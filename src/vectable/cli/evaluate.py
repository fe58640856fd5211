"""`vectable evaluate`: which model makes the best lists from a table of interactions, measured on what was held out."""

from typing import Annotated

import typer

from vectable.cli.gathering import grouped
from vectable.cli.options import AsJson, Quiet, TextFile
from vectable.cli.output import print_json, print_table
from vectable.cli.train_interactions import File, InteractionColumnsOptions, InteractionRows, read_interactions_file

FIGURES = ["ndcg", "recall", "mrr", "coverage", "novelty"]


@grouped
def evaluate(
    file: File,
    columns: InteractionColumnsOptions,
    text: TextFile,
    rows: InteractionRows,
    k: Annotated[int, typer.Option("-k", min=1, help="Length of the lists.")] = 10,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Fit every model of interactions on the training part of a table, and measure their lists on the test part.

    Popularity, and recent popularity where there are times, stand beside them. Nothing is saved.

    [bold]Example:[/bold] vectable evaluate orders.csv --user Customer --item Product --timestamp "Order Date"
    """
    from vectable.interactions.comparison import compare_interactions

    data = read_interactions_file(file, columns, text, rows, quiet)
    found = compare_interactions(data, k=k, progress=not quiet and not as_json)
    n_users, table, differences = found.evaluation.n_users, found.to_frame(), found.differences()
    if as_json:
        print_json({"users": n_users, "models": table.to_dicts(), "differences": differences.to_dicts()})
        return
    shown = ["model", *(f"{name}@{k}" for name in FIGURES), "fit_seconds"]
    print_table(table.select(shown), f"On the test part, {n_users:,} users")
    print_table(differences, f"NDCG@{k} beside popularity, with an interval of 95 %")
