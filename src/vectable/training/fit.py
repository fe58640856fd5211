"""One fit: its models, epochs and steps, what is measured and told between them, and going on where it was killed."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from vectable.errors import ArtifactError, TrainingStopped, warn
from vectable.training.callbacks import Callback
from vectable.training.checkpoints import Checkpoint, Keeper, Position, TakenUp
from vectable.training.engines.torch_engine import Engine
from vectable.training.progress import Progress
from vectable.training.recorder import Run
from vectable.training.schedules import Schedule

if TYPE_CHECKING:
    from vectable.training.learner import Learner


class Fit:
    """Trains a learner's models, one after the other, through one schedule.

    Args:
        learn: the learner.
        schedule: of each of its models.
        n_epoch: epochs of each.
        callbacks: called between the epochs.
        checkpoint: where to keep what it takes to go on after the process was killed.
        resume: whether to go on from there, if there is a checkpoint already.
    """

    def __init__(
        self,
        learn: "Learner",
        schedule: Schedule,
        n_epoch: int,
        callbacks: Sequence[Callback],
        checkpoint: Checkpoint | None,
        resume: bool,
    ) -> None:
        self.learn, self.schedule, self.n_epoch, self.callbacks = learn, schedule, n_epoch, callbacks
        if resume and learn._interrupted_at is not None:
            learn.epochs_done = learn._interrupted_at
        self.keeper = Keeper(checkpoint, learn, schedule, n_epoch, callbacks) if checkpoint else None
        self.taken = self.keeper.take_up() if self.keeper and self.keeper.found and resume else None
        if self.keeper and self.keeper.unfinished and not resume:
            told = f"The unfinished fit in {str(self.keeper.path)!r} is given up for a new one"
            warn(f"{told}; resume=True would go on with it.")

    def run(self) -> None:
        """Train to the end."""
        learn, taken = self.learn, self.taken
        learn.recorder.interrupted = False
        columns = ["epoch", "train_loss", "valid_loss", *learn.metrics, "seconds"]
        columns = ["model", *columns] if len(learn.members) > 1 else columns
        with Progress(learn.progress, len(self.schedule) * len(learn.members), columns) as progress:
            if taken and taken.at.finished:
                progress.say("The checkpoint is of the finished fit: nothing is left to train.")
                return
            learn._prepare_engines()
            progress.header()
            first = taken.at.member if taken else 0
            for member in range(first, len(learn.members)):
                self._train(member, progress, taken if member == first else None)
                if learn.recorder.interrupted:
                    break
        learn._interrupted_at = learn.epochs_done if learn.recorder.interrupted else None
        runs = learn.recorder.runs[-(member + 1) :]
        learn.epochs_done += max(len(run.epochs) for run in runs) + learn.recorder.interrupted
        if learn.recorder.interrupted:
            learn._keep_trained_members(progress)
        elif self.keeper:
            self.keeper.finish()

    def _train(self, member: int, progress: Progress, taken: TakenUp | None) -> None:
        """One model through the schedule: the loop.

        Args:
            taken: where it goes on, if it was in training before.
        """
        learn, keeper, engine = self.learn, self.keeper, self.learn._engines[member]
        model, rows = engine.model, learn.data.train.to(learn.device)
        before = _copy(model) if engine.in_place else None
        run = learn.recorder.take_up(self.schedule) if taken else learn.recorder.start(self.schedule, member)
        at = taken.at if taken else Position(member)
        try:
            self._begin(engine, progress, taken)
            if keeper and not taken:
                keeper.after(0, at, engine)
            for epoch in range(at.epoch, self.n_epoch):
                started = time.perf_counter()
                with learn._seeded(member, learn.epochs_done + epoch) as rng:
                    plan = learn.data.plan(rng)
                    done = at.step if epoch == at.epoch else 0
                    if taken and done:
                        taken.set_random_state(learn.device)
                    for losses in engine.run(plan, rows, done, keeper.steps if keeper else None):
                        run.add(losses)
                        if not np.isfinite(losses).all():
                            raise _diverged(run, epoch)
                        done += len(losses)
                        progress.advance(len(losses), f"epoch {epoch + 1}/{self.n_epoch}")
                        if keeper:
                            keeper.after(len(losses), Position(member, epoch, done), engine)
                before = before or _copy(model)
                learn._settle(engine)
                row = {"epoch": epoch, "train_loss": run.epoch_loss(), **learn._measure(model)}
                row["seconds"] = time.perf_counter() - started
                run.end_epoch(row)
                progress.row({"model": member, **row})
                stop = [callback.epoch_ended(learn, model, row) for callback in self.callbacks]
                if any(stop):
                    break
        except KeyboardInterrupt:
            learn._settle(engine)
            learn.recorder.interrupted = True
            progress.say(f"Interrupted after {len(run.losses):,} steps; what was trained until then is kept.")
        except TrainingStopped:
            if before is not None:
                model.load_state_dict(before)
            learn._drop_engines()
            raise
        for callback in self.callbacks:
            callback.run_ended(learn, model)

    def _begin(self, engine: Engine, progress: Progress, taken: TakenUp | None) -> None:
        """Get a model's engine and the callbacks ready: as they were, if it was in training before."""
        for callback in self.callbacks:
            callback.run_started(self.learn, engine.model)
        if taken is None:
            engine.begin(self.schedule)
            return
        if engine.name != self.learn._trained_by:
            raise ArtifactError(
                f"The checkpoint is of the {self.learn._trained_by} engine, and here the {engine.name} engine trains; "
                "it goes on only with the same."
            )
        done = len(self.learn.recorder.losses)
        engine.restore(self.schedule, taken.engine, done)
        for callback, memory in zip(self.callbacks, taken.callbacks, strict=True):
            callback.load_state(memory)
        progress.advance(taken.at.member * len(self.schedule) + done, "going on")
        progress.say(f"Going on from step {done:,} of {len(self.schedule):,}.")


def _copy(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _diverged(run: Run, epoch: int) -> TrainingStopped:
    step = int((~np.isfinite(run.losses)).argmax())
    return TrainingStopped(
        f"The training loss was not a finite number at step {step + 1:,} (epoch {epoch + 1}, learning rate "
        f"{run.lrs[step, -1]:.1e}); the weights are those from before this fit. Try a learning rate ten times lower "
        "(lr_find() suggests one), and look for infinite or huge numbers in the data."
    )
