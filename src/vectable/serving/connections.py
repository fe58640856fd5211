"""Connections with an end: none waits for ever, and there are never more than `limits.CONNECTIONS`."""

import asyncio
from typing import cast
from weakref import WeakKeyDictionary

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from vectable.serving import limits

_idle: WeakKeyDictionary[ServerState, "dict[BoundedConnection, None]"] = WeakKeyDictionary()


class BoundedConnection(H11Protocol):
    """A connection over which requests come one after the other.

    One that sends nothing, or a request's headers drop by drop, is cut after `limits.HEAD_SECONDS`. Where there are too
    many, the one that has been without a whole request for longest makes room.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._waiting = _idle.setdefault(server_state, {})
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection, or turn it away where all others are at work."""
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > limits.CONNECTIONS:
            if not self._waiting:
                self.transport.write(_answer(503, "Service Unavailable", "All connections are at work; try again."))
                self.transport.close()
                return
            next(iter(self._waiting)).cut()
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; the time for headers runs from the first byte."""
        if self._head_timer is None and self._is_idle:
            self._start_timer()
        super().data_received(data)
        if not self._is_idle:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._waiting[self] = None
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or has headers without end."""
        longest = f"{limits.HEAD_BYTES:,}"
        sentence = f"This is not an HTTP/1.1 request, or its headers are longer than {longest} bytes."
        self.transport.write(_answer(400, "Bad Request", sentence))
        self.transport.close()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_request(self) -> None:
        self._waiting[self] = None
        self._start_timer()

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(limits.HEAD_SECONDS, self.cut)

    def _stop_waiting(self) -> None:
        self._waiting.pop(self, None)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def cut(self) -> None:
        """Close the connection, unless a request is under way."""
        self._stop_waiting()
        if self._is_idle:
            self.transport.abort()


def _answer(status: int, title: str, sentence: str) -> bytes:
    """A whole refusal, written without the application."""
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": sentence})
    retry = "Retry-After: 1\r\n" if status == 503 else ""
    head = (
        f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\n{retry}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
