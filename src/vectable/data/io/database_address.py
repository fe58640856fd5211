"""Addresses of databases: which driver they ask for, and how they are shown without a password."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from vectable.data.io.files import existing_file
from vectable.errors import DataError

_ENCODED = r"(?:[^\s%:@/?#,]|%[0-9A-Fa-f]{2})*"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|{_ENCODED})(?::\d*)?"
_POSTGRESQL = re.compile(
    rf"postgres(?:ql)?://(?:(?P<user>{_ENCODED})(?::{_ENCODED})?@)?(?P<place>{_HOST}(?:,{_HOST})*(?:/{_ENCODED})?)"
    rf"(?:\?\w+={_ENCODED}(?:&\w+={_ENCODED})*)?"
)


@dataclass(frozen=True)
class DatabaseAddress:
    """An address that was understood.

    Attributes:
        text: what the driver is given; it may hold a password, and is in no repr.
        driver: "postgresql" or "sqlite".
        shown: host and database, or the file: what messages may say.
    """

    text: str = field(repr=False)
    driver: str
    shown: str


def is_address(text: str) -> bool:
    """Whether a text looks like an address (``scheme://...``) and not like a file's path."""
    return re.match(r"[A-Za-z][\w+.-]*://", text) is not None


def parse_address(address: str, writes: bool = False) -> DatabaseAddress:
    """Understand ``postgresql://user:password@host:port/database`` or ``sqlite:///file.db``.

    What PostgreSQL's address leaves out, its own variables say: PGHOST, PGUSER, PGPASSWORD, PGSERVICE, or the file
    ~/.pgpass. The path of SQLite begins after the third slash; an absolute one has a fourth.

    Args:
        writes: whether SQLite's file may be written, and made where it does not exist.

    Raises:
        DataError: another kind of address, or one that cannot be taken apart; it is not shown, for its password.
            There is no such file.
    """
    if not isinstance(address, str) or not is_address(address):
        raise DataError(
            "The address of the database is no address; write postgresql://user@host:port/database or "
            "sqlite:///file.db. (It is not shown here, because it may hold a password.)"
        )
    scheme = address.partition("://")[0].lower()
    if scheme == "sqlite":
        return _sqlite(address, writes)
    if scheme in ("postgresql", "postgres"):
        return _postgresql(address)
    raise DataError(f"Databases of the kind {scheme}:// cannot be reached; postgresql:// and sqlite:// can.")


def _postgresql(address: str) -> DatabaseAddress:
    """Every part in its place: the driver quotes pieces of an address that it cannot read, and so of a password."""
    found = _POSTGRESQL.fullmatch(address)
    if found is None:
        raise DataError(
            "The postgresql:// address cannot be taken apart; it is postgresql://user:password@host:port/database, "
            "with signs such as @ : / ? # % and spaces in a name or password in percent-encoding (%40 for @). "
            "(It is not shown here, because it may hold a password.)"
        )
    return DatabaseAddress(address, "postgresql", f"postgresql://{unquote(found['place'])}")


def _sqlite(address: str, writes: bool) -> DatabaseAddress:
    host, _, name = address.partition("://")[2].partition("/")
    if host or not name:
        raise DataError(
            f"SQLite's address is sqlite:///file.db, with three slashes (four for a path from the root); got {address}."
        )
    if writes:
        path = Path(name).expanduser()
        if not path.parent.is_dir():
            raise DataError(f"{address} cannot be written: there is no folder {path.parent}; create it first.")
        return DatabaseAddress(f"file:{quote(str(path))}", "sqlite", address)
    if not Path(name).exists() and Path("/", name).is_file():
        raise DataError(f"No such file: {name}. A path from the root has four slashes: sqlite:////{name}.")
    return DatabaseAddress(f"file:{quote(str(existing_file(name)))}?mode=ro", "sqlite", address)
