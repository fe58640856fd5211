"""What happened in training: learning rates, momenta and losses by step, a row of figures by epoch, and their plots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.errors import VectableError
from vectable.training.schedules import Schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOOTHING = 0.98


def smooth(losses: Sequence[float] | NDArray[np.floating[Any]], beta: float = SMOOTHING) -> NDArray[np.float64]:
    """Exponentially weighted mean, debiased: ``s = beta * s + (1 - beta) * x``, shown as ``s / (1 - beta ** (i + 1))``.

    Args:
        losses: (steps,).
    """
    smoothed = np.empty(len(losses))
    running = 0.0
    for i, loss in enumerate(np.asarray(losses, dtype=np.float64).tolist()):
        running = beta * running + (1 - beta) * loss
        smoothed[i] = running / (1 - beta ** (i + 1))
    return smoothed


@dataclass
class Run:
    """One model trained through one schedule.

    Attributes:
        lrs, moms: of the whole schedule, (steps, layer groups).
        member: number of the model in an ensemble, 0 for the first or only one.
        epochs: a row of figures for each epoch done.
        epoch_ends: number of steps done at the end of each epoch.
    """

    lrs: NDArray[np.float64]
    moms: NDArray[np.float64]
    member: int = 0
    epochs: list[dict[str, float]] = field(default_factory=list)
    epoch_ends: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._losses = np.empty(len(self.lrs), dtype=np.float32)
        self._done = 0

    @property
    def losses(self) -> NDArray[np.float32]:
        """Training loss of each step done, (steps done,)."""
        return self._losses[: self._done]

    def add(self, losses: NDArray[np.floating[Any]]) -> None:
        """Append the losses of some steps."""
        self._losses[self._done : self._done + len(losses)] = losses
        self._done += len(losses)

    def epoch_loss(self) -> float:
        """Training loss of the epoch under way: the smoothed loss at its last step."""
        first = self.epoch_ends[-1] if self.epoch_ends else 0
        recent = self.losses[max(first, len(self.losses) - 500) :]
        return float(smooth(recent)[-1]) if len(recent) else float("nan")

    def end_epoch(self, row: dict[str, float]) -> None:
        """Note the figures of an epoch."""
        self.epochs.append(row)
        self.epoch_ends.append(len(self.losses))


class Recorder:  # noqa: PLR0904
    """All runs of a learner, the latest last.

    It has more than a dozen methods because six of them are series of the latest run, which a user plots one by one, as
    in the lesson.

    Attributes:
        runs: one per fit, or one per member and fit for an ensemble.
        interrupted: whether Ctrl-C ended the latest fit.
    """

    def __init__(self, to_native: Callable[[pl.DataFrame], Any] = lambda frame: frame) -> None:
        self.runs: list[Run] = []
        self.interrupted = False
        self._to_native = to_native

    def start(self, schedule: Schedule, member: int) -> Run:
        """Begin a run."""
        self.runs.append(Run(schedule.lrs, schedule.moms, member))
        return self.runs[-1]

    def resume(self, schedule: Schedule) -> Run:
        """Continue the latest run, of which only the steps done are known."""
        last = self.runs.pop()
        run = self.start(schedule, last.member)
        run.epochs, run.epoch_ends = last.epochs, last.epoch_ends
        run.add(last.losses)
        return run

    @property
    def losses(self) -> NDArray[np.float32]:
        """Training loss of each step of the latest run."""
        return self._latest().losses

    @property
    def lrs(self) -> NDArray[np.float64]:
        """Learning rate of each step of the latest run, (steps,); of the last layer group."""
        return self.group_lrs[:, -1]

    @property
    def moms(self) -> NDArray[np.float64]:
        """Momentum of each step of the latest run, (steps,); of the last layer group."""
        return self.group_moms[:, -1]

    @property
    def group_lrs(self) -> NDArray[np.float64]:
        """Learning rate of each step of the latest run and layer group, (steps, groups)."""
        return self._latest().lrs[: len(self.losses)]

    @property
    def group_moms(self) -> NDArray[np.float64]:
        """Momentum of each step of the latest run and layer group, (steps, groups)."""
        return self._latest().moms[: len(self.losses)]

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """Smoothed training loss of each step of the latest run."""
        return smooth(self.losses)

    def to_frame(self) -> Any:
        """A row per epoch of all runs: fit number, model number in an ensemble, losses, metrics, seconds."""
        rows = [{"run": at, "model": run.member, **row} for at, run in enumerate(self.runs) for row in run.epochs]
        return self._to_native(pl.DataFrame(rows))

    def plot_losses(self, path: str | None = None, skip_start: int = 0) -> "Figure":
        """Smoothed training loss by step and validation loss by epoch, of the latest run; saved where `path` says."""
        from vectable.plotting import figure, save

        run = self._latest()
        fig, ax = figure()
        steps = np.arange(len(run.losses))[skip_start:]
        ax.plot(steps, self.smoothed[skip_start:], label="training, smoothed")
        valid = [row["valid_loss"] for row in run.epochs]
        if np.isfinite(valid).any():
            ax.plot(run.epoch_ends, valid, "o-", label="validation")
        ax.set(xlabel="step", ylabel="loss")
        ax.legend(frameon=False)
        return save(fig, path)

    def plot_lr(self, show_moms: bool = False, path: str | None = None) -> "Figure":
        """Learning rate by step of the latest run, and momentum beside it; a line per layer group where they differ."""
        from vectable.plotting import figure, save

        fig, axes = figure(columns=2 if show_moms else 1)
        axes = axes if show_moms else [axes]
        _plot_groups(axes[0], self.group_lrs, "learning rate")
        if show_moms:
            _plot_groups(axes[1], self.group_moms, "momentum")
        return save(fig, path)

    def to_arrays(self) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
        """All runs for saving: figures by epoch as plain JSON values, and the numbers by step as named arrays."""
        listed = [{"member": run.member, "epochs": run.epochs, "epoch_ends": run.epoch_ends} for run in self.runs]
        arrays: dict[str, NDArray[Any]] = {}
        for at, run in enumerate(self.runs):
            done = len(run.losses)
            lrs, moms = run.lrs[:done].copy(), run.moms[:done].copy()  # which an ensemble's members share
            arrays |= {f"{at}.losses": run.losses, f"{at}.lrs": lrs, f"{at}.moms": moms}
        return listed, arrays

    def load_arrays(self, listed: list[dict[str, Any]], arrays: dict[str, NDArray[Any]]) -> None:
        """Take up what `to_arrays` gave."""
        self.runs = []
        for at, form in enumerate(listed):
            run = Run(arrays[f"{at}.lrs"], arrays[f"{at}.moms"], **form)
            run.add(arrays[f"{at}.losses"])
            self.runs.append(run)

    def _latest(self) -> Run:
        if not self.runs:
            raise VectableError("Nothing was trained yet: call fit or fit_one_cycle first.")
        return self.runs[-1]


def _plot_groups(ax: Any, values: NDArray[np.float64], name: str) -> None:
    """Numbers by step, (steps, groups): one line where all groups have the same, else one each."""
    n_groups = values.shape[1]
    if (values == values[:, -1:]).all():
        ax.plot(values[:, -1])
    else:
        for at in range(n_groups):
            ax.plot(values[:, at], label=f"layer group {at}")
        ax.legend(frameon=False)
    ax.set(xlabel="step", ylabel=name)
