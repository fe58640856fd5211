"""Two lanes of a plan's stage at the same time, or one after the other."""

import threading
from collections.abc import Callable


def both_lanes(run: Callable[[int], None], threads: int) -> None:
    """Call ``run(0)`` and ``run(1)``, in two threads where there are as many, and return when both are done.

    Ctrl-C is passed on then, too.
    """
    if threads < 2:
        run(0)
        run(1)
        return
    other = threading.Thread(target=run, args=(1,))
    other.start()
    interrupt: KeyboardInterrupt | None = None
    try:
        run(0)
    finally:
        while other.is_alive():
            try:
                other.join()
            except KeyboardInterrupt as caught:
                interrupt = caught
    if interrupt is not None:
        raise interrupt
