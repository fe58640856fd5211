"""The processes that torchrun started, and the few ways in which arrays travel between them.

Who started no torchrun has a world of one process, in which everything works the same and nothing travels.
"""

import atexit
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vectable.distributed.meeting import own_store
from vectable.distributed.watchdog import Watchdog
from vectable.errors import VectableError, is_finite, require

if TYPE_CHECKING:
    import torch

Number = TypeVar("Number", bound=np.generic)

TIMEOUT = (
    300.0  # seconds that a process waits for the others before it gives up, so that torchrun starts them all again
)


class World:
    """One process among several.

    Every method but `lanes` and `block` is called by all processes together, in the same order.

    Args:
        rank: number of this process, from 0.
        size: how many there are.
        watchdog: ends this process where it is silent for too long; None where it is alone.

    Attributes:
        bytes_sent: bytes of rows and row numbers that this process has sent to others with `exchange`.
    """

    def __init__(self, rank: int, size: int, watchdog: Watchdog | None = None) -> None:
        self.rank, self.size, self._watchdog = rank, size, watchdog
        self.bytes_sent = 0

    def lanes(self, n_lanes: int) -> range:
        """The lanes whose users live here: number l with l mod size = rank."""
        return range(self.rank, n_lanes, self.size)

    def block(self, n_rows: int) -> tuple[int, int]:
        """First and last-but-one of the rows of a table that live here; at most ceil(n_rows / size) of them."""
        most = -(-n_rows // self.size)
        return min(self.rank * most, n_rows), min((self.rank + 1) * most, n_rows)

    def total(self, values: NDArray[Number]) -> NDArray[Number]:
        """The sum over all processes, shaped like one's."""
        return self._reduced(values, "SUM")

    def highest(self, values: NDArray[Number]) -> NDArray[Number]:
        """The maximum over all processes, shaped like one's."""
        return self._reduced(values, "MAX")

    def exchange(
        self, rows: NDArray[Number], counts: NDArray[np.int64], coming: NDArray[np.int64] | None = None
    ) -> NDArray[Number]:
        """Send rows to each process and get theirs, in the order of the ranks.

        Args:
            rows: those for rank 0 first, (rows, ...).
            counts: how many are for each rank, (size,).
            coming: how many come from each, (size,), where that is known; else it is asked for first.
        """
        if self.size == 1:
            return rows
        import torch
        import torch.distributed as dist

        coming = self.exchange_counts(counts) if coming is None else coming
        taken = np.empty((int(coming.sum()), *rows.shape[1:]), dtype=rows.dtype)
        self._alive()
        sent = np.ascontiguousarray(rows)
        dist.all_to_all_single(torch.from_numpy(taken), torch.from_numpy(sent), coming.tolist(), counts.tolist())
        a_row = rows.dtype.itemsize * int(np.prod(rows.shape[1:]))
        self.bytes_sent += (int(counts.sum()) - int(counts[self.rank])) * a_row
        return taken

    def exchange_counts(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tell each process numbers, (size, ...), and hear theirs."""
        if self.size == 1:
            return counts
        import torch
        import torch.distributed as dist

        heard = np.empty_like(counts)
        self._alive()
        dist.all_to_all_single(torch.from_numpy(heard), torch.from_numpy(np.ascontiguousarray(counts)))
        return heard

    def from_rank(self, source: int, values: NDArray[Number]) -> NDArray[Number]:
        """What process `source` has; the others hand in an array of the same shape and type, which is written over."""
        if self.size > 1:
            import torch.distributed as dist

            self._alive()
            dist.broadcast(_tensor(values), src=source)
        return values

    def agreed(self, wish: bool) -> bool:
        """What process 0 wants, so that all do the same."""
        return bool(self.from_rank(0, np.array([wish], dtype=np.uint8))[0])

    def wait(self) -> None:
        """Until all are here."""
        self.total(np.zeros(1))

    def _reduced(self, values: NDArray[Number], operation: str) -> NDArray[Number]:
        if self.size == 1:
            return values
        import torch.distributed as dist

        result = np.array(values)
        self._alive()
        dist.all_reduce(_tensor(result), op=getattr(dist.ReduceOp, operation))
        return result

    def _alive(self) -> None:
        if self._watchdog is not None:
            self._watchdog.beat()


_world: World | None = None


def world() -> World:
    """The processes of this run; joins them when it is first called."""
    return _world if _world is not None else join()


def started_by_torchrun() -> bool:
    """Whether torchrun (or what sets the same variables) has started this process as one of a group."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def join(timeout: float = TIMEOUT) -> World:
    """Join the processes that torchrun started, or be a world of one.

    Args:
        timeout: seconds that one waits for another, or works without a word, before it ends itself. torchrun then
            starts all of them again.

    Raises:
        VectableError: they are joined already, or cannot be reached.
    """
    global _world
    require(is_finite(timeout) and timeout > 0, f"timeout must be a positive number of seconds; got {timeout!r}.")
    require(_world is None, "The processes are joined already; call join() before anything else.")
    if not started_by_torchrun():
        _world = World(0, 1)
        return _world
    import torch.distributed as dist
    from torch.distributed.rendezvous import rendezvous

    watchdog = Watchdog(2 * timeout)  # a call of the group ends by itself after `timeout`; this is for all others
    watchdog.beat()
    patience = timedelta(seconds=timeout)
    try:
        store, rank, size = next(rendezvous("env://", timeout=patience))
        dist.init_process_group(
            "gloo", store=own_store(store, rank, size, timeout), rank=rank, world_size=size, timeout=patience
        )
    except (RuntimeError, ValueError, TimeoutError) as problem:
        said = str(problem).partition("\n")[0]
        raise VectableError(f"The processes of torchrun do not find each other: {said}") from problem
    atexit.register(_leave, watchdog)
    _world = World(dist.get_rank(), dist.get_world_size(), watchdog)
    return _world


def _leave(watchdog: Watchdog) -> None:
    import torch.distributed as dist

    watchdog.stop()
    if dist.is_initialized():
        dist.destroy_process_group()


def _tensor(values: NDArray[Any]) -> "torch.Tensor":
    import torch

    return torch.from_numpy(values)
