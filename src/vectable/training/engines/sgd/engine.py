"""The engine for millions of ratings, behind the engines' protocol.

A rating r of user u and item i, predicted as ``f(<p_u, q_i> + b_u + b_i)``, moves the two rows against the gradient of

    (prediction - r)**2 + DECAY * wd/2 * (|p_u|**2 + b_u**2 + |q_i|**2 + (b_i - m)**2)

where m is the mean rating as a raw sum, each row at a rate of its own: ``RATE * lr / sqrt(squares)``, with squares the
sum over its ratings so far of the mean square of the factors' gradient (Duchi et al. 2011, JMLR 12, with one sum a row
instead of one a weight, as in Chin et al. 2015, doi 10.1007/978-3-319-18038-0_35). Biases move at a quarter of it. The
learning rate is the schedule's, and all ratings of a batch share one; momenta have no meaning here. Without
bounds (``y_range=None``) the items' biases move before the first rating so that the mean prediction is the mean rating.
"""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.compiling import compile_module
from vectable.data.batches import BatchPlan
from vectable.data.tensors import TensorSet
from vectable.folder_schema import Array, PartError, take_arrays
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.training.data_protocol import Data
from vectable.training.engines.both_lanes import both_lanes
from vectable.training.engines.dot_product_jobs import why_no_dot_products
from vectable.training.engines.job import Job
from vectable.training.engines.sgd.packed_rows import FIRST_SQUARES, Floats, PackedRows
from vectable.training.engines.sgd.user_order import Codes, user_order
from vectable.training.presets import PRESETS
from vectable.training.schedules import Schedule

LEAST_RATINGS = 5_000_000
"""From which number of training ratings on it trains where no engine is named."""
RATE = 15.0
"""Adagrad's rate for a learning rate of 1. So the rates that suit AdamW, 3e-3 to 5e-3, suit this engine too."""
DECAY = 0.65
"""What a weight decay of 1 puts on the squares of the weights: 0.1, which suits AdamW, suits this engine too."""
THREADS = 2  # where none are asked for; the result does not depend on it
RATINGS_PER_CALL = 200_000  # between two looks at the progress bar and at Ctrl-C
SAMPLE = 100_000  # ratings by which a model's mean prediction is measured


class SgdEngine:
    """A step of SGD a rating on an `EmbeddingDotBias`.

    Args:
        model: trained in place, when `sync_weights` is called.
        wd: weight decay, as the options name it.
        threads: 2 train the two lanes of a stage at the same time, with the same result as 1.
    """

    name = "sgd"
    state_format = "rates of rows"
    in_place = False

    def __init__(self, model: EmbeddingDotBias, *, wd: float, threads: int = THREADS) -> None:
        self.model: EmbeddingDotBias = model
        self.wd, self.threads = wd, threads
        self._kernels = kernels()
        self._take_tables()
        self._steps = self._steps_before = 0  # of this schedule, and before it
        self._rates: Floats = np.zeros(0, dtype=np.float32)

    @classmethod
    def why_not(cls, job: Job) -> str | None:
        """The reason why it cannot train this, or why it does not where no engine is named; None where it does."""
        options = job.options
        if options.opt not in ("adam", "sgd"):
            return "it is SGD with one Adagrad rate a row, and another optimizer is asked for"
        if (reason := why_no_dot_products(job)) is not None or options.engine == cls.name:
            return reason
        if len(job.rows) < LEAST_RATINGS:
            return f"it is for {LEAST_RATINGS:,} ratings and more, and there are {len(job.rows):,}"
        if options.opt != "adam" or options.wd_mode != "decoupled" or options.dialect != PRESETS["modern"]:
            return "an optimizer, a kind of weight decay or a preset is asked for"
        return None

    @classmethod
    def make(cls, job: Job, report: Callable[[str], None]) -> Self:
        """An engine for such a job, its kernels compiled.

        Raises:
            EngineUnavailable: the kernels cannot be compiled here.
        """
        assert isinstance(job.model, EmbeddingDotBias)  # as `why_not` has seen
        message = "Compiling the engine for millions of ratings; this happens once and takes a few seconds."
        kernels(lambda: report(message))
        return cls(job.model, wd=job.wd[0], threads=job.options.threads or THREADS)

    # ---------------------------------------------------------------- training

    def begin(self, schedule: Schedule) -> None:
        """Start a fit from the weights that the module holds."""
        for rows, tables in self._sides():
            rows.write(*tables)
        self._rates = _rates(schedule)
        self._steps_before, self._steps = self._all_steps, 0

    def batches(self, data: Data, rng: np.random.Generator) -> BatchPlan:
        """One epoch's batches: users in random order, the ratings of each together."""
        users, items, _ = self._columns(data.train)
        return user_order(users, items, len(self._users), len(self._items), data.batch_size, rng, self._kernels)

    def run(
        self, plan: BatchPlan, rows: TensorSet, first: int = 0, most: int | None = None
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Train one epoch, a good many batches per call."""
        columns = self._columns(rows)
        mean = self._raw_mean(columns[2])
        if self.model.y_range is None and self._all_steps == 0 and self._rates.any():
            self._items.bias[:] += np.float32(mean - self._mean_sum(*columns[:2]))
        rest = np.zeros(self._items.width, dtype=np.float32)
        rest[self._items.bias_at] = mean
        stride = max(1, RATINGS_PER_CALL * len(plan) // max(len(plan.order), 1))
        stride = min(stride, most or stride)
        start = self._steps - first  # the step of the schedule before step 0 of the plan
        for begin in range(first, len(plan), stride):
            end = min(begin + stride, len(plan))
            losses = np.empty(end - begin)
            # Counted before it is done: an interrupt may fall between the two.
            self._steps = start + end
            for stage in plan.stages:
                low, high = max(begin, stage[0]), min(end, stage[1])
                if low < high:
                    self._stage(columns, rest, plan, low, high, start + low, losses[low - begin : high - begin])
            yield losses

    def sync_weights(self) -> None:
        """Give the module the weights reached."""
        for rows, (factors, bias) in self._sides():
            factors[:], bias[:] = rows.factors, rows.bias

    def regroup(self) -> None:
        """Its one group trains always."""

    # ---------------------------------------------------------------- what is kept

    def state(self) -> dict[str, Tensor]:
        """What sets the rate of every row, and the number of steps taken."""
        return {
            "user.squares": torch.from_numpy(self._users.squares.copy()),
            "item.squares": torch.from_numpy(self._items.squares.copy()),
            "step": torch.tensor(self._all_steps),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up what `state` gave; rows that came since start afresh."""
        self._take_tables()
        for rows, name in ((self._users, "user.squares"), (self._items, "item.squares")):
            rows.squares[:] = FIRST_SQUARES
            rows.squares[: len(state[name])] = state[name].numpy()
        self._steps_before, self._steps = int(state["step"]), 0

    def snapshot(self) -> dict[str, Tensor]:
        """Tables, rates and the count of steps."""
        return {name: torch.from_numpy(values) for name, values in self._arrays().items()}

    def restore(self, schedule: Schedule, snapshot: dict[str, Tensor], n_steps: int) -> None:
        """Put them back; the snapshot itself knows the step."""
        schema = {
            name: Array(array.dtype.name, " ".join(map(str, array.shape)), least=0 if name == "steps" else None)
            for name, array in self._arrays().items()
        }
        arrays = take_arrays({"engine": snapshot}, "engine", schema, {})
        before, done = arrays["steps"].tolist()
        if done > len(schedule):
            raise PartError(f"engine.steps goes beyond the {len(schedule):,} steps of the fit")
        for rows, name in ((self._users, "user"), (self._items, "item")):
            rows.table[:], rows.squares[:] = arrays[f"{name}s"], arrays[f"{name}.squares"]
        self._rates, self._steps_before, self._steps = _rates(schedule), before, done

    # ---------------------------------------------------------------- inside

    @property
    def _all_steps(self) -> int:
        return self._steps_before + self._steps

    def _take_tables(self) -> None:
        """Pack the module's tables, each row with the rate of a new one."""
        model = self.model
        self._users = PackedRows(*_arrays_of(model.user_factors, model.user_bias), of_items=False)
        self._items = PackedRows(*_arrays_of(model.item_factors, model.item_bias), of_items=True)

    def _sides(self) -> Iterator[tuple[PackedRows, tuple[Floats, Floats]]]:
        """Each side's rows, and its factors and biases in the module."""
        model = self.model
        yield self._users, _arrays_of(model.user_factors, model.user_bias)
        yield self._items, _arrays_of(model.item_factors, model.item_bias)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "users": self._users.table,
            "user.squares": self._users.squares,
            "items": self._items.table,
            "item.squares": self._items.squares,
            "steps": np.array([self._steps_before, self._steps]),
        }

    def _columns(self, rows: TensorSet) -> tuple[Codes, Codes, Floats]:
        """User and item codes and ratings as the kernels take them: they do not look whether a row exists."""
        users, items = (np.ascontiguousarray(column.numpy(), dtype=np.int32) for column in rows.inputs)
        for codes, side, what in ((users, self._users, "user"), (items, self._items, "item")):
            if len(codes) and not (codes.min() >= 0 and codes.max() < len(side)):
                raise IndexError(f"a rating is of {what} {codes.max()} or {codes.min()}, and there are {len(side):,}")
        return users, items, np.ascontiguousarray(rows.target.numpy(), dtype=np.float32)

    def _raw_mean(self, ratings: Floats) -> float:
        """The mean rating as a raw sum of the model."""
        mean = float(ratings.mean(dtype=np.float64)) if len(ratings) else 0.0
        if self.model.y_range is None:
            return mean
        low, high = self.model.y_range
        share = min(max((mean - low) / (high - low), 0.01), 0.99)
        return float(np.log(share / (1 - share)))

    def _mean_sum(self, users: Codes, items: Codes) -> float:
        """The mean raw sum of the model over a sample of the ratings."""
        every = -(-len(users) // SAMPLE)
        some = self._users.table[users[::every]], self._items.table[items[::every]]
        return float(np.einsum("rw,rw->r", *some).mean(dtype=np.float64))

    def _stage(
        self,
        columns: tuple[Codes, Codes, Floats],
        rest: Floats,
        plan: BatchPlan,
        begin: int,
        end: int,
        now: int,
        losses: NDArray[np.float64],
    ) -> None:
        """Train steps [begin, end) of a plan, all in one stage; the first is step `now` of the schedule."""
        users, items, bounds = self._users, self._items, self.model.y_range

        def run(lane: int) -> None:
            self._kernels["train_lane"](
                users.table.reshape(-1), users.squares, users.gains,
                items.table.reshape(-1), items.squares, items.gains, rest,
                users.width, users.n_factors, *columns, plan.order, plan.starts, plan.stops, plan.lanes,
                lane, begin, end, self._rates[now : now + end - begin], DECAY * self.wd,
                *(bounds or (0.0, 0.0)), bounds is not None, losses,
            )  # fmt: skip

        if plan.lanes[begin:end].any():
            both_lanes(run, self.threads)
        else:
            run(0)


_ready: dict[str, Callable[..., Any]] = {}


def kernels(on_compile: Callable[[], None] | None = None) -> dict[str, Callable[..., Any]]:
    """The compiled functions by name, compiled or loaded once per process.

    Raises:
        EngineUnavailable: numba cannot be imported, is switched off, or cannot compile them.
    """
    if not _ready:
        _ready.update(compile_module("vectable.training.engines.sgd.kernels", on_compile))
    return _ready


def _rates(schedule: Schedule) -> Floats:
    """Adagrad's rate of every step, (steps,)."""
    return (RATE * schedule.lrs[:, 0]).astype(np.float32)


def _arrays_of(factors: nn.Embedding, bias: nn.Embedding) -> tuple[Floats, Floats]:
    """Factors, (rows, n_factors), and biases, (rows,), of the module itself, not copied."""
    return factors.weight.detach().numpy(), bias.weight.detach().numpy()[:, 0]
