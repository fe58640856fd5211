"""Processes that were started again find each other, whatever the dead have left behind."""

import threading
from datetime import timedelta

import pytest
from torch.distributed import TCPStore

from vectable.distributed.meeting import own_store


def stores(count):
    first = TCPStore("127.0.0.1", 0, is_master=True, timeout=timedelta(seconds=20))
    return [first, *(TCPStore("127.0.0.1", first.port, timeout=timedelta(seconds=20)) for _ in range(count - 1))]


def meet(connections, ranks, size, timeout=20.0):
    """What the processes of some ranks leave in their store for each other, and read from it."""
    found = {}

    def come(rank):
        own = own_store(connections[rank], rank, size, timeout)
        own.set(f"address/{rank}", f"{id(found)} {rank}")
        found[rank] = [own.get(f"address/{other}").decode() for other in range(size)]

    threads = [threading.Thread(target=come, args=(rank,)) for rank in ranks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def test_each_start_reads_its_own_addresses():
    connections = stores(3)
    for _ in range(3):
        found = meet(connections, range(3), 3)
        assert all(one == found[0] for one in found.values())
        assert found[0] == [f"{id(found)} {rank}" for rank in range(3)]


def test_the_words_of_the_dead_are_not_taken_for_the_living():
    connections = stores(2)
    connections[1].set("vectable/word/1", "of a process that died before it was answered")
    with pytest.raises(TimeoutError, match="1 of 2 processes did not come"):
        own_store(connections[0], 0, 2, 0.3)
    assert set(meet(connections, range(2), 2)) == {0, 1}


def test_nobody_waits_for_ever():
    connections = stores(2)
    with pytest.raises(TimeoutError, match="process 0 did not answer"):
        own_store(connections[1], 1, 2, 0.2)
