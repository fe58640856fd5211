"""The sharded engine behind the engines' protocol: the compiled engine's AdamW on rows in several processes."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan
from vectable.data.ratings.shard_plan import ShardPlan
from vectable.data.ratings.shard_rows import ShardRows
from vectable.data.tensors import TensorSet
from vectable.distributed.world import World, world
from vectable.models.sharded_dot_bias import ShardedDotBias
from vectable.training.engines.compiled.ready import warm_up
from vectable.training.engines.compiled_engine import BETA2, RATINGS_PER_CALL, CompiledEngine
from vectable.training.engines.dot_product_jobs import why_no_dot_products
from vectable.training.engines.job import Job
from vectable.training.engines.sharded.optimizer import ShardedAdamW
from vectable.training.engines.sharded.ready import kernels


class ShardedEngine(CompiledEngine):
    """Dense AdamW on the rows of a `ShardedDotBias`. All processes call it alike."""

    name = "sharded"
    state_format = "sharded rows"
    optimizer: ShardedAdamW

    def __init__(self, model: ShardedDotBias, world: World, *, n_items: int, eps: float, wd: float) -> None:
        self._world, self._n_items = world, n_items
        super().__init__(model, eps=eps, wd=wd, threads=1)

    @classmethod
    def why_not(cls, job: Job) -> str | None:
        """The reason why it cannot train this, or None where it can."""
        if not isinstance(job.rows, ShardRows):
            return "it trains lanes in processes that torchrun has started, and these ratings are in one"
        if job.options.opt != "adam" or job.options.wd_mode != "decoupled":
            return "it is Adam with decoupled weight decay, and another optimizer is asked for"
        return why_no_dot_products(job, ShardedDotBias, ShardRows)

    @classmethod
    def make(cls, job: Job, report: Callable[[str], None]) -> Self:
        """An engine for such a job, its kernels compiled."""
        assert isinstance(job.model, ShardedDotBias)  # as `why_not` has seen
        assert isinstance(job.rows, ShardRows)
        warm_up(on_compile=lambda: report("Compiling the training engine; this happens once and takes a few seconds."))
        kernels()
        return cls(job.model, world(), n_items=job.rows.n_items, eps=job.options.dialect.eps, wd=job.wd[0])

    def run(
        self, plan: BatchPlan, rows: TensorSet, first: int = 0, most: int | None = None
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Train one epoch, a window after the other, a good many batches per call."""
        assert isinstance(plan, ShardPlan)
        assert isinstance(rows, ShardRows)
        stride = max(1, RATINGS_PER_CALL * len(plan) // max(int(plan.totals.sum()), 1))
        stride = min(stride, most or stride)
        for window, begin, end in plan.windows:
            if end <= first:
                continue
            columns = rows.window(window)
            for at in range(max(begin, first), end, stride):
                until = min(at + stride, end)
                squares = self._world.total(self.optimizer.train_share(*columns, plan, at, until))
                yield squares / plan.totals[at:until]

    def take_weights(self) -> None:
        """Take the weights that the module holds, as the next fit will."""
        self.optimizer.set_weights(*self._arrays())

    def _new_optimizer(self) -> ShardedAdamW:
        return ShardedAdamW(
            self._world,
            self._n_items,
            *self._arrays(),
            y_range=self.model.y_range,
            beta2=BETA2,
            eps=self.eps,
            wd=self.wd,
        )
