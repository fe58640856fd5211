"""Training that survives: what a fit keeps while it runs, and how it goes on from there after the process was killed.

A checkpoint is a folder like a saved model's, replaced in one step, so that a crash at any moment leaves the last
one whole. It holds all that the rest of the fit depends on: weights, the optimizer's state, torch's random state in
the middle of the epoch, the position, the history and what the callbacks remember. The order of the batches is made
again from the seed.
"""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from vectable.artifact import CHECKPOINT, MANIFEST, Contents, check_target, read_folder, read_manifest, write_folder
from vectable.errors import ArtifactError, VectableError, is_finite, is_whole, require
from vectable.training.saving import settings_of, take_state, tensors_named, tensors_under

if TYPE_CHECKING:
    from vectable.training.callbacks import Callback
    from vectable.training.engines.torch_engine import Engine
    from vectable.training.learner import Learner
    from vectable.training.schedules import Schedule

MINUTES = 5.0
NO_MATTER = ("threads", "trained_by")  # the result does not depend on them, or it is checked elsewhere


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit keeps what it needs to go on after it was killed, and how often.

    Args:
        path: folder, of this fit alone.
        steps: keep after so many steps.
        minutes: keep after so many minutes; 5 where neither is given. With both, whichever comes first.
    """

    path: str | Path
    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        require(self.steps is None or is_whole(self.steps, 1), f"steps is {self.steps!r}; it is a number, 1 or more.")
        require(
            self.minutes is None or (is_finite(self.minutes) and self.minutes > 0),
            f"minutes is {self.minutes!r}; it is a number above 0.",
        )


@dataclass(frozen=True)
class Position:
    """How far a fit is.

    Attributes:
        member: number of the model in training, of an ensemble.
        epoch: number of its epoch.
        step: steps of that epoch that are done.
        finished: whether the fit is over.
    """

    member: int = 0
    epoch: int = 0
    step: int = 0
    finished: bool = False


@dataclass(frozen=True)
class TakenUp:
    """What a checkpoint gave back: the position, and what the model in training there goes on from."""

    at: Position
    engine: dict[str, Tensor]
    random: dict[str, Tensor]
    callbacks: list[dict[str, Tensor]]

    def set_random_state(self, device: torch.device) -> None:
        """Let torch draw what it would have drawn next."""
        torch.set_rng_state(self.random["cpu"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(self.random["cuda"], device)


class Keeper:
    """Writes the checkpoints of one fit, and takes the last one up.

    Args:
        checkpoint: where and how often.
        learn: the learner in training.
        schedule: of one of its models.
        n_epoch: epochs of the fit.
        callbacks: whose memories are kept too.

    Raises:
        ArtifactError: the folder holds something else, or cannot be written.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        learn: "Learner",
        schedule: "Schedule",
        n_epoch: int,
        callbacks: Sequence["Callback"],
    ) -> None:
        self.learn, self.callbacks = learn, callbacks
        self.path = check_target(checkpoint.path)
        self.steps = checkpoint.steps
        self.seconds = 60 * (checkpoint.minutes or MINUTES) if checkpoint.minutes or not self.steps else None
        self.about = _about(learn, schedule, n_epoch, callbacks)
        self.found = (self.path / MANIFEST).is_file()
        manifest = read_manifest(self.path) if self.found else None
        if manifest and manifest["kind"] != CHECKPOINT:
            raise ArtifactError(f"{str(self.path)!r} holds a saved model, no checkpoint; choose another name.")
        self.unfinished = manifest is not None and not manifest["settings"]["position"]["finished"]
        self._since, self._last = 0, -math.inf  # the first is written before the first step

    def after(self, n_steps: int, at: Position, engine: "Engine") -> None:
        """So many more steps are done: write, if it is time and no gradient is half gathered."""
        self._since += n_steps
        due = self._last < 0 or (self.steps is not None and self._since >= self.steps)
        due = due or (self.seconds is not None and time.monotonic() - self._last >= self.seconds)
        if due and (snapshot := engine.snapshot()) is not None:
            self._write(at, snapshot)
            self._since, self._last = 0, time.monotonic()

    def finish(self) -> None:
        """The fit is over: keep its result, so that it is not trained again."""
        self._write(Position(finished=True), {})

    def take_up(self) -> TakenUp:
        """Give the learner weights, history and optimizers of the checkpoint, and the fit where to go on.

        Raises:
            ArtifactError: it is damaged, or of another training.
        """
        contents = read_folder(self.path)
        there, here = contents.settings["about"], json.loads(json.dumps(self.about))  # as it reads when written
        for name in here:
            if there.get(name) != here[name]:
                raise ArtifactError(
                    f"The checkpoint in {str(self.path)!r} is of another training: {name.replace('_', ' ')} is "
                    f"{there.get(name)!r} there and {here[name]!r} here. Run the same fits as then, give every fit a "
                    "folder of its own, or start anew with resume=False."
                )
        take_state(self.learn, contents)
        memories = contents.tensors["callbacks"]
        return TakenUp(
            Position(**contents.settings["position"]),
            contents.tensors["engine"],
            contents.tensors["random"],
            [tensors_under(memories, str(number)) for number in range(len(self.callbacks))],
        )

    def _write(self, at: Position, snapshot: dict[str, Tensor]) -> None:
        learn = self.learn
        history, steps = learn.recorder.to_arrays()
        others = {
            str(number): engine.state()
            for number, engine in enumerate(learn._engines)
            if at.finished or number != at.member
        }
        memories = {str(number): callback.state() for number, callback in enumerate(self.callbacks)}
        random = {"cpu": torch.get_rng_state()}
        if learn.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(learn.device)
        tensors = {
            "weights": {name: value.clone() for name, value in learn.model.state_dict().items()},
            "optimizer": tensors_named(others),
            "engine": snapshot,
            "random": random,
            "callbacks": tensors_named(memories),
            "history": {name: torch.from_numpy(values) for name, values in steps.items()},
        }
        settings = {"about": self.about, "position": vars(at), **settings_of(learn)}
        write_folder(self.path, Contents(CHECKPOINT, settings, tensors, {"epochs": history}))


def as_checkpoint(given: str | Path | Checkpoint | None, resume: bool) -> Checkpoint | None:
    """What a fit was given as its checkpoint."""
    if given is None:
        require(not resume, "resume=True goes on from a checkpoint; say where it is, checkpoint='folder'.")
        return None
    if not isinstance(given, str | Path | Checkpoint):
        raise VectableError(f"checkpoint is {given!r}; it is a folder, or Checkpoint(folder, steps=..., minutes=...).")
    return given if isinstance(given, Checkpoint) else Checkpoint(given)


def _about(learn: "Learner", schedule: "Schedule", n_epoch: int, callbacks: Sequence["Callback"]) -> dict[str, Any]:
    """All that must be the same for a fit to go on as it would have: JSON values by name."""
    rows = learn.data.train
    return {
        **{name: value for name, value in settings_of(learn).items() if name not in NO_MATTER},
        "number_of_models": len(learn.members),
        "number_of_epochs": n_epoch,
        "number_of_training_rows": len(rows),
        "batch_size": learn.data.batch_size,
        "list_of_callbacks": [type(callback).__name__ for callback in callbacks],
        "checksum_of_the_learning_rates": _digest(schedule.lrs, schedule.moms),
        "checksum_of_the_training_targets": _digest(rows.target.cpu().numpy()),
    }


def _digest(*arrays: Any) -> str:
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]
