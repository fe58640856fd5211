"""`vectable train ratings`: from a table of ratings to a saved model that recommends."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.gathering import grouped
from vectable.cli.options import AsJson, ModelFolder, Quiet, TextFile
from vectable.cli.output import print_json, report
from vectable.cli.ratings_file import File, MoreColumns, RatingColumns, RatingRows, read_ratings
from vectable.cli.ratings_methods import Bayes, Gradient, Methods
from vectable.cli.ratings_report import RankingOption, columns_taken, measure, print_measured, report_verdict
from vectable.cli.train_auto import Tried, print_tried, try_methods
from vectable.cli.train_sharded import Sharded, refuse_what_is_of_whole_ratings, train_sharded
from vectable.cli.training import Saved, Watching, outcome, report_stopped, stoppable, was_interrupted
from vectable.errors import VectableError, require

if TYPE_CHECKING:
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

METHODS = ("gradient", "bayes", "auto")
BELONGS = {"gradient": (Gradient, Watching), "bayes": (Bayes,)}
"""The groups of options that only one method knows."""


@grouped
def ratings(
    context: typer.Context,
    file: File,
    columns: RatingColumns,
    more: MoreColumns,
    text: TextFile,
    rows: RatingRows,
    gradient: Gradient,
    bayes: Bayes,
    watching: Watching,
    sharded: Sharded,
    out: ModelFolder = Path("model"),
    method: Annotated[
        str,
        typer.Option(
            help="gradient: one best model, or the mean of --n-models; bayes: draws from the posterior; auto: tries "
            "gradient, an ensemble and bayes with small budgets, and keeps the best on the held-out rows.",
            autocompletion=complete_one_of(*METHODS),
        ),
    ] = "gradient",
    factors: Annotated[
        int | None, typer.Option(help="Width of the vectors; 40 by default, and 16 with --method bayes.")
    ] = None,
    lists: Annotated[
        str,
        typer.Option(
            help="What ranks lists: ratings, the predicted ones; or interactions, who would take what, with the "
            "predicted rating beside.",
            autocompletion=complete_one_of("ratings", "interactions"),
        ),
    ] = "ratings",
    ranking: RankingOption = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train recommendations on a table of ratings: one row per rating, with user, item and a number.

    [bold]Example:[/bold] vectable train ratings ratings.csv --user userId --item movieId --rating rating -o movies
    """
    from vectable.artifact import check_target

    require(method in METHODS, f"--method must be {' or '.join(map(repr, METHODS))}; got {method!r}.")
    require(lists in ("ratings", "interactions"), f"--lists must be 'ratings' or 'interactions'; got {lists!r}.")
    refuse_others(context, method)
    watching.check()
    sharded.check()
    check_target(out)
    if sharded.wanted:
        require(method == "gradient", f"Several processes train with --method gradient, and this is {method}.")
        refuse_what_is_of_whole_ratings(context)
        train_sharded(file, rows, factors, gradient, watching, sharded, out, quiet=quiet, as_json=as_json)
        return
    data = read_ratings(file, columns, more, text, batch_size=gradient.batch_size, **rows.arguments)
    report(columns_taken(data))
    if not quiet:
        report(repr(data))
    methods = Methods(factors, gradient, bayes, watching, rows.seed, quiet, lists)
    learn: CollabLearner | BayesLearner
    tried: list[Tried] = []
    with stoppable() as stop:
        if method == "auto":
            learn, tried = try_methods(data, methods)
        else:
            learn = methods.draw(data) if method == "bayes" else methods.train(data)
    report_stopped(learn, watching)
    _finish(learn, tried, out, ranking, stop.code, as_json)


def refuse_others(context: typer.Context, method: str) -> None:
    """Report an option that belongs to another method, instead of ignoring it."""
    for other, groups in BELONGS.items() if method != "auto" else ():
        for name in (field.name for group in groups for field in fields(group)):
            source = context.get_parameter_source(name)
            if other != method and source is not None and source.name == "COMMANDLINE":
                option = "--" + name.replace("_", "-")
                raise VectableError(f"{option} belongs to --method {other}, and this is --method {method}.")


def _finish(
    learn: "CollabLearner | BayesLearner",
    tried: list[Tried],
    out: Path,
    ranking: bool | None,
    stopped: int,
    as_json: bool,
) -> None:
    """Save what was trained, and report how good it is."""
    saved = Saved.of(learn, out)
    measured = measure(learn, ranking)
    saved.keep(measured, measured["beats_baselines"])
    if as_json:
        more = {"tried": [one.to_json() for one in tried]} if tried else {}
        print_json({**outcome(saved, learn), **measured, **more})
    else:
        if tried:
            print_tried(tried, measured["baselines"])
        print_measured(measured)
        print(f"Saved to {saved.folder}. Next: vectable recommend {saved.folder} USER")
    report_verdict(measured)
    if was_interrupted(learn):
        raise typer.Exit(stopped)
