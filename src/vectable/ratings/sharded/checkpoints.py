"""Checkpoints of a training in several processes, from which any other number of them continues."""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.artifact import making_from
from vectable.distributed.shard_folder import ShardFolder, read_rows
from vectable.errors import ArtifactError, require
from vectable.folder_schema import PartError, part
from vectable.ratings.sharded.session import ShardedSession
from vectable.training.checkpoints import LEAST_WORK, POSITION, SECONDS, Checkpoint, ResumePoint
from vectable.training.engines.protocol import Engine
from vectable.training.engines.sharded.engine import ShardedEngine
from vectable.training.hooks import Callback
from vectable.training.position import Position
from vectable.training.saving import settings_of
from vectable.training.schedules import Schedule
from vectable.training.session import TrainingSession

HISTORY = "history."


@dataclass(frozen=True)
class ShardedCheckpoint(Checkpoint):
    """As `Checkpoint`, in a folder on a disk that all processes see."""

    def writer(
        self, session: TrainingSession, schedule: Schedule, n_epochs: int, callbacks: Sequence[Callback]
    ) -> "ShardedCheckpoints":
        """What keeps the checkpoints of one fit."""
        require(not callbacks, "A checkpoint of several processes keeps no callbacks: leave them out, or it.")
        return ShardedCheckpoints(self, cast(ShardedSession, session), schedule, n_epochs)


class ShardedCheckpoints:
    """Keeps the checkpoints of one fit.

    Rows of users are kept by lane, those of items by block, each with the step that it is at: who continues takes the
    lanes and items that are then its own.

    Attributes:
        path, steps, found, unfinished: as of `FitCheckpoints`.
    """

    def __init__(self, checkpoint: Checkpoint, session: ShardedSession, schedule: Schedule, n_epochs: int) -> None:
        self.path, self.steps, self._seconds = Path(checkpoint.path), checkpoint.steps, checkpoint.interval
        self._session, self._schedule, self._world = session, schedule, session.shard.world
        self._about = _about(session, schedule, n_epochs)
        self._folder = ShardFolder(self.path, self._world)
        latest = self._folder.latest
        self.found = latest is not None
        self.unfinished = latest is not None and not self._position(latest).finished
        self._since, self._due, self._number = 0, -math.inf, 0 if latest is None else _number_of(latest) + 1

    def after(self, n_steps: int, engine: Engine) -> None:
        """`n_steps` more steps are done: write, if process 0 finds that it is time."""
        self._since += n_steps
        enough = self.steps is not None and self._since >= self.steps
        if self._world.agreed(enough or time.monotonic() >= self._due):
            self.write(engine)

    def write(self, engine: Engine) -> None:
        """Keep the session's position now."""
        began = time.monotonic()
        self._write(self._session.position, cast(ShardedEngine, engine))
        self._since, self._due = 0, self._next_due(began, time.monotonic())

    def finish(self) -> None:
        """The fit is over: keep its result."""
        engine = cast(ShardedEngine, self._session.engines[0])
        engine.take_weights()
        self._write(Position(finished=True), engine)

    def resume(self) -> ResumePoint:
        """Give the session weights, history and optimizer of the checkpoint, and the fit where to continue.

        Raises:
            ArtifactError: it is damaged, or belongs to another training.
        """
        place = self._folder.latest
        assert place is not None  # as `found` says
        with making_from(str(self.path)):
            return self._resume(place)

    def _resume(self, place: Path) -> ResumePoint:
        there, here = self._folder.about(place), json.loads(json.dumps(self._about))
        for name, value in here.items():
            if there.get("about", {}).get(name) != value:
                raise ArtifactError(
                    f"The checkpoint in {str(self.path)!r} is of another training: {name.replace('_', ' ')} is "
                    f"{there.get('about', {}).get(name)!r} there and {value!r} here. Run the same fits as then, give "
                    "every fit a folder of its own, or start again with resume=False."
                )
        session, files, position = self._session, self._folder.names(place), self._position(place)
        arrays = {name.removeprefix(HISTORY): read_rows(files, name) for name in files if name.startswith(HISTORY)}
        session.recorder.load_arrays(there["history"], arrays)
        session.epochs_done = int(there["epochs_done"])
        session.prepare_engines()
        engine = cast(ShardedEngine, session.engines[0])
        snapshot = self._snapshot(engine, files)
        if position.finished:
            engine.restore(self._schedule, snapshot, len(self._schedule))
            engine.sync_weights()
        return ResumePoint(str(self.path), position, engine.name, snapshot, {"cpu": torch.get_rng_state()}, [])

    def _position(self, place: Path) -> Position:
        with making_from(str(self.path)):
            return Position(**part(self._folder.about(place), "position", POSITION, ""))

    def _write(self, at: Position, engine: ShardedEngine) -> None:
        session, shard = self._session, self._session.shard
        snapshot = {name: values.numpy() for name, values in engine.snapshot().items()}
        arrays: dict[str, NDArray[Any]] = {}
        for lane in shard.own_lanes:
            rows = shard.rows_of_lane(lane)
            arrays |= {f"{name}.{lane:05}": snapshot[name][rows] for name in ("users", "users_at")}
        first, _ = self._world.block(shard.lanes.n_items)
        arrays |= {f"{name}.{first:012}": snapshot[name][1:] for name in ("items", "items_at")}
        history, steps = session.recorder.to_arrays()
        if self._world.rank == 0:
            arrays |= {"steps": snapshot["steps"], **{HISTORY + name: values for name, values in steps.items()}}
        about = {
            "about": self._about,
            "position": asdict(at),
            "history": history,
            "epochs_done": session.epochs_done,
        }
        self._folder.write(f"{self._number:08}", about, arrays)
        self._number += 1

    def _snapshot(self, engine: ShardedEngine, files: dict[str, Path]) -> dict[str, Tensor]:
        """The rows that live here now, from wherever they lived."""
        shard = self._session.shard
        snapshot = {name: values.clone() for name, values in engine.snapshot().items()}
        snapshot["steps"] = torch.from_numpy(read_rows(files, "steps").copy())
        for lane in shard.own_lanes:
            for name in ("users", "users_at"):
                _put(snapshot[name][shard.rows_of_lane(lane)], read_rows(files, f"{name}.{lane:05}"))
        first, last = self._world.block(shard.lanes.n_items)
        for name in ("items", "items_at"):
            blocks = sorted(key for key in files if key.startswith(f"{name}."))
            begins = [int(key.rpartition(".")[2]) for key in blocks]
            for key, begin, end in zip(blocks, begins, [*begins[1:], shard.lanes.n_items], strict=True):
                low, high = max(begin, first), min(end, last)
                if low < high:
                    rows = read_rows(files, key, low - begin, high - begin)
                    _put(snapshot[name][1 + low - first : 1 + high - first], rows)
        return snapshot

    def _next_due(self, began: float, written: float) -> float:
        if self._seconds is not None:
            return written + self._seconds
        if self.steps is not None:
            return math.inf
        return written + max(SECONDS, LEAST_WORK * (written - began))


def _put(place: Tensor, values: NDArray[Any]) -> None:
    if place.shape != values.shape:
        raise PartError(f"a table has rows of shape {values.shape} and must have {tuple(place.shape)}")
    place.copy_(torch.from_numpy(values))


def _number_of(place: Path) -> int:
    return int(place.name) if place.name.isdecimal() else 0


def _about(session: ShardedSession, schedule: Schedule, n_epochs: int) -> dict[str, Any]:
    """All that must be the same for a fit to continue as it would have; not the number of processes."""
    shard = session.shard
    pieces = "".join(piece.sha256 for group in shard.lanes.pieces.values() for piece in group)
    rates = np.ascontiguousarray(schedule.lrs).tobytes() + np.ascontiguousarray(schedule.moms).tobytes()
    changing = ("trained_by", "epochs_done")
    return {
        **{name: value for name, value in settings_of(session).items() if name not in changing},
        "epochs_before": session.epochs_done,
        "number_of_epochs": n_epochs,
        "batch_size": shard.batch_size,
        "held_out_share": shard.valid_pct,
        "seed_of_the_split": shard.seed,
        "number_of_training_rows": int(shard.item_counts.sum()),
        "checksum_of_the_lanes": hashlib.sha256(pieces.encode()).hexdigest()[:16],
        "checksum_of_the_learning_rates": hashlib.sha256(rates).hexdigest()[:16],
    }
