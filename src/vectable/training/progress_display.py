"""Training in a terminal or notebook: the display listens to the same events as every other callback."""

from rich.console import Console
from torch import nn

from vectable.training.hooks import Callback, Losses
from vectable.training.progress import Progress
from vectable.training.session import TrainingSession


class ProgressDisplay(Callback):
    """Shows a fit or the finder as it goes: a live bar, the figures of each epoch, messages. Used as a context.

    Args:
        show: True, False, or the console to print to.
    """

    def __init__(self, show: bool | Console) -> None:
        self.show, self.progress = show, Progress(show, 0, ())
        self.started = False

    def __enter__(self) -> "ProgressDisplay":
        return self

    def __exit__(self, *problem: object) -> None:
        self.progress.bar.stop()

    def on_fit_start(self, session: TrainingSession, model: nn.Module) -> None:
        """The bar, and the names of the columns; once for all members of an ensemble."""
        if self.started:
            return
        self.started, plan = True, session.plan
        columns = ["epoch", "train_loss", "valid_loss", *session.options.metrics_by_name, "seconds"]
        columns = ["model", *columns] if plan.n_models > 1 else columns
        self.progress = Progress(self.show, plan.n_steps * plan.n_models, columns)
        self.progress.bar.start()
        if plan.purpose == "fit":
            self.progress.header()
            done = session.position.member * plan.n_steps + len(session.recorder.losses)
            self.progress.advance(done, "continuing" if done else "training")

    def on_step_end(self, session: TrainingSession, model: nn.Module, losses: Losses) -> None:
        """The bar moves."""
        at, plan = session.position, session.plan
        what = f"epoch {at.epoch + 1}/{plan.n_epochs}" if plan.purpose == "fit" else "trying learning rates"
        self.progress.advance(len(losses), what)

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> None:
        """The figures of an epoch."""
        self.progress.row({"model": session.position.member, **row})

    def on_message(self, session: TrainingSession, message: str) -> None:
        """A line of text."""
        self.progress.say(message)
