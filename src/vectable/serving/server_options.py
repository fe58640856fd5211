"""What a server is asked for: models, address, who may ask, how many processes."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vectable.errors import VectableError, require
from vectable.serving.access import Access

if TYPE_CHECKING:
    from vectable.answers.loading import Search

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST_TOKEN = 16  # characters
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where the workers of one server add up their figures


@dataclass(frozen=True)
class ServerOptions:
    """What `vectable serve` was asked for.

    Attributes:
        models: folders by name.
        host, port: where it listens; port 0 takes a free one.
        access: who may ask.
        workers: processes that answer.
        watch: whether folders are read again when they change.
        search: how lists are found; see `load_answers`.
        access_log: whether each request is a line on standard output.

    Raises:
        VectableError: an address that others reach, without a token; or a token that can be guessed.
    """

    models: dict[str, Path]
    host: str = "127.0.0.1"
    port: int = 8000
    access: Access = field(default_factory=Access)
    workers: int = 1
    watch: bool = False
    access_log: bool = True
    search: "Search" = "exact"

    def __post_init__(self) -> None:
        token = self.access.token
        require(
            token is not None or self.host in LOOPBACK,
            f"Without a token the server answers this machine alone, and --host is {self.host!r}. "
            "Set VECTABLE_TOKEN (or --token) to a secret that clients send, or leave --host out.",
        )
        require(
            token is None or (len(token) >= SHORTEST_TOKEN and token.isascii() and token.isprintable()),
            f"A token has at least {SHORTEST_TOKEN} printable ASCII characters; `openssl rand -hex 24` makes one.",
        )


def access_of(host: str, token: str | None, hosts: Iterable[str], origins: Iterable[str]) -> Access:
    """Who may ask a server at `host`.

    On this machine alone it answers to the names of this machine, elsewhere to any, or where `hosts` are named to those
    alone.
    """
    named = frozenset(one.lower() for one in hosts)
    if host in LOOPBACK:
        return Access(token, named | LOOPBACK, frozenset(origins))
    return Access(token, named or None, frozenset(origins))


def models_named(texts: Iterable[str]) -> dict[str, Path]:
    """Folders by name, from texts such as ``models/books``, ``models/books=shop`` and ``models/new=shop@new``.

    Raises:
        VectableError: a name that is given twice.
    """
    models: dict[str, Path] = {}
    for text in texts:
        folder, given, name = text.rpartition("=")
        if not given or Path(text).exists():
            folder, name = text, Path(text).resolve().name
        require(
            name not in models, f"Two models are called {name!r}; name one of them: FOLDER=NAME, or FOLDER=NAME@V2."
        )
        models[name] = Path(folder)
    return models


def listen_at(host: str, port: int) -> socket.socket:
    """A socket that accepts connections.

    Raises:
        VectableError: the address is none of this machine's, or taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as why:
        listening.close()
        reason = why.strerror or why
        raise VectableError(f"{host}:{port} cannot be listened on: {reason}. Choose another --port or --host.") from why
    listening.set_inheritable(True)
    return listening


def address_of(listening: socket.socket) -> str:
    """The address of a listening socket, as clients write it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
