"""Reading folders again while requests are answered: by route, by signal, or when a folder changes."""

import asyncio
import logging
from collections.abc import Callable

from vectable.serving.metrics import Metrics
from vectable.serving.shelf import Reloaded, Shelf

WATCH_SECONDS = 1.0

log = logging.getLogger("vectable.serving")


class Reloading:
    """Reloads the models of a shelf in a thread of their own, so that requests go on meanwhile.

    Args:
        shelf: of models.
        metrics: that count reloads.
        tell_others: called after a request or a change asked for it, so that the other workers of a server reload too.
    """

    def __init__(self, shelf: Shelf, metrics: Metrics, tell_others: Callable[[], None] | None = None) -> None:
        self._shelf, self._metrics, self._tell_others = shelf, metrics, tell_others
        metrics.versions(shelf)

    async def reload(self, only_changed: bool = False, pass_on: bool = True) -> list[Reloaded]:
        """Read the folders again; what became of each.

        Args:
            only_changed: leave out folders that are as they were.
            pass_on: whether the other workers shall do the same.
        """
        done = await asyncio.to_thread(self._shelf.reload, only_changed)
        self._metrics.reloaded(done, self._shelf)
        for one in done:
            if one.problem:
                log.warning("%s answers on from version %s: %s", one.name, one.version, one.problem)
            elif one.changed:
                log.info("%s answers from version %s.", one.name, one.version)
        if pass_on and self._tell_others is not None:
            self._tell_others()
        return done

    async def watch(self) -> None:
        """Reload what changes, without end."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self.reload(only_changed=True, pass_on=False)
