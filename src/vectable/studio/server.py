"""The process of the studio."""

import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from vectable.errors import VectableError
from vectable.folder_lock import folder_lock
from vectable.serving.server_options import LOOPBACK, address_of, listen_at
from vectable.serving.worker import server_config
from vectable.studio.access import START, StudioAccess
from vectable.studio.app import StudioServer, make_studio

PORT = 8_642  # that is tried first
TRIED = 20  # ports from there on, where none is asked for


def run_studio(folder: Path, host: str, port: int | None, started: Callable[[str], None]) -> None:
    """Answer until Ctrl-C or SIGTERM. Runs go on without it.

    Args:
        folder: of the projects.
        host: on this machine.
        port: 0 for a free one; None for the usual one, or the next that is free.
        started: called with the address that lets one browser in.

    Raises:
        VectableError: an address that others reach, one that is taken, or a folder that another studio works in.
    """
    if host not in LOOPBACK:
        raise VectableError(
            f"The studio answers this machine alone, and --host is {host!r}; give 127.0.0.1, or leave it out. To reach "
            "it from elsewhere, forward the port: ssh -L 8642:127.0.0.1:8642 MACHINE."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder), _listening(host, port) as listening:
        address = address_of(listening)
        access = StudioAccess(port=listening.getsockname()[1])
        server = make_studio(folder.resolve(), access)
        try:
            _serve(server, listening, lambda: started(f"{address}{START}?token={access.new_token()}"))
        finally:
            server.studio.helpers.stop()
            server.studio.runs.close()


def _serve(server: StudioServer, listening: socket.socket, started: Callable[[], None]) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _Server(server_config(server.app), server, started).run([listening])


class _Server(uvicorn.Server):
    """Uvicorn's server, which says when it answers."""

    def __init__(self, config: uvicorn.Config, server: StudioServer, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._studio, self._tell_started = server.studio, started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets)
        self._tell_started()
        self._studio.helpers.warm()


def _listening(host: str, port: int | None) -> socket.socket:
    if port is not None:
        return listen_at(host, port)
    for tried in range(PORT, PORT + TRIED):
        with suppress(VectableError):
            return listen_at(host, tried)
    return listen_at(host, 0)


class _alone_in:  # noqa: N801 - a context manager, named as what it does
    """Hold a folder for one studio."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, folder_lock(folder, seconds=0.0)

    def __enter__(self) -> None:
        try:
            self._lock.__enter__()
        except TimeoutError:
            raise VectableError(
                f"Another studio works in {str(self._folder)!r}: use its page, end it, or name another folder."
            ) from None

    def __exit__(self, *problem: object) -> None:
        self._lock.__exit__(None, None, None)
