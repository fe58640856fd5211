"""What the train commands share: what is kept while a model trains, what stops it, and how its end is reported."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.output import report
from vectable.errors import require

if TYPE_CHECKING:
    from vectable.ratings.bayes import BayesLearner
    from vectable.training.hooks import Callback
    from vectable.training.learner import Learner

CTRL_C, TERMINATED = 130, 143  # exit codes of a process that the signal ended


@dataclass(frozen=True)
class Watching:
    """What is kept while a model trains, and when training stops."""

    panel: ClassVar[str] = "While it trains"

    keep: Annotated[
        str,
        typer.Option(
            help="Which epoch's weights are kept: the best on the held-out rows, or the last.",
            autocompletion=complete_one_of("best", "last"),
        ),
    ] = "best"
    early_stop: Annotated[
        int | None, typer.Option(metavar="EPOCHS", help="Stop when this many epochs brought no improvement.")
    ] = None
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Folder for checkpoints; after a crash the same command continues from the last one."),
    ] = None
    checkpoint_every: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds between checkpoints.", show_default="5")
    ] = None

    def check(self) -> None:
        """Refuse values that cannot be, before anything is read."""
        early, every = self.early_stop, self.checkpoint_every
        require(self.keep in ("best", "last"), f"--keep must be best or last; got {self.keep!r}.")
        require(early is None or early >= 1, f"--early-stop must be a positive integer; got {early}.")
        require(every is None or every > 0, f"--checkpoint-every must be a positive number of seconds; got {every}.")
        require(
            every is None or self.checkpoint is not None,
            "--checkpoint-every belongs to --checkpoint FOLDER; name the folder too.",
        )

    def callbacks(self, learn: "Learner") -> "list[Callback]":
        """The callbacks that these options ask for.

        Raises:
            VectableError: early stopping without held-out rows.
        """
        from vectable import EarlyStopping, RestoreBest

        held_out = len(learn.data.valid) > 0
        require(held_out or self.early_stop is None, "--early-stop looks at held-out rows: give --valid-pct above 0.")
        wanted: list[Callback] = [] if self.early_stop is None else [EarlyStopping(patience=self.early_stop)]
        return [*wanted, RestoreBest()] if self.keep == "best" and held_out else wanted

    def checkpoints(self, *part: str) -> dict[str, Any]:
        """The arguments with which a fit keeps checkpoints, and continues from the last one.

        Args:
            part: folders below the one that was named, for a command that fits more than once.
        """
        from vectable import Checkpoint

        if self.checkpoint is None:
            return {}
        return {
            "checkpoint": Checkpoint(self.checkpoint.joinpath(*part), seconds=self.checkpoint_every),
            "resume": True,
        }


@dataclass(frozen=True)
class Saved:
    """A model that a command saved, and what its folder held then.

    Attributes:
        folder: where it is.
        manifest: of the folder, right after the save.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def of(cls, learn: "Learner | BayesLearner", out: Path) -> "Saved":
        """Save a model."""
        from vectable.artifact import read_manifest

        folder = learn.save(out)
        return cls(folder, read_manifest(folder))

    def keep(self, measured: Any, beats_baselines: bool | None) -> None:
        """Let the folder say what was measured of its model, so that later commands can report it."""
        from vectable.artifact import add_settings

        add_settings(self.folder, self.manifest, measured=measured, beats_baselines=beats_baselines)


class Stop:
    """Whether a signal stopped the training, and the exit code that says so."""

    def __init__(self) -> None:
        self.code = CTRL_C

    def __call__(self, *_: Any) -> None:
        """End the training as Ctrl-C does: what was trained is kept."""
        self.code = TERMINATED
        raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Let SIGTERM end a training as Ctrl-C does, so that the command saves what was trained."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # signals are handled there alone
        yield stop
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def was_interrupted(learn: "Learner | BayesLearner") -> bool:
    """Whether a signal ended the latest training."""
    from vectable import BayesLearner

    return learn.interrupted if isinstance(learn, BayesLearner) else learn.recorder.interrupted


def outcome(saved: Saved, learn: "Learner | BayesLearner") -> dict[str, Any]:
    """What a program that called the command wants to know of the training."""
    from vectable import BayesLearner

    about = {"model": str(saved.folder), "interrupted": was_interrupted(learn)}
    return about if isinstance(learn, BayesLearner) else {**about, "best_epochs": best_epochs(learn)}


def report_stopped(learn: "Learner | BayesLearner", watching: Watching) -> None:
    """How to continue a training that a signal ended."""
    if was_interrupted(learn) and watching.checkpoint is not None:
        report(f"Stopped. The same command continues from the checkpoint in {watching.checkpoint}.")


def best_epochs(learn: "Learner") -> list[int]:
    """The epoch with the lowest validation loss of each model in the latest fit; none without validation rows."""
    runs = [run for run in learn.recorder.runs[-len(learn.members) :] if run.epochs]
    rows = [min(run.epochs, key=lambda row: row["valid_loss"]) for run in runs]
    return [int(row["epoch"]) for row in rows if row["valid_loss"] == row["valid_loss"]]


def report_kept(learn: "Learner", watching: Watching, epochs: int, quiet: bool) -> None:
    """Which epoch's weights the model has, and whether it stopped early."""
    if quiet:
        return
    done = [len(run.epochs) for run in learn.recorder.runs[-len(learn.members) :]]
    if watching.early_stop is not None and min(done) < epochs and not learn.recorder.interrupted:
        report(f"Stopped early, after {_listed(done)} of {epochs} epochs: no better for {watching.early_stop}.")
    best = best_epochs(learn)
    if best and watching.keep == "best":
        report(f"Kept the weights of epoch {_listed(best)}, the lowest loss on the held-out rows.")


def _listed(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in dict.fromkeys(numbers))
