"""The end of a process that is silent for too long: whoever waits for it is better served by a new one."""

import faulthandler
import time


class Watchdog:
    """Ends the process, after a trace of where each thread stands, when `beat` was not called for some seconds.

    It is a thread of the interpreter's own (`faulthandler`), which works where Python itself is stuck.

    Args:
        seconds: without a beat.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._wound = -seconds

    def beat(self) -> None:
        """The process is alive."""
        now = time.monotonic()
        if now - self._wound > self.seconds / 20:  # to wind it costs a thread
            self._wound = now
            faulthandler.dump_traceback_later(self.seconds, exit=True)

    def stop(self) -> None:
        """Watch no longer."""
        faulthandler.cancel_dump_traceback_later()
