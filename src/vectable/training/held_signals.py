"""Ctrl-C and SIGTERM while a model trains: held until a step is complete, so that a checkpoint can be kept there."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

HELD = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """Used as a context: a signal that comes inside waits until `deliver`; a second one is delivered at once.

    What a signal does then is what it would have done without: Python's handler of Ctrl-C raises KeyboardInterrupt, one
    of the program's own does what it does. SIGTERM, where the program has no handler for it, raises KeyboardInterrupt
    too, so that what was trained can be saved; the process ends by it when the program is done, and no further training
    begins. Signals reach the main thread alone; elsewhere nothing is held.

    Attributes:
        pending: the signal that waits, or None.
    """

    def __init__(self) -> None:
        self.pending: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "HeldSignals":
        if _terminated.is_set():
            sys.exit(128 + signal.SIGTERM)
        if threading.current_thread() is threading.main_thread():
            for number in HELD:
                handler = signal.getsignal(number)
                if callable(handler) or (number == signal.SIGTERM and handler == signal.SIG_DFL):
                    self._before[number] = signal.signal(number, self._hold)
        return self

    def __exit__(self, *problem: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if problem[0] is not None:
            with suppress(KeyboardInterrupt):  # the problem ends the training already
                self.deliver()

    def deliver(self) -> None:
        """Let the signal that waits do its work now; nothing where none waits."""
        number, self.pending = self.pending, None
        if number is None:
            return
        handler: Callable[[int, FrameType | None], Any] | signal.Handlers = self._before[number]
        if callable(handler):
            handler(number, None)
        else:
            _end_process_when_done()
            raise KeyboardInterrupt

    def _hold(self, number: int, frame: FrameType | None) -> None:
        again = self.pending is not None
        self.pending = number
        if again:
            self.deliver()


_terminated = threading.Event()


def _end_process_when_done() -> None:
    """Once the program has saved what it wants to save, let the process end as SIGTERM would have ended it."""
    if not _terminated.is_set():
        _terminated.set()
        atexit.register(_end_process, os.getpid())


def _end_process(process: int) -> None:
    if os.getpid() == process:  # and not in a child that was forked since
        sys.stdout.flush()
        sys.stderr.flush()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(process, signal.SIGTERM)
