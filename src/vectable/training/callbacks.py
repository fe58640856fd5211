"""Callbacks for every day, `vt.callbacks`: keep the best epoch, stop early, write a log, feed TensorBoard or MLflow.

Subclass `Callback` for your own.
"""

import csv
import math
from pathlib import Path

import torch
from torch import Tensor, nn

from vectable.deprecation import warn_renamed
from vectable.errors import DataError, UnknownNameError, VectableError, did_you_mean, is_whole, require
from vectable.training.hooks import Callback
from vectable.training.session import TrainingSession
from vectable.training.tracking import MLflow as MLflow
from vectable.training.tracking import TensorBoard as TensorBoard

BEST_IS_HIGHEST = ("accuracy", "roc_auc")
FORMER_MODES = {"lower": "min", "higher": "max"}  # of the argument `better`


class _Watching(Callback):
    """Follows one figure and knows when it was best.

    Args:
        monitor: name of the figure: "valid_loss", "train_loss" or a metric.
        mode: "min" or "max", whichever is best; by default "max" for accuracy and roc_auc, else "min".
        better: former name of `mode`, with "lower" and "higher" for its values.
    """

    def __init__(self, monitor: str = "valid_loss", mode: str | None = None, *, better: str | None = None) -> None:
        mode = _mode(mode, better)
        self.monitor = monitor
        self.sign = -1 if (mode or ("max" if monitor in BEST_IS_HIGHEST else "min")) == "max" else 1

    def on_fit_start(self, session: TrainingSession, model: nn.Module) -> None:
        """Start again."""
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
        """The best figure and the number of epochs since."""
        return {"best": torch.tensor(self.best, dtype=torch.float64), "since_best": torch.tensor(self.since_best)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue watching from there."""
        self.best, self.since_best = float(state["best"]), int(state["since_best"])


class RestoreBest(_Watching):
    """After training, go back to the weights of the best epoch.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, wd=0.0, progress=False)
        >>> _ = learn.fit(6, 5e-3, callbacks=[vt.RestoreBest()])
        >>> round(learn.validate()["valid_loss"] - learn.recorder.to_frame()["valid_loss"].min(), 6)
        0.0
    """

    def on_fit_start(self, session: TrainingSession, model: nn.Module) -> None:
        """Start again."""
        super().on_fit_start(session, model)
        self.weights: dict[str, Tensor] = {}

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> bool:
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

    def on_fit_end(self, session: TrainingSession, model: nn.Module) -> None:
        """Put the best weights back."""
        if self.weights:
            with torch.no_grad():
                model.load_state_dict(self.weights)


class EarlyStopping(_Watching):
    """Stop when the figure has not improved for `patience` epochs.

    Args:
        monitor: name of the figure: "valid_loss", "train_loss" or a metric.
        patience: number of epochs without improvement.
        mode: "min" or "max", whichever is best; by default "max" for accuracy and roc_auc, else "min".
        better: former name of `mode`, with "lower" and "higher" for its values.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, wd=0.0, progress=False)
        >>> _ = learn.fit(30, 5e-3, callbacks=[vt.EarlyStopping(patience=1)])
        >>> len(learn.recorder.to_frame()) < 30
        True
    """

    def __init__(
        self, monitor: str = "valid_loss", patience: int = 2, mode: str | None = None, *, better: str | None = None
    ) -> None:
        super().__init__(monitor, mode, better=better)
        require(is_whole(patience, 1), f"patience must be a positive integer; got {patience!r}.")
        self.patience = patience

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> bool:
        """Count the epochs without improvement."""
        self.improved(row)
        return self.since_best >= self.patience


class CSVLogger(Callback):
    """Append a line per epoch to a CSV file.

    Examples:
        >>> from pathlib import Path
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, progress=False)
        >>> _ = learn.fit(2, 5e-3, callbacks=[vt.CSVLogger("epochs.csv")])
        >>> len(Path("epochs.csv").read_text().splitlines())  # a header and two epochs
        3
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> bool:
        """Write the line; the names of the figures first, where the file is new."""
        new = not self.path.exists() or self.path.stat().st_size == 0
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        return False


def _mode(mode: str | None, better: str | None) -> str | None:
    """The mode, also by its former name and values."""
    if better is not None:
        warn_renamed("better=", "mode=")
        if mode is not None:
            raise VectableError("mode and better are the same argument; give mode.")
        mode = FORMER_MODES.get(better, better)
    if mode in FORMER_MODES:  # better was the second argument
        warn_renamed(f"better={mode!r}", f"mode={FORMER_MODES[mode]!r}")
        mode = FORMER_MODES[mode]
    require(mode in (None, "min", "max"), f"mode must be 'min' or 'max'; got {mode!r}.")
    return mode
