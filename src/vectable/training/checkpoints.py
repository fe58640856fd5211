"""Training that survives: what a fit keeps while it runs, and how it continues after the process was killed.

A checkpoint is a folder like a saved model's, replaced in one step, so that a crash at any moment leaves the last
one whole. It holds all that the rest of the fit depends on: weights, the optimizer's state, torch's random state in
the middle of the epoch, the position, the history and what the callbacks remember. The order of the batches is made
again from the seed.
"""

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vectable.artifact import (
    CHECKPOINT,
    MANIFEST,
    Contents,
    check_target,
    making_from,
    read_folder,
    read_manifest,
    write_folder,
)
from vectable.deprecation import RENAMED
from vectable.errors import ArtifactError, VectableError, is_finite, is_whole, require
from vectable.folder_schema import Array, PartError, boolean, mapping, part, record, take_arrays, whole
from vectable.training.engines.protocol import Engine
from vectable.training.hooks import Callback, name_of
from vectable.training.named_tensors import tensors_named, tensors_under
from vectable.training.options import TrainingOptions
from vectable.training.position import Position
from vectable.training.saved_state import checked_history
from vectable.training.saving import history_of, settings_of, take_state, weights_of
from vectable.training.schedules import Schedule
from vectable.training.session import TrainingSession

SECONDS = 5.0  # from one checkpoint to the next, where nothing else is asked for
LEAST_WORK = 20  # times what writing one takes: keeping them costs a twentieth of the time at most
POSITION = record(member=whole(), epoch=whole(), step=whole(), finished=boolean)  # as it is saved
RANDOM = {"cpu": Array("uint8", "cpu_bytes"), "cuda": Array("uint8", "cuda_bytes", needed=False)}
CHECKED_ELSEWHERE = ("trained_by",)


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit keeps what it needs to continue after it was killed, and how often.

    Args:
        path: folder, of this fit alone.
        steps: number of steps from one write to the next.
        minutes: number of minutes from one write to the next.
        seconds: the same in seconds. Of several, whichever comes first; where none is given, 5 seconds, or longer where
            writing would take more than a twentieth of the time.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, progress=False)
        >>> _ = learn.fit_one_cycle(2, 5e-3, checkpoint=vt.Checkpoint("run", steps=1000))
    """

    path: str | Path
    steps: int | None = None
    minutes: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        require(self.steps is None or is_whole(self.steps, 1), f"steps must be a positive integer; got {self.steps!r}.")
        for name, value in (("minutes", self.minutes), ("seconds", self.seconds)):
            fits = value is None or (is_finite(value) and value > 0)
            require(fits, f"{name} must be a positive number; got {value!r}.")

    @property
    def interval(self) -> float | None:
        """Seconds from one write to the next, as asked for; None where no time was."""
        asked = [each for each in (self.seconds, 60 * self.minutes if self.minutes else None) if each is not None]
        return min(asked) if asked else None

    def writer(
        self, session: TrainingSession, schedule: Schedule, n_epochs: int, callbacks: Sequence[Callback]
    ) -> "FitCheckpoints":
        """What keeps the checkpoints of one fit."""
        return CheckpointWriter(self, session, schedule, n_epochs, callbacks)


@dataclass(frozen=True)
class ResumePoint:
    """What the checkpoint at `path` gave back: the position, and what the model in training there continues from."""

    path: str
    at: Position
    trained_by: str
    engine: dict[str, Tensor]
    random: dict[str, Tensor]
    callbacks: list[dict[str, Tensor]]

    def set_random_state(self, device: torch.device) -> None:
        """Let torch draw what it would have drawn next."""
        torch.set_rng_state(self.random["cpu"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(self.random["cuda"], device)


class FitCheckpoints(Protocol):
    """What a fit asks of whatever keeps its checkpoints.

    Attributes:
        path: where they are.
        steps: most steps from one to the next, or None.
        found: whether there is one.
        unfinished: whether that is of a fit that has more to do.
    """

    path: Path
    steps: int | None
    found: bool
    unfinished: bool

    def after(self, n_steps: int, engine: Engine) -> None:
        """`n_steps` more steps are done: write, if it is time and no gradient is half gathered."""

    def write(self, engine: Engine) -> None:
        """Keep the session's position now, unless a gradient is half gathered."""

    def finish(self) -> None:
        """The fit is over: keep its result, so that it is not trained again."""

    def resume(self) -> ResumePoint:
        """Give the session weights, history and optimizers of the checkpoint, and the fit where to continue.

        Raises:
            ArtifactError: it is damaged, or belongs to another training.
        """


class CheckpointWriter:
    """Writes the checkpoints of one fit, and finds the last one again.

    Args:
        checkpoint: where and how often.
        session: what is in training.
        schedule: that of one of its models.
        n_epochs: epochs of the fit.
        callbacks: whose memories are kept too.

    Raises:
        ArtifactError: the folder holds something else, or cannot be written.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        session: TrainingSession,
        schedule: Schedule,
        n_epochs: int,
        callbacks: Sequence[Callback],
    ) -> None:
        self.session, self.callbacks = session, callbacks
        self.path = check_target(checkpoint.path)
        self.n_steps = len(schedule)
        self.steps, self.seconds = checkpoint.steps, checkpoint.interval
        self.about = _about(session, schedule, n_epochs, callbacks)
        self.found = (self.path / MANIFEST).is_file()
        manifest = read_manifest(self.path) if self.found else None
        if manifest and manifest["kind"] != CHECKPOINT:
            raise ArtifactError(f"{str(self.path)!r} holds a saved model, no checkpoint; choose another name.")
        with making_from(str(self.path)):
            position = part(manifest["settings"], "position", POSITION, "settings.") if manifest else {"finished": True}
        self.unfinished = not position["finished"]
        self._since, self._due = 0, -math.inf  # the first is written before the first step

    def after(self, n_steps: int, engine: Engine) -> None:
        """`n_steps` more steps are done: write, if it is time and no gradient is half gathered."""
        self._since += n_steps
        enough = self.steps is not None and self._since >= self.steps
        if enough or time.monotonic() >= self._due:
            self.write(engine)

    def write(self, engine: Engine) -> None:
        """Keep the session's position now, unless a gradient is half gathered."""
        began = time.monotonic()
        if (snapshot := engine.snapshot()) is not None:
            self._write(self.session.position, snapshot)
            self._since, self._due = 0, self._next_due(began, time.monotonic())

    def finish(self) -> None:
        """The fit is over: keep its result, so that it is not trained again."""
        self._write(Position(finished=True), {})

    def resume(self) -> ResumePoint:
        """Give the session weights, history and optimizers of the checkpoint, and the fit where to continue.

        Raises:
            ArtifactError: it is damaged, or belongs to another training.
        """
        contents = read_folder(self.path)
        with making_from(str(self.path)):
            return self._resume(contents)

    def _resume(self, contents: Contents) -> ResumePoint:
        there = _as_named_now(part(contents.settings, "about", mapping, "settings."))
        here = json.loads(json.dumps(self.about))  # as it reads when written
        for name in here:
            if there.get(name) != here[name]:
                raise ArtifactError(
                    f"The checkpoint in {str(self.path)!r} is of another training: {name.replace('_', ' ')} is "
                    f"{there.get(name)!r} there and {here[name]!r} here. Run the same fits as then, give every fit a "
                    "folder of its own, or start again with resume=False."
                )
        position = Position(**part(contents.settings, "position", POSITION, "settings."))
        self._check_position(position, contents)
        random = take_arrays(contents.tensors, "random", RANDOM, {})
        memories = contents.tensors["callbacks"]
        _check_memories(memories, self.session.members[0])
        take_state(self.session, contents)
        return ResumePoint(
            str(self.path),
            position,
            contents.settings["trained_by"],
            contents.tensors["engine"],
            {name: torch.from_numpy(one) for name, one in random.items()},
            [tensors_under(memories, str(number)) for number in range(len(self.callbacks))],
        )

    def _check_position(self, position: Position, contents: Contents) -> None:
        """Raise a `PartError` for a position beyond the end of the fit, or without the history that leads there."""
        runs, history = checked_history(contents.tables, contents.tensors)
        done = len(history[f"{len(runs) - 1}.losses"]) if runs else -1
        n_epochs, n_models = self.about["number_of_epochs"], len(self.session.members)
        if position.finished:
            return
        if position.member >= n_models or position.epoch > n_epochs or max(position.step, done) > self.n_steps:
            raise PartError(f"settings.position is {position}, in a fit of {n_epochs:,} epochs")
        if done < position.step:
            raise PartError(f"settings.position is {position}, and the history has {max(done, 0):,} steps")

    def _next_due(self, began: float, written: float) -> float:
        if self.seconds is not None:
            return written + self.seconds
        if self.steps is not None:
            return math.inf
        return written + max(SECONDS, LEAST_WORK * (written - began))

    def _write(self, at: Position, snapshot: dict[str, Tensor]) -> None:
        session = self.session
        history, steps = history_of(session)
        others = {
            str(number): engine.state()
            for number, engine in enumerate(session.engines)
            if at.finished or number != at.member
        }
        memories = {str(number): callback.state() for number, callback in enumerate(self.callbacks)}
        random = {"cpu": torch.get_rng_state()}
        if session.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(session.device)
        tensors = {
            "weights": weights_of(session),
            "optimizer": tensors_named(others),
            "engine": snapshot,
            "random": random,
            "callbacks": tensors_named(memories),
            "history": steps,
        }
        settings = {"about": self.about, "position": asdict(at), **settings_of(session)}
        write_folder(self.path, Contents(CHECKPOINT, settings, tensors, {"epochs": history}))


def _check_memories(memories: Mapping[str, Tensor], model: nn.Module) -> None:
    """Raise a `PartError` where weights that a callback remembers are not of the model's shapes."""
    shapes = {name: tuple(one.shape) for name, one in model.state_dict().items()}
    for key, value in memories.items():
        _, _, name = key.partition(".weights.")
        if name and tuple(value.shape) != shapes.get(name):
            raise PartError(f"callbacks.{key} has the shape {tuple(value.shape)} and must have {shapes.get(name)}")


def as_checkpoint(given: str | Path | Checkpoint | None, resume: bool) -> Checkpoint | None:
    """What a fit was given as its checkpoint."""
    if given is None:
        require(not resume, "resume=True continues from a checkpoint; give its folder, checkpoint='folder'.")
        return None
    if not isinstance(given, str | Path | Checkpoint):
        raise VectableError(f"checkpoint must be a folder or a Checkpoint(folder, seconds=...); got {given!r}.")
    return given if isinstance(given, Checkpoint) else Checkpoint(given)


def _about(
    session: TrainingSession, schedule: Schedule, n_epochs: int, callbacks: Sequence[Callback]
) -> dict[str, Any]:
    """All that must be the same for a fit to continue as it would have: JSON values by name."""
    rows = session.data.train
    return {
        **{name: value for name, value in settings_of(session).items() if name not in CHECKED_ELSEWHERE},
        "number_of_models": len(session.members),
        "number_of_epochs": n_epochs,
        "number_of_training_rows": len(rows),
        "batch_size": session.data.batch_size,
        "list_of_callbacks": [name_of(callback) for callback in callbacks],
        "checksum_of_the_learning_rates": _digest(schedule.lrs, schedule.moms),
        "checksum_of_the_training_targets": _digest(rows.target.cpu().numpy()),
    }


def _as_named_now(about: dict[str, Any]) -> dict[str, Any]:
    """The same of an older checkpoint, with defaults for the options that it lacks and today's names of callbacks."""
    callbacks = [RENAMED.get(name, name) for name in about.get("list_of_callbacks", [])]
    missing = {name: value for name, value in TrainingOptions().to_json().items() if name not in about}
    return {**missing, **about, "list_of_callbacks": callbacks}


def _digest(*arrays: Any) -> str:
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]
