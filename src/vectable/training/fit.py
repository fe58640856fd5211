"""One fit: its models, epochs and steps, what is measured and reported between them, and continuing after a kill."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn

from vectable.artifact import making_from
from vectable.data.batches import BatchPlan
from vectable.errors import ArtifactError, NonFiniteLossError, warn
from vectable.models.ensemble import Ensemble
from vectable.training.checkpoints import Checkpoint, FitCheckpoints, ResumePoint
from vectable.training.engines.protocol import Engine
from vectable.training.held_signals import HeldSignals
from vectable.training.hooks import Callback, hears_steps
from vectable.training.position import FitPlan, Position
from vectable.training.recorder import Run
from vectable.training.schedules import Schedule
from vectable.training.session import TrainingSession
from vectable.training.threads import threads_for


class Fit:
    """Trains a session's models, one after the other, through one schedule.

    Args:
        session: the models, and all that training reads and changes.
        schedule: learning rates and momenta of each of its models.
        n_epochs: epochs of each.
        callbacks: called at the events of training, and remembered in checkpoints.
        display: called first; remembers nothing.
        checkpoint: where to keep what it takes to continue after the process was killed.
        resume: whether to continue from there, if there is a checkpoint already.
    """

    def __init__(
        self,
        session: TrainingSession,
        schedule: Schedule,
        n_epochs: int,
        callbacks: Sequence[Callback] = (),
        display: Callback | None = None,
        checkpoint: Checkpoint | None = None,
        resume: bool = False,
    ) -> None:
        self.session, self.schedule, self.n_epochs, self.callbacks = session, schedule, n_epochs, callbacks
        self.listeners = [*([display] if display else []), *callbacks]
        if resume and session.interrupted_at is not None:
            session.epochs_done = session.interrupted_at
        self.writer = checkpoint.writer(session, schedule, n_epochs, callbacks) if checkpoint else None
        self.resumed = self.writer.resume() if self.writer and self.writer.found and resume else None
        if self.writer and self.writer.unfinished and not resume:
            given_up = f"The unfinished fit in {str(self.writer.path)!r} is given up for a new one"
            warn(f"{given_up}; resume=True would continue it.")
        session.plan = FitPlan(n_epochs, len(schedule), len(session.members))
        self.signals, self.stopping = HeldSignals(), False
        self.kept_at: Position | None = None  # of the last checkpoint, which a stopped fit writes
        self.unkept: ArtifactError | None = None  # why a checkpoint could not be written

    def run(self) -> None:
        """Train to the end."""
        session, recorder, resumed = self.session, self.session.recorder, self.resumed
        recorder.interrupted = False
        if resumed and resumed.at.finished:
            self._report("The checkpoint is of the finished fit: nothing is left to train.")
            return
        session.prepare_engines()
        first = resumed.at.member if resumed else 0
        with threads_for(session.members[0], session.device, session.options.threads), self.signals:
            for member in range(first, len(session.members)):
                self._train(member, resumed if member == first else None)
                if recorder.interrupted:
                    break
        session.interrupted_at = session.epochs_done if recorder.interrupted else None
        runs = recorder.runs[-(member + 1) :]
        session.epochs_done += max(len(run.epochs) for run in runs) + recorder.interrupted
        if recorder.interrupted:
            self._keep_trained_members()
        elif self.writer:
            self._keep_result(self.writer)
        if self.unkept:
            raise self.unkept
        self.signals.deliver()

    def _train(self, member: int, resumed: ResumePoint | None) -> None:
        """One model through the schedule.

        Args:
            resumed: where it continues, if it was in training before.
        """
        session, engine = self.session, self.session.engines[member]
        model, recorder = engine.model, session.recorder
        before = _copy(model)
        run = recorder.resume(self.schedule) if resumed else recorder.start(self.schedule, member)
        session.position = resumed.at if resumed else Position(member)
        try:
            self._begin(engine, resumed)
            if not resumed:
                self._keep(0, engine)
            for epoch in range(session.position.epoch, self.n_epochs):
                if self._epoch(engine, run, resumed):
                    break
                resumed, session.position = None, Position(member, epoch + 1)
                self._stop_if_asked(engine)
        except KeyboardInterrupt:
            _sync(engine)
            recorder.interrupted = True
            self._report(f"Interrupted after {len(run.losses):,} steps; what was trained until then is kept.")
            if self.writer and self.kept_at == session.position:
                self._report(f"The checkpoint in {str(self.writer.path)!r} is of this step; resume=True continues it.")
        except NonFiniteLossError:
            model.load_state_dict(before)
            session.drop_engines()
            raise
        for listener in self.listeners:
            listener.on_fit_end(session, model)

    def _epoch(self, engine: Engine, run: Run, resumed: ResumePoint | None) -> bool:
        """One epoch from the session's position on, and what is measured after it; whether a callback ends the fit."""
        session, started = self.session, time.perf_counter()
        epoch = session.position.epoch
        with session.seeded(session.position.member, session.epochs_done + epoch) as rng:
            plan = session.batches(engine, rng)
            if resumed and resumed.at.step:
                resumed.set_random_state(session.device)
            self._steps(engine, plan, run)
            _sync(engine)
            row = {"epoch": epoch, "train_loss": run.epoch_loss(), **session.measure(engine.model)}
            row["seconds"] = time.perf_counter() - started
            run.end_epoch(row)
            stop = [listener.on_epoch_end(session, engine.model, row) for listener in self.listeners]
            return any(stop)

    def _steps(self, engine: Engine, plan: BatchPlan, run: Run) -> None:
        """The steps of a plan that are not done yet: the loop."""
        session, writer = self.session, self.writer
        rows = session.data.train.to(session.device)
        most = writer.steps if writer else None
        if engine.in_place and any(hears_steps(callback) for callback in self.callbacks):
            most = 1
        for losses in engine.run(plan, rows, session.position.step, most):
            run.add(losses)
            if not np.isfinite(losses).all():
                raise _diverged(run, session.position.epoch)
            session.position = replace(session.position, step=session.position.step + len(losses))
            stop = [listener.on_step_end(session, engine.model, losses) for listener in self.listeners]
            self._keep(len(losses), engine)
            self.stopping = self.stopping or any(stop)
            self._stop_if_asked(engine)

    def _stop_if_asked(self, engine: Engine) -> None:
        """End the fit here, after a last checkpoint, where a callback or a signal asks for it.

        A step of several batches is completed first.
        """
        asked = self.stopping or self.signals.pending is not None
        if not asked or engine.snapshot() is None:
            return
        if self.writer:
            self._kept(partial(self.writer.write, engine))
            self.kept_at = self.session.position
        self.signals.deliver()
        if self.stopping:
            raise KeyboardInterrupt

    def _keep(self, n_steps: int, engine: Engine) -> None:
        """Write a checkpoint, if it is time; where that fails the fit ends, and says so, as after Ctrl-C."""
        if self.writer:
            self._kept(partial(self.writer.after, n_steps, engine))

    def _kept(self, write: Callable[[], None]) -> None:
        try:
            write()
        except ArtifactError as problem:
            self.unkept = ArtifactError(
                f"{problem} The fit ended there, as Ctrl-C would end it: the model has the weights that were reached."
            )
            raise KeyboardInterrupt from problem

    def _keep_result(self, writer: FitCheckpoints) -> None:
        """Keep the end of the fit, so that it is not trained again."""
        try:
            writer.finish()
        except ArtifactError as problem:
            finished = "The fit is finished and the model trained; its checkpoint alone is not of the end."
            raise ArtifactError(f"{problem} {finished}") from problem

    def _begin(self, engine: Engine, resumed: ResumePoint | None) -> None:
        """Get a model's engine and the listeners ready: as they were, if it was in training before."""
        session = self.session
        for listener in self.listeners:
            listener.on_fit_start(session, engine.model)
        if resumed is None:
            engine.begin(self.schedule)
            return
        if engine.name != resumed.trained_by:
            raise ArtifactError(
                f"The checkpoint is of the {resumed.trained_by} engine, and here the {engine.name} engine trains; "
                "it can be continued only with the same."
            )
        done = len(session.recorder.losses)
        with making_from(resumed.path):
            engine.restore(self.schedule, resumed.engine, done)
            for callback, memory in zip(self.callbacks, resumed.callbacks, strict=True):
                callback.load_state(memory)
        self._report(f"Continuing from step {done:,} of {len(self.schedule):,}.")

    def _keep_trained_members(self) -> None:
        """An ensemble that was interrupted keeps the members that were trained: the others know nothing."""
        session = self.session
        trained = sorted({run.member for run in session.recorder.runs})
        n_models = len(session.members)
        if isinstance(session.model, Ensemble) and len(trained) < n_models:
            session.model.members = nn.ModuleList(session.model.members[at] for at in trained)
            session.engines = [session.engines[at] for at in trained]
            self._report(f"The ensemble keeps the {len(trained)} of {n_models} models that were trained.")

    def _report(self, message: str) -> None:
        for listener in self.listeners:
            listener.on_message(self.session, message)


def _sync(engine: Engine) -> None:
    """Bring an engine's model to the step reached, its row for unknown names included."""
    engine.sync_weights()
    fill_unknown = getattr(engine.model, "fill_unknown", None)
    if fill_unknown is not None:
        fill_unknown()


def _copy(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _diverged(run: Run, epoch: int) -> NonFiniteLossError:
    step = int((~np.isfinite(run.losses)).argmax())
    return NonFiniteLossError(
        f"The training loss was not a finite number at step {step + 1:,} (epoch {epoch + 1}, learning rate "
        f"{run.lrs[step, -1]:.1e}); the weights are those from before this fit. Try a learning rate ten times lower "
        "(lr_find() suggests one), and look for infinite or huge numbers in the data."
    )
