"""Training dot-product embeddings with dense AdamW, at a cost a rating that no table size enters.

The model is ``low + (high-low) * sigmoid(<p_u, q_i> + b_u + b_i)``, or the raw sum, with mean squared error.
A row is brought up to date when a batch reads it (`schedule.py` has the mathematics), so that only the rows
of a batch are ever touched, and yet all rows end where ``torch.optim.AdamW`` on the whole tables takes them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vectable.compiling import EngineUnavailable
from vectable.data.batches import BatchPlan
from vectable.training.engines.both_lanes import both_lanes
from vectable.training.engines.compiled.ready import kernels
from vectable.training.engines.compiled.schedule import RULE_NUMBERS, Schedule, tabulate
from vectable.training.engines.compiled.tables import FIRST, ROOTS, WEIGHTS, Floats, Table

__all__ = ["EngineUnavailable", "LazyAdamW"]


class LazyAdamW:
    """Weights, moments and steps of one model.

    A fit is `begin`, then `train` for the steps of one plan after another, then `catch_up` or `weights`.

    Args:
        user_factors, user_bias, item_factors, item_bias: (n_users, k), (n_users,), (n_items, k) and
            (n_items,) float32; copied.
        y_range: bounds of the sigmoid; None predicts the raw sum.
        beta2, eps, wd: as in ``torch.optim.AdamW``; all four tables decay.
        threads: 2 trains the two lanes of a plan's stage at the same time, with the same result as 1.

    Raises:
        EngineUnavailable: the kernels cannot be compiled here.
    """

    def __init__(
        self,
        user_factors: Floats,
        user_bias: Floats,
        item_factors: Floats,
        item_bias: Floats,
        *,
        y_range: tuple[float, float] | None,
        beta2: float,
        eps: float,
        wd: float,
        threads: int = 2,
    ) -> None:
        self._kernels = kernels()
        self._users = Table(user_factors, user_bias)
        self._items = Table(item_factors, item_bias)
        if self._users.n_factors != self._items.n_factors:
            raise ValueError(
                f"{self._users.n_factors} factors a user and {self._items.n_factors} an item: must be as many"
            )
        self.y_range = y_range
        self.beta2, self.eps, self.wd = beta2, eps, wd
        self.threads = threads
        self._before = 0  # steps before this schedule
        self._now = 0  # steps of this schedule
        self._schedule: Schedule = self._tabulate([], [])

    @property
    def step(self) -> int:
        """Optimizer steps taken so far, over all fits."""
        return self._before + self._now

    def begin(self, lrs: ArrayLike, moms: ArrayLike) -> None:
        """Start a fit; the moments of the one before it, if any, are kept.

        Args:
            lrs, moms: learning rate and first-moment decay of every step to come, (steps,).

        Raises:
            EngineUnavailable: a momentum of at least sqrt(beta2).
        """
        self.catch_up()
        self._schedule = self._tabulate(lrs, moms)
        self._restart(self.step)

    def train(
        self,
        users: NDArray[np.int32],
        items: NDArray[np.int32],
        ratings: Floats,
        plan: BatchPlan,
        first: int,
        last: int,
    ) -> NDArray[np.float64]:
        """Train steps [first, last) of a plan as the next steps of the schedule.

        However a plan is cut into calls, and with one thread or two, the result is the same bit for bit.

        Args:
            users, items: codes of the training rows, (rows,).
            ratings: (rows,).

        Returns:
            Each batch's mean squared error before its step, (last - first,).

        Raises:
            ValueError: more steps than the schedule has, or than the plan.
            IndexError: a code outside its table; the steps before it in its lane are done.
        """
        steps = last - first
        if not 0 <= first <= last <= len(plan):
            raise ValueError(f"steps {first} to {last} of a plan that has {len(plan)}")
        if self._now + steps > self._schedule.steps:
            raise ValueError(f"{steps} steps after {self._now}, but the schedule begun has only {self._schedule.steps}")
        losses = np.empty(steps)
        columns = (
            np.ascontiguousarray(users, dtype=np.int32),
            np.ascontiguousarray(items, dtype=np.int32),
            np.ascontiguousarray(ratings, dtype=np.float32),
        )
        if not len(columns[0]) == len(columns[1]) == len(columns[2]):
            raise ValueError("users, items and ratings must be of one length")
        longest = int((plan.stops[first:last] - plan.starts[first:last]).max(initial=1))
        start = self._now - first  # the step of the schedule before step 0 of the plan
        for begin, end in plan.stages:
            begin, end = max(begin, first), min(end, last)
            if begin < end:
                # Counted before it is done: an interrupt may fall between the two, and rows ahead of the
                # count would be worse than rows behind it.
                self._now = start + end
                self._stage(columns, plan, begin, end, start + begin, longest, losses[begin - first :])
        return losses

    def catch_up(self) -> None:
        """Bring every row to the current step."""
        for table in (self._users, self._items):
            self._kernels.catch_up(
                table.packed.reshape(-1),
                table.width,
                table.last,
                self._now,
                self._schedule.tail,
                self._schedule.ends,
                float(np.log(self.beta2)),
            )

    def weights(self) -> tuple[Floats, Floats, Floats, Floats]:
        """User factors, user biases, item factors and item biases at the current step, copied."""
        self.catch_up()
        return (*self._users.read(WEIGHTS), *self._items.read(WEIGHTS))

    def set_weights(self, user_factors: Floats, user_bias: Floats, item_factors: Floats, item_bias: Floats) -> None:
        """Replace the weights and keep the moments."""
        self.catch_up()
        self._users.write(WEIGHTS, user_factors, user_bias)
        self._items.write(WEIGHTS, item_factors, item_bias)

    def moments(self) -> dict[str, Floats]:
        """Both moments of all four tables at the current step: "user_factors.first" to "item_bias.second"."""
        self.catch_up()
        found = {}
        for side, table in (("user", self._users), ("item", self._items)):
            found[f"{side}_factors.first"], found[f"{side}_bias.first"] = table.read(FIRST)
            factors, bias = table.read(ROOTS)
            found[f"{side}_factors.second"], found[f"{side}_bias.second"] = factors**2, bias**2
        return found

    def load_moments(self, moments: Mapping[str, Floats], step: int) -> None:
        """Take over what `moments` and `step` gave, and wait for `begin`."""
        for side, table in (("user", self._users), ("item", self._items)):
            table.write(FIRST, moments[f"{side}_factors.first"], moments[f"{side}_bias.first"])
            # The root of a rounded square is the number that was squared, so nothing is lost on the way.
            factors, bias = moments[f"{side}_factors.second"], moments[f"{side}_bias.second"]
            table.write(ROOTS, np.sqrt(factors), np.sqrt(bias))
        self._restart(step)
        self._schedule = self._tabulate([], [])

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """All that training continues from in the middle of a fit, with every row at the step where it was last read.

        To bring rows up to date in two goes instead of one would change their last bits.
        """
        return {
            "users": self._users.packed,
            "users_at": self._users.last,
            "items": self._items.packed,
            "items_at": self._items.last,
            "steps": np.array([self._before, self._now]),
        }

    def restore(self, snapshot: Mapping[str, NDArray[Any]], lrs: ArrayLike, moms: ArrayLike) -> None:
        """Continue in the middle of the fit that `begin` started with these rates and momenta."""
        for name, table in (("users", self._users), ("items", self._items)):
            table.packed[:], table.last[:] = snapshot[name], snapshot[f"{name}_at"]
        self._before, self._now = snapshot["steps"].tolist()[0], 0
        self._schedule = self._tabulate(lrs, moms)
        self._now = snapshot["steps"].tolist()[1]

    def _tabulate(self, lrs: ArrayLike, moms: ArrayLike) -> Schedule:
        return tabulate(lrs, moms, beta2=self.beta2, eps=self.eps, wd=self.wd, taken=self.step)

    def _restart(self, step: int) -> None:
        self._before, self._now = step, 0
        for table in (self._users, self._items):
            table.last[:] = 0

    def _stage(
        self,
        columns: tuple[NDArray[np.int32], NDArray[np.int32], Floats],
        plan: BatchPlan,
        begin: int,
        end: int,
        now: int,
        longest: int,
        losses: NDArray[np.float64],
    ) -> None:
        """Train steps [begin, end) of a plan, all in one stage; the first is step `now` of the schedule."""
        low, high = self.y_range or (0.0, 0.0)
        failed = [-1, -1]

        def run(lane: int) -> None:
            failed[lane] = self._kernels.train_lane(
                self._users.packed.reshape(-1),
                self._users.last,
                self._items.packed.reshape(-1),
                self._items.last,
                self._users.width,
                self._users.n_factors,
                *columns,
                plan.order,
                plan.starts,
                plan.stops,
                plan.lanes,
                lane,
                begin,
                end,
                now,
                self._schedule.tail,
                self._schedule.ends,
                self._schedule.rules[now * RULE_NUMBERS : (now + end - begin) * RULE_NUMBERS],
                float(np.log(self.beta2)),
                np.float32(low),
                np.float32(high),
                self.y_range is not None,
                longest,
                losses,
            )

        if plan.lanes[begin:end].any():
            both_lanes(run, self.threads)
        else:
            run(0)
        for step in failed:
            if step >= 0:
                rows = plan.order[plan.starts[step] : plan.stops[step]]
                raise IndexError(f"step {step} reads a row, user or item that does not exist, in rows {rows}")
