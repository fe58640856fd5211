"""Who may ask a server, and the refusal that everybody else gets."""

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

OPEN_ROUTES = ("/health", "/ready")  # for whoever starts and stops servers: they need no token


class RefusalError(HTTPException):
    """A request that is answered with a problem.

    Args:
        status: of HTTP.
        sentence: what was wrong and what to do.
        more: further members of the problem.
    """

    def __init__(self, status: int, sentence: str, **more: Any) -> None:
        super().__init__(status, sentence)
        self.more = more


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes:
        token: that requests carry as ``Authorization: Bearer TOKEN``; None where none is needed.
        hosts: names of the server, without port, that requests may call it by; None for any. Without such a check a
            page of another name that resolves to this machine could ask through a visitor's browser.
        origins: addresses of pages besides the server's own whose scripts may ask, ``https://shop.example``.
    """

    token: str | None = None
    hosts: frozenset[str] | None = None
    origins: frozenset[str] = frozenset()

    def check(self, path: str, scheme: str, headers: dict[bytes, bytes]) -> None:
        """Raise unless a request may be answered.

        Raises:
            RefusalError: 400 for another Host, 403 for another Origin, 401 without the token.
        """
        host = headers.get(b"host", b"").decode("latin-1")
        if self.hosts is not None and _name_of(host) not in self.hosts:
            known = ", ".join(sorted(self.hosts))
            raise RefusalError(400, f"This server is not called {host[:120]!r}; it answers to {known}.")
        origin = headers.get(b"origin")
        if origin is not None:
            page = origin.decode("latin-1")
            if page not in self.origins and page.lower() != f"{scheme}://{host}".lower():
                raise RefusalError(403, f"Pages of {page[:120]!r} may not ask; --allow-origin names those that may.")
        if self.token is not None and path not in OPEN_ROUTES:
            kind, _, given = headers.get(b"authorization", b"").partition(b" ")
            if kind.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self.token.encode()):
                raise RefusalError(401, "The request needs the server's token: Authorization: Bearer TOKEN.")


def _name_of(host: str) -> str:
    """The name in a Host header, in small letters, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
