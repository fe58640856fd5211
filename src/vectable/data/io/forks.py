"""polars after a fork: its threads stay behind in the parent, and the child would wait for them for ever."""

import os

from vectable.errors import VectableError


class ForkGuard:
    """Knows whether this process was forked from one in which polars had been used.

    Attributes:
        used: whether polars has been asked for anything in this process, or in the one that it was forked from.
        lost: whether the fork came after that, so that polars' threads are missing here.
    """

    def __init__(self) -> None:
        self.used = self.lost = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forked)

    def forked(self) -> None:
        """This process has just been forked."""
        self.lost = self.used

    def check(self) -> None:
        """Note that polars is about to be used.

        Raises:
            VectableError: its threads did not come along.
        """
        if self.lost:
            raise VectableError(
                "This process was forked from one that had used tables already, and polars, which reads them, does not "
                "work after a fork: it would wait for ever. Start processes with "
                "multiprocessing.get_context('spawn'), or fork first and load the model in the child."
            )
        self.used = True


polars_threads = ForkGuard()
