"""What a training says while it runs, as events."""

import io
import time
from typing import Any

from rich.console import Console
from torch import nn

from vectable.studio.events import EventWriter
from vectable.training.hooks import Callback, Losses
from vectable.training.recorder import smooth
from vectable.training.session import TrainingSession

BETWEEN_STEPS = 0.05  # seconds


class StepEvents(Callback):
    """Writes an event for some steps, each epoch and each message.

    Args:
        events: where to.
    """

    def __init__(self, events: EventWriter) -> None:
        self._events, self._last = events, 0.0
        self._waiting: list[float] = []
        self._before, self._done = 0, 0

    def on_fit_start(self, session: TrainingSession, model: nn.Module) -> None:
        """Steps count on over fits and members."""
        self._before += self._done
        self._done = len(session.recorder.losses) if session.plan.purpose == "fit" and session.recorder.runs else 0
        self._waiting = []

    def on_step_end(self, session: TrainingSession, model: nn.Module, losses: Losses) -> None:
        """The mean loss since the last event."""
        self._waiting += losses.tolist()
        self._done += len(losses)
        now = time.monotonic()
        if now - self._last >= BETWEEN_STEPS or self._done == 1:
            self._last = now
            self._tell(session)

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> None:
        """The figures of an epoch."""
        self._tell(session)
        shown = {
            name: value for name, value in row.items() if name not in ("epoch", "train_loss", "valid_loss", "seconds")
        }
        self._events.write(
            "epoch",
            epoch=int(row["epoch"]) + 1,
            epochs=session.plan.n_epochs,
            member=session.position.member,
            step=self._before + self._done,
            train_loss=row["train_loss"],
            valid_loss=row["valid_loss"],
            metrics=shown,
            seconds=row["seconds"],
        )

    def on_message(self, session: TrainingSession, message: str) -> None:
        """A sentence."""
        self._events.write("message", text=message)

    def _tell(self, session: TrainingSession) -> None:
        if not self._waiting:
            return
        loss = sum(self._waiting) / len(self._waiting)
        plan, run = session.plan, session.recorder.runs[-1] if session.recorder.runs else None
        lr = float(run.lrs[min(self._done, len(run.lrs)) - 1, -1]) if run else None
        steps = self._before + plan.n_steps
        self._events.write("step", step=self._before + self._done, steps=steps, loss=loss, lr=lr)
        self._waiting = []


class FinderEvents(Callback):
    """Writes the finder's curve as it grows.

    Args:
        events: where to.
        start, end: the rates between which it goes.
    """

    def __init__(self, events: EventWriter, start: float = 1e-7, end: float = 10.0) -> None:
        self._events, self._start, self._end = events, start, end
        self._losses: list[float] = []
        self._last = 0.0

    def on_step_end(self, session: TrainingSession, model: nn.Module, losses: Losses) -> None:
        """The whole curve so far."""
        self._losses += losses.tolist()
        now = time.monotonic()
        if now - self._last >= BETWEEN_STEPS:
            self._last = now
            steps = session.plan.n_steps
            ratio = (self._end / self._start) ** (1 / max(steps - 1, 1))
            lrs = [self._start * ratio**at for at in range(len(self._losses))]
            self._events.write("finder", lrs=lrs, losses=smooth(self._losses).tolist(), suggested=None)


class Lines(io.TextIOBase):
    """A text stream that makes a message of every line that is printed to it.

    Args:
        events: where to.
    """

    def __init__(self, events: EventWriter) -> None:
        self._events, self._rest = events, ""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take text; whole lines are messages."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if said := " ".join(line.split()):
                self._events.write("message", text=said)
        return len(text)


def console_to(events: EventWriter) -> Console:
    """A console whose lines are messages."""
    stream: Any = Lines(events)
    return Console(file=stream, width=200, color_system=None, force_terminal=False)
