"""A process that answers."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.types import ASGIApp

from vectable.serving.app import Serving, make_serving
from vectable.serving.connections import BoundedConnection
from vectable.serving.limits import CONNECTIONS, HEAD_BYTES, IDLE_SECONDS, STOP_SECONDS
from vectable.serving.server_options import ServerOptions
from vectable.serving.shelf import Shelf

FILES = CONNECTIONS + 200  # that a worker may have open
PARENT_SECONDS = 1.0  # between two looks whether the parent is there


def answer_requests(
    options: ServerOptions, listening: socket.socket, started: Callable[[], None], parent: int | None = None
) -> None:
    """Answer until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        listening: where connections come in.
        started: called once they are accepted.
        parent: id of the process that looks after this one and its like; it stops where that is gone.

    Raises:
        VectableError: a model cannot be loaded.
    """
    _allow_files()
    _log_to_streams(options.access_log)
    tell_others = None if parent is None else (lambda: os.kill(parent, signal.SIGHUP))
    serving = make_serving(Shelf(options.models, options.search), options.access, tell_others=tell_others)
    signal.signal(signal.SIGTERM, _end)  # to which uvicorn hands the signal on when all is answered
    config = server_config(serving.app)
    with suppress(KeyboardInterrupt):
        _Server(config, serving, options.watch, started, parent).run([listening])


def server_config(app: ASGIApp) -> uvicorn.Config:
    """How an application is served: bounded connections, no log but ours, no sockets beside HTTP."""
    return uvicorn.Config(
        app,
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=1024,
    )


class _Server(uvicorn.Server):
    """Uvicorn's server, which also reads folders again on SIGHUP or when they change."""

    def __init__(
        self,
        config: uvicorn.Config,
        serving: Serving,
        watch: bool,
        started: Callable[[], None],
        parent: int | None,
    ) -> None:
        super().__init__(config)
        self._serving, self._watch, self._tell_started, self._parent = serving, watch, started, parent
        self._tasks: set[asyncio.Task[object]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets)
        reloading, loop = self._serving.reloading, asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: self._keep(loop.create_task(reloading.reload(pass_on=False))))
        if self._watch:
            self._keep(loop.create_task(reloading.watch()))
        if self._parent is not None:
            self._keep(loop.create_task(self._stop_without_parent()))
        self._tell_started()

    def _keep(self, task: "asyncio.Task[object]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop_without_parent(self) -> None:
        while os.getppid() == self._parent:
            await asyncio.sleep(PARENT_SECONDS)
        self.should_exit = True


def _end(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _allow_files() -> None:
    """Let the process have as many connections open as it is meant to hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard < 0 else min(FILES, hard), hard))


def _log_to_streams(access_log: bool) -> None:
    """Each request as a line of JSON on standard output, all else as sentences on standard error."""
    for name, stream in (("vectable.serving", sys.stderr), ("vectable.serving.access", sys.stdout)):
        handler, log = logging.StreamHandler(stream), logging.getLogger(name)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.handlers, log.propagate = [handler], False
        log.setLevel(logging.INFO)
    logging.getLogger("vectable.serving.access").setLevel(logging.INFO if access_log else logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
