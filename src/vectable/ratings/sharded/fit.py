"""A fit that several processes make together."""

import signal
from typing import Any

from vectable.training.fit import Fit
from vectable.training.held_signals import HeldSignals


class ShardedFit(Fit):
    """As `Fit`; a signal ends the process at once, since one that stops elsewhere than the others holds them all up.

    What was trained until then is in the last checkpoint.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.signals = _NothingHeld()


class _NothingHeld(HeldSignals):
    """Ctrl-C ends the process, as SIGTERM does."""

    def __enter__(self) -> "_NothingHeld":
        self._handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
        return self

    def __exit__(self, *problem: object) -> None:
        signal.signal(signal.SIGINT, self._handler)
