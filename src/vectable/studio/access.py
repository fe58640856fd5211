"""Who may ask the studio: the browser that opened the address with the one-time token, and nobody else."""

import hmac
import secrets
from dataclasses import dataclass, field

from vectable.serving.access import Access, RefusalError
from vectable.serving.server_options import LOOPBACK

START = "/start"
COOKIE = "vectable_studio"


@dataclass(frozen=True)
class StudioAccess(Access):
    """Host and Origin as `Access` checks them, and a cookie in the place of its token.

    Attributes:
        port: of the server: a browser sends the cookies of all ports of a host together, so the name holds it.
        secret: that the cookie carries.
        tokens: that may be exchanged for the cookie, each once.
    """

    hosts: frozenset[str] | None = LOOPBACK
    port: int = 0
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    tokens: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def cookie(self) -> str:
        """The cookie's name."""
        return f"{COOKIE}_{self.port}"

    def new_token(self) -> str:
        """A token that opens the studio once."""
        token = secrets.token_urlsafe(32)
        self.tokens.add(token)
        return token

    def take_token(self, given: str) -> None:
        """Use a token up.

        Raises:
            RefusalError: there is none such, or it was used before.
        """
        for token in self.tokens:
            if hmac.compare_digest(token.encode(), given.encode()):
                self.tokens.remove(token)
                return
        raise RefusalError(
            403, "This address opens the studio once, and it was used. Start `vectable studio` again for another."
        )

    def check(self, path: str, scheme: str, headers: dict[bytes, bytes]) -> None:
        """Raise unless a request may be answered.

        Raises:
            RefusalError: 400 for another Host, 403 for another Origin or without the cookie.
        """
        super().check(path, scheme, headers)
        if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            raise RefusalError(403, "Only the studio's own pages may ask.")
        if path != START and not self.is_known(headers):
            raise RefusalError(403, "Open the address that `vectable studio` printed: it lets this browser in.")

    def is_known(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request carries the cookie."""
        for part in headers.get(b"cookie", b"").split(b";"):
            name, _, value = part.strip().partition(b"=")
            if name == self.cookie.encode() and hmac.compare_digest(value, self.secret.encode()):
                return True
        return False
