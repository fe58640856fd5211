"""What may happen between epochs: keep the best, stop early, write a log. Subclass `Callback` for your own."""

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vectable.errors import DataError, UnknownNameError, did_you_mean, require

if TYPE_CHECKING:
    from torch import nn

    from vectable.training.learner import Learner


class Callback:
    """Called by the Learner; each method does nothing unless overridden.

    In an ensemble every member is a training of its own: `run_started` and `run_ended` come once a member.
    """

    def run_started(self, learn: "Learner", model: "nn.Module") -> None:
        """Training of `model` begins."""

    def epoch_ended(self, learn: "Learner", model: "nn.Module", row: dict[str, float]) -> bool:
        """An epoch of `model` is over, with these figures. Return True to stop."""
        return False

    def run_ended(self, learn: "Learner", model: "nn.Module") -> None:
        """Training of `model` is over, also when it was interrupted."""

    def state(self) -> dict[str, Tensor]:
        """What is remembered from epoch to epoch, for a checkpoint."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Remember what `state` gave, after `run_started`."""


class _Watching(Callback):
    """Follows one figure and knows when it was best.

    Args:
        monitor: name of the figure: "valid_loss", "train_loss" or a metric.
        better: "lower" or "higher"; by default lower, for accuracy and roc_auc higher.
    """

    def __init__(self, monitor: str = "valid_loss", better: str | None = None) -> None:
        require(better in (None, "lower", "higher"), f"better is {better!r}; it is 'lower' or 'higher'.")
        self.monitor = monitor
        self.sign = 1 if (better or ("higher" if monitor in ("accuracy", "roc_auc") else "lower")) == "lower" else -1

    def run_started(self, learn: "Learner", model: "nn.Module") -> None:
        self.best, self.since_best = math.inf, 0

    def improved(self, row: dict[str, float]) -> bool:
        if self.monitor not in row:
            raise UnknownNameError(
                f"There is no figure {self.monitor!r} to watch.{did_you_mean(self.monitor, row)} There are {list(row)}."
            )
        value = self.sign * row[self.monitor]
        if math.isnan(value):
            raise DataError(f"{self.monitor} cannot be watched: there are no validation rows.")
        better = value < self.best
        self.best, self.since_best = (value, 0) if better else (self.best, self.since_best + 1)
        return better

    def state(self) -> dict[str, Tensor]:
        """The best figure and the epochs since."""
        return {"best": torch.tensor(self.best, dtype=torch.float64), "since_best": torch.tensor(self.since_best)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on watching from there."""
        self.best, self.since_best = float(state["best"]), int(state["since_best"])


class KeepBest(_Watching):
    """After training, go back to the weights of the best epoch."""

    def run_started(self, learn: "Learner", model: "nn.Module") -> None:
        """Begin anew."""
        super().run_started(learn, model)
        self.weights: dict[str, Tensor] = {}

    def epoch_ended(self, learn: "Learner", model: "nn.Module", row: dict[str, float]) -> bool:
        """Copy the weights when they are the best so far."""
        if self.improved(row):
            self.weights = {name: value.clone() for name, value in model.state_dict().items()}
        return False

    def state(self) -> dict[str, Tensor]:
        """The best weights too."""
        return super().state() | {f"weights.{name}": value for name, value in self.weights.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take the best weights up too."""
        super().load_state(state)
        kept = {name.removeprefix("weights."): value for name, value in state.items() if name.startswith("weights.")}
        self.weights = kept

    def run_ended(self, learn: "Learner", model: "nn.Module") -> None:
        """Put the best weights back."""
        if self.weights:
            with torch.no_grad():
                model.load_state_dict(self.weights)


class EarlyStopping(_Watching):
    """Stop when the figure has not improved for `patience` epochs."""

    def __init__(self, monitor: str = "valid_loss", patience: int = 2, better: str | None = None) -> None:
        super().__init__(monitor, better)
        require(patience >= 1, f"patience is {patience}; it is a number of epochs, 1 or more.")
        self.patience = patience

    def epoch_ended(self, learn: "Learner", model: "nn.Module", row: dict[str, float]) -> bool:
        """Count the epochs without improvement."""
        self.improved(row)
        return self.since_best >= self.patience


class CSVLog(Callback):
    """Append a line an epoch to a CSV file."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def epoch_ended(self, learn: "Learner", model: "nn.Module", row: dict[str, float]) -> bool:
        """Write the line; the names of the figures first, where the file is new."""
        new = not self.path.exists() or self.path.stat().st_size == 0
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        return False
