"""The learner of ratings whose rows live in several processes."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.ratings.ratings_shard import RatingsShard
from vectable.errors import VectableError, is_whole, require
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.sharded_dot_bias import ShardedDotBias
from vectable.ratings.sharded.checkpoints import ShardedCheckpoint
from vectable.ratings.sharded.fit import ShardedFit
from vectable.ratings.sharded.item_rows import Floats
from vectable.ratings.sharded.lists import write_lists
from vectable.ratings.sharded.session import ShardedSession, known_items, known_rows
from vectable.ratings.sharded.vectors import write_vectors
from vectable.training.checkpoints import Checkpoint, as_checkpoint
from vectable.training.engines.job import Job
from vectable.training.engines.sharded.engine import ShardedEngine
from vectable.training.hooks import Callback
from vectable.training.options import TrainingOptions
from vectable.training.parameter_groups import A_MOMENTUM, one_a_group, parameter_groups, spread_rates, three_a_group
from vectable.training.progress_display import ProgressDisplay
from vectable.training.recorder import Recorder
from vectable.training.schedules import Schedule, constant_schedule, one_cycle_schedule

if TYPE_CHECKING:
    from vectable.training.learner import Learner

MakeWhole = Callable[[RatingsData], "Learner"]


class ShardedLearner:
    """Trains a dot-product model in all processes that torchrun started; `collab_learner` makes it of a `RatingsShard`.

    Every method is called by all processes together.

    Args:
        data: the ratings of this process.
        n_factors, y_range: of the model.
        options: how it is trained.
        make_whole: makes the ordinary learner of all ratings, which is what `save` saves.
        callbacks: called at the events of every fit, in every process.
        progress: whether process 0 shows it, or the rich console to show it on.

    Attributes:
        session: model, options, engine, recorder and position of training, in this process.

    Raises:
        VectableError: options that the sharded engine does not have.
    """

    def __init__(
        self,
        data: RatingsShard,
        n_factors: int,
        y_range: tuple[float, float] | None,
        options: TrainingOptions,
        *,
        make_whole: MakeWhole,
        callbacks: Sequence[Callback] = (),
        progress: Any = True,
    ) -> None:
        items = data.world.block(data.lanes.n_items)
        lengths = {group: [piece.length for piece in data.lanes.pieces[group]] for group in ("users", "items")}
        user_lanes = [(lane, lengths["users"][lane]) for lane in data.own_lanes]
        model = ShardedDotBias(user_lanes, list(enumerate(lengths["items"])), items, n_factors, y_range, options.seed)
        self.session = ShardedSession(
            data, model, nn.MSELoss(), options.changed(engine=ShardedEngine.name), device="cpu"
        )
        self._make_whole, self._callbacks = make_whole, list(callbacks)
        self._progress = progress if data.world.rank == 0 else False
        if options.engine not in ("auto", ShardedEngine.name):
            raise VectableError(f"Several processes train with the sharded engine, and engine={options.engine!r}.")
        known = {"rmse", "mae"}
        require(
            set(options.metrics_by_name) <= known, f"Several processes measure {sorted(known)}, and no other metrics."
        )
        reason = ShardedEngine.why_not(
            Job(model, nn.MSELoss(), options, parameter_groups(model, None), [_decay(options)], data.train)
        )
        require(reason is None, f"The sharded engine cannot train this: {reason}.")

    @property
    def data(self) -> RatingsShard:
        """The ratings of this process."""
        return self.session.shard

    @property
    def recorder(self) -> Recorder:
        """What happened in training, the same in all processes."""
        return self.session.recorder

    @property
    def model(self) -> ShardedDotBias:
        """The rows of this process."""
        model = self.session.model
        assert isinstance(model, ShardedDotBias)
        return model

    def fit(
        self,
        n_epochs: int,
        lr: float = 3e-3,
        callbacks: Sequence[Callback] = (),
        *,
        mom: float = 0.9,
        checkpoint: str | Path | Checkpoint | None = None,
        resume: bool = False,
    ) -> "ShardedLearner":
        """Train `n_epochs` epochs at one learning rate; arguments as of `Learner.fit`."""
        schedule = partial(constant_schedule, lr=_rate(lr), mom=one_a_group(mom, 1, "momentum", A_MOMENTUM))
        return self._fit(schedule, n_epochs, callbacks, checkpoint, resume)

    def fit_one_cycle(
        self,
        n_epochs: int,
        lr: float = 3e-3,
        callbacks: Sequence[Callback] = (),
        *,
        moms: Sequence[float] = (0.95, 0.85, 0.95),
        checkpoint: str | Path | Checkpoint | None = None,
        resume: bool = False,
    ) -> "ShardedLearner":
        """Train with the learning rate rising to `lr` and falling again; arguments as of `Learner.fit_one_cycle`.

        Args:
            checkpoint: on a disk that all processes see. Under ``torchrun --max-restarts`` with ``resume=True`` a
                process that dies costs the steps since the last one: all are started again, and end in the same bits.
                Any other number of processes may continue it.
        """
        cycle = self.session.options.dialect.cycle
        schedule = partial(one_cycle_schedule, cycle, lr_max=_rate(lr), moms=three_a_group(moms, 1))
        return self._fit(schedule, n_epochs, callbacks, checkpoint, resume)

    def validate(self) -> dict[str, float]:
        """Loss, rmse and mae on the validation ratings of all processes."""
        return self.session.measure(self.model)

    def save(self, path: str | Path, *, serving: bool = False) -> Path:
        """Save an ordinary folder, which `load_learner` loads. Process 0 alone has all rows and ratings in memory then.

        Args:
            path, serving: as of `Learner.save`. Where no process has room for all, `write_vectors` has them by lane.
        """
        learn = self.gather()
        if learn is not None:
            learn.save(path, serving=serving)
        return Path(path)

    def gather(self) -> "Learner | None":
        """The ordinary learner of all rows and ratings, in process 0; None in the others."""
        shard, world = self.data, self.data.world
        users, items = known_rows(shard, self.model)
        users, items = users[shard.user_counts > 0], items[known_items(shard)]
        order = [
            np.full(int((shard.user_counts[shard.rows_of_lane(lane)] > 0).sum()), lane) for lane in shard.own_lanes
        ]
        lanes = self._at_first(np.concatenate(order)[:, None])[:, 0]
        all_users, all_items = self._at_first(users), self._at_first(items)
        if world.rank != 0:
            return None
        learn = self._make_whole(
            RatingsData.from_whole_lanes(
                shard.lanes.folder, valid_pct=shard.valid_pct, seed=shard.seed, batch_size=shard.batch_size
            )
        )
        _put(learn.model, all_users[np.argsort(lanes, kind="stable")], all_items)
        history, steps = self.recorder.to_arrays()
        learn.recorder.load_arrays(history, steps)
        learn.session.epochs_done = self.session.epochs_done
        return learn

    def write_vectors(self, folder: str | Path) -> Path:
        """Write factors and biases as Parquet: ``users-L.parquet`` and ``items-R.parquet``, by lane and by process.

        No process has more in memory than its own rows. Columns: `id`, `factors` (a list of 32-bit floats), `bias`.
        """
        return write_vectors(self.data, self.model, Path(folder))

    def write_lists(self, folder: str | Path, n: int = 10, *, exclude_seen: bool = True) -> Path:
        """Write each user's `n` items with the highest predicted rating as Parquet, ``lists-L.parquet`` by lane.

        Args:
            exclude_seen: leave out what the user has rated in the training rows.
        """
        require(is_whole(n, 1), f"n must be a positive integer; got {n!r}.")
        return write_lists(self.data, self.model, Path(folder), n, exclude_seen)

    def __repr__(self) -> str:
        return f"ShardedLearner({self.data!r}; trained {self.session.epochs_done} epochs)"

    def _fit(
        self,
        make_schedule: Callable[[int], Schedule],
        n_epochs: int,
        callbacks: Sequence[Callback],
        checkpoint: str | Path | Checkpoint | None,
        resume: bool,
    ) -> "ShardedLearner":
        require(is_whole(n_epochs, 1), f"The number of epochs must be a positive integer; got {n_epochs!r}.")
        given = as_checkpoint(checkpoint, resume)
        keep = None if given is None else ShardedCheckpoint(given.path, given.steps, given.minutes, given.seconds)
        if self.session.options.dialect.fresh_optimizer:
            self.session.drop_engines()
        schedule = make_schedule(n_epochs * self.data.n_steps)
        with ProgressDisplay(self._progress) as display:
            ShardedFit(self.session, schedule, n_epochs, [*self._callbacks, *callbacks], display, keep, resume).run()
        return self

    def _at_first(self, rows: Any) -> Any:
        """The rows of all processes, one behind the other, in process 0; none in the others."""
        counts = np.zeros(self.data.world.size, dtype=np.int64)
        counts[0] = len(rows)
        return self.data.world.exchange(rows, counts)


def _put(model: Any, users: Floats, items: Floats) -> None:
    """Give a whole model its rows, after that of the unknown."""
    assert isinstance(model, EmbeddingDotBias)
    with torch.no_grad():
        for rows, factors, bias in (
            (users, model.user_factors, model.user_bias),
            (items, model.item_factors, model.item_bias),
        ):
            factors.weight[1:], bias.weight[1:] = torch.from_numpy(rows[:, :-1]), torch.from_numpy(rows[:, -1:])
    model.fill_unknown()


def _rate(lr: Any) -> Any:
    return spread_rates(lr, 1, 10)


def _decay(options: TrainingOptions) -> float:
    return float(np.ravel(options.wd)[0])
