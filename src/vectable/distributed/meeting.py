"""How the processes of one start find each other, and none of an earlier start.

torchrun keeps one store of keys and values for all its starts (seen in torch 2.13: `_bootstrap_store_info` in
`torch/distributed/elastic/rendezvous/dynamic_rendezvous.py` is made once, and `_create_c10d_store` adds no prefix). So
a process that was started again may read the address that its neighbor had the last time, and then either is refused
("connection refused") or waits in gloo for somebody who is dead, for as long as the group's timeout. Here each start
gets keys of its own.
"""

import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

PAUSE = 0.02  # seconds between two looks


def own_store(store: "Store", rank: int, size: int, timeout: float) -> "Store":
    """The part of a store that belongs to this start alone.

    Every process leaves a word that nobody else knows. Process 0 answers each word with the name of the start, again
    and again, until all have read it: to the words of dead processes nobody listens.

    Args:
        store: of all starts.
        rank: of this process among `size`.
        timeout: seconds to wait for the others.

    Raises:
        TimeoutError: not all came.
    """
    from torch.distributed.distributed_c10d import PrefixStore

    until = time.monotonic() + timeout
    if rank == 0:
        name = uuid.uuid4().hex
        missing = set(range(1, size))
        while missing:
            for other in sorted(missing):
                if store.check([f"vectable/word/{other}"]):
                    store.set(f"vectable/answer/{store.get(f'vectable/word/{other}').decode()}", name)
                if store.check([f"vectable/read/{name}/{other}"]):
                    missing.discard(other)
            _wait(until, f"{len(missing)} of {size} processes did not come")
        return PrefixStore(f"vectable/{name}", store)
    word = uuid.uuid4().hex
    store.set(f"vectable/word/{rank}", word)
    while not store.check([f"vectable/answer/{word}"]):
        _wait(until, "process 0 did not answer")
    name = store.get(f"vectable/answer/{word}").decode()
    store.set(f"vectable/read/{name}/{rank}", "1")
    return PrefixStore(f"vectable/{name}", store)


def _wait(until: float, why: str) -> None:
    if time.monotonic() > until:
        raise TimeoutError(why)
    time.sleep(PAUSE)
