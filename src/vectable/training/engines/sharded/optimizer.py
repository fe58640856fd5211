"""Dense AdamW on the rows that one of several processes has, with the items of its batches fetched from the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.shard_plan import ShardPlan
from vectable.distributed.world import World
from vectable.training.engines.compiled.engine import LazyAdamW
from vectable.training.engines.compiled.schedule import RULE_NUMBERS
from vectable.training.engines.compiled.tables import Floats
from vectable.training.engines.sharded.kernels import FLOATS, INTEGERS
from vectable.training.engines.sharded.ready import kernels

BLOCK_RATINGS = 1 << 18  # of this process, whose items are asked for together
Rows = NDArray[np.int32]


class ShardedAdamW(LazyAdamW):
    """As `LazyAdamW`, of a share of all rows: users by themselves, items in a block of codes.

    Row 0 of both tables is nobody's. All processes make the same calls.

    Args:
        world: the processes.
        n_items: items in all of them.
        tables: as of `LazyAdamW`: (users here + 1, k), (users here + 1,), (items here + 1, k) and (items here + 1,).
        how: y_range, beta2, eps and wd, as of `LazyAdamW`.
    """

    def __init__(self, world: World, n_items: int, *tables: Floats, **how: Any) -> None:
        super().__init__(*tables, threads=1, **how)
        self._world, self._block = world, -(-n_items // world.size)
        self._compiled = kernels()
        self._seen = np.full(n_items + 1, -1, dtype=np.int32)
        self._scratch = [_Scratch(self._users.width) for _ in range(4)]

    def train_share(
        self, users: Rows, items: Rows, ratings: Floats, plan: ShardPlan, first: int, last: int
    ) -> NDArray[np.float64]:
        """Train steps [first, last) of a plan, which are of one window, as the next steps of the schedule.

        Args:
            users, items, ratings: training rows here, users as rows of the table here and items as codes, (rows,).

        Returns:
            Each batch's sum of squared errors here, before its step, (last - first,).
        """
        losses = np.empty(last - first)
        for begin, end in self._blocks(plan, first, last):
            wanted = self._ask(plan, items, begin, end)
            for step in range(begin, end):
                losses[step - first] = self._step(users, ratings, plan, step, wanted)
                self._now += 1
        return losses

    def _blocks(self, plan: ShardPlan, first: int, last: int) -> list[tuple[int, int]]:
        """Steps whose items are asked for together, the same in all processes."""
        longest = int(plan.totals[first:last].max(initial=1))
        stride = max(1, BLOCK_RATINGS * self._world.size // longest)
        return [(begin, min(begin + stride, last)) for begin in range(first, last, stride)]

    def _ask(self, plan: ShardPlan, items: Rows, first: int, last: int) -> "_Wanted":
        """Tell the owners which of their rows the batches of these steps read."""
        world, n_ratings = self._world, int((plan.stops[first:last] - plan.starts[first:last]).sum())
        counts = np.zeros((last - first, world.size), dtype=np.int64)
        wanted, slots = np.empty(n_ratings, dtype=np.int32), np.empty(n_ratings, dtype=np.int32)
        done = self._compiled.list_items(
            items, plan.order, plan.starts, plan.stops, first, last, self._block, self._seen, counts, wanted, slots
        )
        mine = wanted[:done]
        if world.size > 1:  # what is for one owner side by side
            mine = mine[
                np.argsort(np.repeat(np.tile(np.arange(world.size), last - first), counts.ravel()), kind="stable")
            ]
        theirs = world.exchange_counts(np.ascontiguousarray(counts.T))
        rows = world.exchange(mine, counts.sum(axis=0), theirs.sum(axis=1))
        if world.size > 1:  # and what is of one step
            rows = rows[
                np.argsort(np.repeat(np.tile(np.arange(last - first), world.size), theirs.ravel()), kind="stable")
            ]
        edges = np.concatenate([[0], np.cumsum(theirs.sum(axis=0))])
        return _Wanted(first, counts, slots, int(plan.starts[first]), theirs, rows, edges)

    def _step(self, users: Rows, ratings: Floats, plan: ShardPlan, step: int, wanted: "_Wanted") -> float:
        world, now, at = self._world, self._now, step - wanted.first
        width, bias_at, log_beta2 = self._items.width, self._items.n_factors, float(np.log(self.beta2))
        tail, ends, rules = self._schedule.tail, self._schedule.ends, self._schedule.rules
        low, high = self.y_range or (0.0, 0.0)
        asked = wanted.rows[wanted.edges[at] : wanted.edges[at + 1]]
        counts, coming = wanted.counts[at], wanted.theirs[:, at]
        here = plan.order[plan.starts[step] : plan.stops[step]]
        n_items, room = int(counts.sum()), max(len(asked), len(here), 1)
        owned, other, user, item = (scratch.of(room) for scratch in self._scratch)
        work, slope = np.empty(3 * room), np.empty(room, dtype=np.float32)
        item_table = (self._items.packed.reshape(-1), self._items.last, width, bias_at)
        user_table = (self._users.packed.reshape(-1), self._users.last, width, bias_at)

        given = np.empty(len(asked) * (bias_at + 1), dtype=np.float32)
        n_owned = self._compiled.read_owned(*item_table, asked, now, tail, ends, log_beta2, *owned, room, work, given)
        rows = world.exchange(given.reshape(-1, bias_at + 1), coming, counts)
        gradients = np.empty((n_items, bias_at + 1), dtype=np.float32)
        slots = wanted.slots[plan.starts[step] - wanted.place : plan.stops[step] - wanted.place]
        loss = self._compiled.step_users(
            *user_table, users[here], ratings[here], slots, rows.reshape(-1), n_items, int(plan.totals[step]),
            now, tail, ends, log_beta2, rules, RULE_NUMBERS * now, np.float32(low), np.float32(high),
            self.y_range is not None, *user, *item, room, work, slope, gradients.reshape(-1),
        )  # fmt: skip
        sums = world.exchange(gradients, counts, coming)
        self._compiled.step_owned(
            *item_table, asked, n_owned, sums.reshape(-1), now, rules, RULE_NUMBERS * now, *owned, *other, room, slope
        )
        return loss


@dataclass(frozen=True)
class _Wanted:
    """Which items some steps read.

    Attributes:
        first: the first of the steps.
        counts: number of items that this process wants of each owner, (steps, processes).
        slots: of each rating, the place of its item among those of its step.
        place: where the first step's ratings begin in the plan.
        theirs: number of rows here that each process wants, (processes, steps).
        rows: those rows, of one step after the other, by process.
        edges: where each step's begin, (steps + 1,).
    """

    first: int
    counts: NDArray[np.int64]
    slots: Rows
    place: int
    theirs: NDArray[np.int64]
    rows: Rows
    edges: NDArray[np.int64]


class _Scratch:
    """Memory for one side of a batch, which grows as it must."""

    def __init__(self, width: int) -> None:
        self._width, self._room = width, 0
        self._held: tuple[Rows, Floats] = (np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))

    def of(self, room: int) -> tuple[Rows, Floats]:
        """Integers and floats for so many ratings."""
        if self._room < room:
            self._room = room + room // 4
            floats = np.empty((FLOATS + self._width) * self._room, dtype=np.float32)
            self._held = np.empty(INTEGERS * self._room, dtype=np.int32), floats
        return self._held
