"""Callbacks that hand the figures of training to TensorBoard and MLflow."""

import math
import time
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from vectable.errors import VectableError, is_whole, require, warn
from vectable.training.hooks import Callback, Losses
from vectable.training.session import TrainingSession

LONGEST_VALUE = 500  # characters of an option, as MLflow's stores take them


class _Tracking(Callback):
    """Hands on the figures of fits; the learning-rate finder's short runs are left out.

    A model's steps are counted over all its fits. What is handed on: "step_loss" and "lr" (of the last layer group) of
    every so many steps, and at the end of each epoch its figures: "train_loss", "valid_loss", metrics, "seconds".
    Figures that are no finite numbers, as the validation loss without validation rows, are not.
    """

    def __init__(self, every: int) -> None:
        require(is_whole(every, 1), f"every must be a positive integer; got {every!r}.")
        self.every = every
        self.open = False

    def on_fit_start(self, session: TrainingSession, model: nn.Module) -> None:
        """Begin to hand on."""
        if session.plan.purpose == "fit":
            *earlier, now = session.recorder.runs
            self.before = sum(len(run.losses) for run in earlier if run.member == now.member)
            self.begin(session)
            self.open = True

    def on_step_end(self, session: TrainingSession, model: nn.Module, losses: Losses) -> bool | None:
        """Hand on the loss and the learning rate of every so many steps."""
        if self.open:
            run = session.recorder.runs[-1]
            for at in range(len(run.losses) - len(losses), len(run.losses)):
                step = self.before + at + 1
                if step % self.every == 0:
                    self.note({"step_loss": float(run.losses[at]), "lr": float(run.lrs[at, -1])}, step)
        return None

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> bool | None:
        """Hand on the epoch's figures."""
        if self.open:
            figures = {name: float(value) for name, value in row.items() if name != "epoch"}
            finite = {name: value for name, value in figures.items() if math.isfinite(value)}
            self.note(finite, self.before + len(session.recorder.runs[-1].losses))
        return None

    def on_fit_end(self, session: TrainingSession, model: nn.Module) -> None:
        """Finish, also after an interruption."""
        if self.open:
            self.open = False
            self.finish(session)

    def begin(self, session: TrainingSession) -> None:
        """A fit of a model begins."""

    def note(self, figures: dict[str, float], step: int) -> None:
        """Hand some figures on."""

    def finish(self, session: TrainingSession) -> None:
        """The fit of the model is over."""


class TensorBoard(_Tracking):
    """Write the figures of training as TensorBoard reads them: ``tensorboard --logdir FOLDER``.

    Needs ``pip install tensorboard``, or the extra `tracking`.

    Args:
        folder: where the files go; the models of an ensemble have a folder each in it, "model_0", "model_1", ...
        every: steps from one noted training loss to the next.

    Raises:
        VectableError: TensorBoard is not installed.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, progress=False)
        >>> _ = learn.fit(1, 5e-3, callbacks=[vt.callbacks.TensorBoard("board")])
    """

    def __init__(self, folder: str | Path, every: int = 10) -> None:
        super().__init__(every)
        self.folder = Path(folder)
        _needs("tensorboard")

    def begin(self, session: TrainingSession) -> None:
        """Open a file."""
        from torch.utils.tensorboard import SummaryWriter

        several = session.plan.n_models > 1
        folder = self.folder / f"model_{session.position.member}" if several else self.folder
        try:
            self.writer = SummaryWriter(str(folder))
        except OSError as problem:
            raise VectableError(f"{folder} cannot be written: {problem.strerror or problem}.") from None

    def note(self, figures: dict[str, float], step: int) -> None:
        """Write some figures."""
        for name, value in figures.items():
            self.writer.add_scalar(name, value, step)

    def finish(self, session: TrainingSession) -> None:
        """Close the file."""
        self.writer.close()


class MLflow(_Tracking):
    """Log the figures and options of training to MLflow: a run for each fit, and for each model of an ensemble.

    Needs ``pip install mlflow-skinny`` (or mlflow), or the extra `tracking`. A server that fails during the training
    leads to a warning, and the training goes on.

    Args:
        experiment: name of the experiment, which is made where it does not exist.
        run_name: name of the run; one of MLflow's by default.
        tracking_uri: server or store; by default what MLFLOW_TRACKING_URI says.
        every: steps from one logged training loss to the next.

    Raises:
        VectableError: MLflow is not installed, or does not answer when a fit begins.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, progress=False)
        >>> _ = learn.fit(1, 5e-3, callbacks=[vt.callbacks.MLflow("books", tracking_uri="runs")])
    """

    def __init__(
        self,
        experiment: str = "vectable",
        run_name: str | None = None,
        *,
        tracking_uri: str | None = None,
        every: int = 10,
    ) -> None:
        super().__init__(every)
        self.experiment, self.run_name, self.tracking_uri = experiment, run_name, tracking_uri
        _needs("mlflow")

    def begin(self, session: TrainingSession) -> None:
        """Start a run, with the options of training as its parameters."""
        mlflow = import_module("mlflow")
        self.error: type[Exception] = import_module("mlflow.exceptions").MlflowException
        try:
            self.client = mlflow.MlflowClient(self.tracking_uri)
            found = self.client.get_experiment_by_name(self.experiment)
            number = self.client.create_experiment(self.experiment) if found is None else found.experiment_id
            self.run_id = self.client.create_run(number, run_name=self.run_name).info.run_id
            for name, value in _parameters(session).items():
                self.client.log_param(self.run_id, name, value)
        except self.error as problem:
            raise VectableError(f"MLflow does not take the run: {_one_line(problem)}.") from None
        self.answers = True

    def note(self, figures: dict[str, float], step: int) -> None:
        """Log some figures."""
        entities = import_module("mlflow.entities")
        now = time.time_ns() // 1_000_000
        metrics = [entities.Metric(name, value, now, step) for name, value in figures.items()]
        self._ask(self.client.log_batch, self.run_id, metrics=metrics)

    def finish(self, session: TrainingSession) -> None:
        """End the run, as killed where the fit was interrupted."""
        status = "KILLED" if session.recorder.interrupted else "FINISHED"
        self._ask(self.client.set_terminated, self.run_id, status)

    def _ask(self, call: Any, *arguments: Any, **how: Any) -> None:
        """Call MLflow; what it refuses is a warning, once in a fit."""
        if self.answers:
            try:
                call(*arguments, **how)
            except self.error as problem:
                self.answers = False
                warn(f"MLflow takes no more figures of this fit: {_one_line(problem)}.")


def _parameters(session: TrainingSession) -> dict[str, str]:
    """The options of training as text, and what is trained for how long."""
    options = {one.name: getattr(session.options, one.name) for one in fields(session.options)}
    plan = {"model": session.position.member, "epochs": session.plan.n_epochs, "steps": session.plan.n_steps}
    named = {name: getattr(value, "name", getattr(value, "__name__", value)) for name, value in options.items()}
    return {name: str(value)[:LONGEST_VALUE] for name, value in {**named, **plan}.items()}


def _one_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")


def _needs(package: str) -> None:
    try:
        import_module(package)
    except ImportError:
        raise VectableError(
            f"This callback needs {package}, which is not installed: pip install 'vectable[tracking]'."
        ) from None
