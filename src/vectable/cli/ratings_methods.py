"""The ways to train on ratings: their options, and a model trained each way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.options import Epochs, Lr, NModels, Preset, Wd, numbers_in
from vectable.cli.output import progress_console
from vectable.cli.training import Watching, report_kept

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

YRange = Annotated[str, typer.Option(help="LOW,HIGH of the predictions, a little outside the scale; auto; or none.")]
BatchSize = Annotated[int | None, typer.Option(help="Ratings per step; by default 64, and more of many users.")]


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
        typer.Option(
            help="auto, sgd, compiled or torch.", autocompletion=complete_one_of("auto", "sgd", "compiled", "torch")
        ),
    ] = "auto"
    batch_size: BatchSize = None

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
            "user_day_bias": self.user_day,
            "likelihood": self.likelihood,
            "n_chains": self.chains,
        }


@dataclass(frozen=True)
class Methods:
    """All that the options say of how a model of ratings is trained, whichever way.

    Attributes:
        factors: width of the vectors; None for what suits the method.
        lists: what ranks them, "ratings" or "interactions".
    """

    factors: int | None
    gradient: Gradient
    bayes: Bayes
    watching: Watching
    seed: int
    quiet: bool
    lists: Any = "ratings"

    def train(self, data: "RatingsData", *part: str) -> "CollabLearner":
        """Train by gradient descent.

        Args:
            part: folder of this training's checkpoints, below the one that was named.
        """
        from vectable import collab_learner

        how, watching = self.gradient, self.watching
        width = 40 if self.factors is None else self.factors
        learn = collab_learner(
            data, width, lists=self.lists, seed=self.seed, progress=progress_console(self.quiet), **how.arguments
        )
        learn.fit_one_cycle(how.epochs, how.lr, watching.callbacks(learn), **watching.checkpoints(*part))
        report_kept(learn, watching, how.epochs, self.quiet)
        return learn

    def draw(self, data: "RatingsData") -> "BayesLearner":
        """Draw from the posterior."""
        from vectable import bayes_collab_learner

        width, console = 16 if self.factors is None else self.factors, progress_console(self.quiet)
        learn = bayes_collab_learner(
            data, width, lists=self.lists, seed=self.seed, progress=console, **self.bayes.arguments
        )
        return learn.fit()


def limits_in(y_range: str) -> Any:
    """The range of predictions that an option names: "auto", None, or two numbers."""
    limits: Any = {"auto": "auto", "none": None}.get(y_range, y_range)
    return tuple(numbers_in(y_range, float, "--y-range")) if limits not in ("auto", None) else limits
