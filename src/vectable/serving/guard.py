"""What every request passes before it is read: whose it is, how long, how many at once; and what the log keeps."""

import asyncio
import logging
import time
from datetime import UTC, datetime

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vectable.serving.access import OPEN_ROUTES, Access, RefusalError
from vectable.serving.limits import Limits
from vectable.serving.metrics import Metrics
from vectable.serving.problems import problem

UNCOUNTED_ROUTES = (*OPEN_ROUTES, "/metrics")  # they answer however much else is asked
LOGGED = 300  # characters of a path

access_log = logging.getLogger("vectable.serving.access")
log = logging.getLogger("vectable.serving")


class Guard:
    """The outermost layer of an application.

    Args:
        app: what answers.
        access: who may ask.
        limits: of requests.
        metrics: that count them.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, metrics: Metrics) -> None:
        self.app, self.access, self.limits, self.metrics = app, access, limits, metrics
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, receive, send, self.limits)
        counted = visit.path not in UNCOUNTED_ROUTES
        self.metrics.began()
        self._in_flight += counted
        try:
            self.access.check(visit.path, scope["scheme"], visit.headers)
            if counted and self._in_flight > self.limits.in_flight:
                raise RefusalError(503, f"{self.limits.in_flight:,} requests are under way already; try again.")
            visit.check_length()
            await visit.answer(self.app)
        except RefusalError as why:
            await visit.refuse(why)
        finally:
            self._in_flight -= counted
            self.metrics.ended(visit.route, _known(scope["method"]), visit.status, visit.seconds)
            visit.log()


class _Visit:
    """One request on its way through."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self.scope, self.limits = scope, limits
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        self.status, self.sent_bytes = 0, 0
        self._longest = limits.longest_body(self.path)
        self._receive, self._send = receive, send
        self._read_bytes = 0
        self._whole_body = not {b"content-length", b"transfer-encoding"} & self.headers.keys()
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    @property
    def route(self) -> str:
        """The pattern of the route, so that figures do not grow with the number of names."""
        return str(getattr(self.scope.get("route"), "path", "none")).replace(":path", "")

    def check_length(self) -> None:
        length = self.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > self._longest:
            raise self._too_long()

    async def answer(self, app: ASGIApp) -> None:
        """Let the application answer within its time."""
        try:
            async with asyncio.timeout(self.limits.seconds) as self._time:
                await app(self.scope, self.receive, self.send)
        except TimeoutError:
            if self.status:  # the client does not take what is sent to it
                raise
            seconds = f"{self.limits.seconds:g} seconds"
            if not self._whole_body:
                raise RefusalError(408, f"The request was not there after {seconds}.") from None
            raise RefusalError(503, f"There was no answer after {seconds}; try again, or ask for less.") from None
        except RefusalError:
            raise
        except Exception:
            if self.status:
                raise
            log.exception("%s %s failed", self.scope["method"], self.path[:LOGGED])
            raise RefusalError(500, "The server failed on this request; its log says why.") from None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read_bytes += len(message.get("body", b""))
            self._whole_body = not message.get("more_body", False)
            if self._read_bytes > self._longest:
                raise self._too_long()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._time.reschedule(asyncio.get_running_loop().time() + self.limits.write_seconds)
        else:
            self.sent_bytes += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, why: RefusalError) -> None:
        headers = {"WWW-Authenticate": "Bearer"} if why.status_code == 401 else {}
        if not self._whole_body:
            headers["Connection"] = "close"  # the rest of the body is not read
        self.status = why.status_code
        await problem(why.status_code, why.detail, headers, **why.more)(self.scope, self._receive, self._send)

    def log(self) -> None:
        """A line of JSON."""
        if not access_log.isEnabledFor(logging.INFO):
            return
        client = self.scope.get("client")
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "client": client[0] if client else None,
            "method": self.scope["method"],
            "route": self.route,
            "path": self.path[:LOGGED].encode("utf-8", "backslashreplace").decode(),
            "status": self.status,
            "ms": round(self.seconds * 1000, 2),
            "bytes": self.sent_bytes,
        }
        access_log.info("%s", orjson.dumps(line).decode())

    def _too_long(self) -> RefusalError:
        return RefusalError(413, f"The body is longer than {self._longest:,} bytes; send it in parts.")


def _known(method: str) -> str:
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
