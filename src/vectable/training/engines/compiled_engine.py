"""The compiled engine behind the engines' protocol: dense AdamW for dot-product models on the CPU."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.compiling import EngineUnavailable
from vectable.data.batches import BatchPlan
from vectable.data.tensors import TensorSet
from vectable.errors import VectableError
from vectable.folder_schema import Array, PartError, take_arrays
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.training.data_protocol import Data
from vectable.training.engines.compiled.engine import LazyAdamW
from vectable.training.engines.compiled.ready import warm_up
from vectable.training.engines.dot_product_jobs import why_no_dot_products
from vectable.training.engines.job import Job
from vectable.training.schedules import Schedule

BETA2 = 0.99
THREADS = 2  # where none are asked for; the result does not depend on it
RATINGS_PER_CALL = 100_000  # between two looks at the progress bar and at Ctrl-C


class CompiledEngine:
    """Dense AdamW on an `EmbeddingDotBias`, every row brought up to date when it is next read."""

    name = "compiled"
    state_format = "rows"
    in_place = False

    def __init__(self, model: EmbeddingDotBias, *, eps: float, wd: float, threads: int = THREADS) -> None:
        self.model: EmbeddingDotBias = model
        self.eps, self.wd, self.threads = eps, wd, threads
        self.optimizer = self._new_optimizer()

    @classmethod
    def why_not(cls, job: Job) -> str | None:
        """The reason why it cannot train this, or None where it can."""
        if job.options.opt != "adam" or job.options.wd_mode != "decoupled":
            return "it is Adam with decoupled weight decay, and another optimizer is asked for"
        return why_no_dot_products(job)

    @classmethod
    def make(cls, job: Job, report: Callable[[str], None]) -> Self:
        """An engine for such a job, its kernels compiled.

        Raises:
            EngineUnavailable: the kernels cannot be compiled here.
        """
        assert isinstance(job.model, EmbeddingDotBias)  # as `why_not` has seen
        warm_up(on_compile=lambda: report("Compiling the training engine; this happens once and takes a few seconds."))
        return cls(job.model, eps=job.options.dialect.eps, wd=job.wd[0], threads=job.options.threads or THREADS)

    def begin(self, schedule: Schedule) -> None:
        """Start a fit from the weights that the module holds."""
        self.optimizer.set_weights(*self._arrays())
        try:
            self.optimizer.begin(schedule.lrs[:, 0], schedule.moms[:, 0])
        except EngineUnavailable as problem:
            raise VectableError(
                f"The compiled engine cannot train this: {problem.reason}. Use engine='torch'."
            ) from problem

    def batches(self, data: Data, rng: np.random.Generator) -> BatchPlan:
        """The data's own."""
        return data.plan(rng)

    def run(
        self, plan: BatchPlan, rows: TensorSet, first: int = 0, most: int | None = None
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Train one epoch, a good many batches per call."""
        users, items = (column.numpy() for column in rows.inputs)
        ratings = rows.target.numpy()
        stride = max(1, RATINGS_PER_CALL * len(plan) // max(len(plan.order), 1))
        stride = min(stride, most or stride)
        for begin in range(first, len(plan), stride):
            yield self.optimizer.train(users, items, ratings, plan, begin, min(begin + stride, len(plan)))

    def sync_weights(self) -> None:
        """Bring every row up to the step reached, in the module."""
        with torch.no_grad():
            for table, values in zip(self._tables(), self.optimizer.weights(), strict=True):
                table.weight.copy_(torch.from_numpy(values).reshape(table.weight.shape))

    def regroup(self) -> None:
        """Its one group trains always."""

    def state(self) -> dict[str, Tensor]:
        """Moments of every row, and the number of steps taken."""
        held = {name: torch.from_numpy(values) for name, values in self.optimizer.moments().items()}
        return held | {"step": torch.tensor(self.optimizer.step)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up what `state` gave; rows that came since have empty moments."""
        self.optimizer = self._new_optimizer()
        moments = {name: values.numpy() for name, values in state.items() if name != "step"}
        for name, now in self.optimizer.moments().items():
            if len(moments[name]) < len(now):
                moments[name] = np.concatenate([moments[name], np.zeros_like(now[len(moments[name]) :])])
        self.optimizer.load_moments(moments, int(state["step"]))

    def snapshot(self) -> dict[str, Tensor]:
        """The tables as they are, every row at the step where it was last read."""
        return {name: torch.from_numpy(values) for name, values in self.optimizer.snapshot().items()}

    def restore(self, schedule: Schedule, snapshot: dict[str, Tensor], n_steps: int) -> None:
        """Put those tables back; the snapshot itself knows the step."""
        schema = {name: _as_now(array) for name, array in self.optimizer.snapshot().items()}
        arrays = take_arrays({"engine": snapshot}, "engine", schema, {})
        done = int(arrays["steps"][1])
        for name in ("users_at", "items_at"):
            if done > len(schedule) or max(arrays[name], default=0) > done:
                raise PartError(f"engine.{name} goes beyond the {done:,} steps of {len(schedule):,} that are done")
        self.optimizer.restore(arrays, schedule.lrs[:, 0], schedule.moms[:, 0])

    def _new_optimizer(self) -> LazyAdamW:
        return LazyAdamW(
            *self._arrays(),
            y_range=self.model.y_range,
            beta2=BETA2,
            eps=self.eps,
            wd=self.wd,
            threads=self.threads,
        )

    def _tables(self) -> tuple[nn.Embedding, nn.Embedding, nn.Embedding, nn.Embedding]:
        model = self.model
        return model.user_factors, model.user_bias, model.item_factors, model.item_bias

    def _arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        users, user_bias, items, item_bias = (table.weight.detach().numpy() for table in self._tables())
        return users, user_bias[:, 0], items, item_bias[:, 0]


def _as_now(array: NDArray[Any]) -> Array:
    """What a snapshot's array must be: of the type and shape that it would have now; steps are counted from 0."""
    least = 0 if array.dtype.kind == "i" else None
    return Array(array.dtype.name, " ".join(map(str, array.shape)), least=least)
