"""A process beside the server for what takes more than a moment, so that the server answers others meanwhile."""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from vectable.studio.problems import conflict

PROCESSES = 2
LOOK_SECONDS = 1.0  # between two looks whether the server is there

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")


class Helpers:
    """Runs functions in other processes. One that dies there is replaced, and the question it died of told."""

    def __init__(self) -> None:
        self._pool = self._new()

    async def run(self, do: Callable[Arguments, Found], *given: Arguments.args, **named: Arguments.kwargs) -> Found:
        """What a function returns; its errors are raised here.

        Raises:
            RefusalError: the process died, as it does where memory does not suffice.
        """
        pool = self._pool
        try:
            return await asyncio.wrap_future(pool.submit(do, *given, **named))
        except BrokenProcessPool as why:
            if pool is self._pool:
                self._pool = self._new()
            raise conflict("The helper process ended while it worked on this, as it does without memory.") from why

    def warm(self) -> None:
        """Import what the first question needs, before it comes."""
        self._pool.submit(_import)

    def stop(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _new() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn"), _begin, (os.getpid(),))


def _begin(server: int) -> None:
    """Leave Ctrl-C to the server, and end where it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_without, args=(server,), daemon=True).start()


def _end_without(server: int) -> None:
    while os.getppid() == server:
        time.sleep(LOOK_SECONDS)
    os._exit(0)


def _import() -> None:
    import vectable.studio.looking
    import vectable.studio.photographs

    del vectable
