"""`vectable train ratings`: from a table of ratings to a saved model that recommends."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.gathering import grouped
from vectable.cli.options import AsJson, Epochs, Lr, ModelFolder, NModels, Preset, Quiet, TextFile, Wd, numbers_in
from vectable.cli.output import print_json, progress_console, report
from vectable.cli.ratings_file import File, MoreColumns, RatingColumns, RatingRows, read_ratings
from vectable.cli.ratings_report import RankingOption, columns_taken, measure, print_measured, report_verdict
from vectable.cli.training import Saved, Watching, outcome, report_kept, stoppable, was_interrupted
from vectable.errors import VectableError, require

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

METHODS = ("gradient", "bayes")
YRange = Annotated[str, typer.Option(help="LOW,HIGH of the predictions, a little outside the scale; auto; or none.")]
BatchSize = Annotated[int, typer.Option(help="Ratings per step.")]


@dataclass(frozen=True)
class Gradient:
    """How one best model, or the mean of several, is trained."""

    panel: ClassVar[str] = "With --method gradient"

    epochs: Epochs = 5
    lr: Lr = 5e-3
    wd: Wd = 0.1
    y_range: YRange = "auto"
    nn: Annotated[bool, typer.Option("--nn", help="A multi-layer net instead of the dot product.")] = False
    layers: Annotated[str, typer.Option(help="Widths of the net's hidden layers.")] = "100"
    n_models: NModels = 1
    preset: Preset = "modern"
    engine: Annotated[
        str,
        typer.Option(help="auto, compiled or torch.", autocompletion=complete_one_of("auto", "compiled", "torch")),
    ] = "auto"
    batch_size: BatchSize = 64

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `collab_learner`."""
        return {
            "wd": self.wd,
            "y_range": limits_in(self.y_range),
            "use_nn": self.nn,
            "layers": numbers_in(self.layers, int, "--layers"),
            "n_models": self.n_models,
            "preset": self.preset,
            "engine": self.engine,
        }


@dataclass(frozen=True)
class Bayes:
    """How draws from the posterior are made."""

    panel: ClassVar[str] = "With --method bayes"

    draws: Annotated[int, typer.Option(help="Number of draws kept.")] = 200
    burn_in: Annotated[int, typer.Option(help="Number of draws before them, which are thrown away.")] = 20
    features: Annotated[
        str, typer.Option(help="Columns of --users and --items, separated by commas; auto; or none.")
    ] = "auto"
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Do not use who rated what as a feature of users and items.")
    ] = False
    user_day: Annotated[bool, typer.Option("--user-day", help="A bias for each user and day; needs --timestamp.")] = (
        False
    )
    likelihood: Annotated[
        str, typer.Option(help="normal or ordinal.", autocompletion=complete_one_of("normal", "ordinal"))
    ] = "normal"
    chains: Annotated[int, typer.Option(help="Number of chains, from different starts.")] = 1

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `bayes_collab`."""
        listed = [name.strip() for name in self.features.split(",")]
        return {
            "n_draws": self.draws,
            "burn_in": self.burn_in,
            "features": {"auto": "auto", "none": None}.get(self.features, listed),
            "history": not self.no_history,
            "user_day": self.user_day,
            "likelihood": self.likelihood,
            "n_chains": self.chains,
        }


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
    out: ModelFolder = Path("model"),
    method: Annotated[
        str,
        typer.Option(
            help="gradient: one best model; bayes: draws from the posterior.", autocompletion=complete_one_of(*METHODS)
        ),
    ] = "gradient",
    factors: Annotated[
        int | None, typer.Option(help="Width of the vectors; 40 by default, and 16 with --method bayes.")
    ] = None,
    ranking: RankingOption = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train recommendations on a table of ratings: one row per rating, with user, item and a number.

    [bold]Example:[/bold] vectable train ratings ratings.csv --user userId --item movieId --rating rating -o movies
    """
    from vectable.artifact import check_target

    require(method in METHODS, f"--method is {method!r}; it is 'gradient' or 'bayes'.")
    refuse_others(context, method)
    watching.check()
    check_target(out)
    data = read_ratings(file, columns, more, text, batch_size=gradient.batch_size, **rows.arguments)
    report(columns_taken(data))
    if not quiet:
        report(repr(data))
    with stoppable() as stop:
        if method == "bayes":
            learn: CollabLearner | BayesLearner = draw(
                data, 16 if factors is None else factors, bayes, rows.seed, quiet
            )
        else:
            learn = train(data, 40 if factors is None else factors, gradient, watching, rows.seed, quiet)
    _finish(learn, out, ranking, stop.code, as_json)


def train(
    data: "RatingsData", factors: int, gradient: Gradient, watching: Watching, seed: int, quiet: bool
) -> "CollabLearner":
    """Train by gradient descent."""
    from vectable import collab_learner

    console = progress_console(quiet)
    learn = collab_learner(data, factors, seed=seed, progress=console, **gradient.arguments)
    learn.fit_one_cycle(gradient.epochs, gradient.lr, watching.callbacks(learn), **watching.checkpoints())
    report_kept(learn, watching, gradient.epochs, quiet)
    return learn


def draw(data: "RatingsData", factors: int, bayes: Bayes, seed: int, quiet: bool) -> "BayesLearner":
    """Draw from the posterior."""
    from vectable import bayes_collab

    return bayes_collab(data, factors, seed=seed, progress=progress_console(quiet), **bayes.arguments).fit()


def limits_in(y_range: str) -> Any:
    """The range of predictions that an option names: "auto", None, or two numbers."""
    limits: Any = {"auto": "auto", "none": None}.get(y_range, y_range)
    return tuple(numbers_in(y_range, float, "--y-range")) if limits not in ("auto", None) else limits


def refuse_others(context: typer.Context, method: str) -> None:
    """Report an option that belongs to another method, instead of ignoring it."""
    for other, groups in BELONGS.items():
        for name in (field.name for group in groups for field in fields(group)):
            source = context.get_parameter_source(name)
            if other != method and source is not None and source.name == "COMMANDLINE":
                option = "--" + name.replace("_", "-")
                raise VectableError(f"{option} belongs to --method {other}, and this is --method {method}.")


def _finish(
    learn: "CollabLearner | BayesLearner", out: Path, ranking: bool | None, stopped: int, as_json: bool
) -> None:
    """Save what was trained, and report how good it is."""
    saved = Saved.of(learn, out)
    measured = measure(learn, ranking)
    saved.keep(measured, measured["beats_baselines"])
    if as_json:
        print_json({**outcome(saved, learn), **measured})
    else:
        print_measured(measured)
        print(f"Saved to {saved.folder}. Next: vectable recommend {saved.folder} USER")
    report_verdict(measured)
    if was_interrupted(learn):
        raise typer.Exit(stopped)
