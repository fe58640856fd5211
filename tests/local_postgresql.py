"""A PostgreSQL server for the tests alone: on loopback, in a temporary folder, stopped afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, PASSWORD = "shopkeeper", "open sesame/40@thieves"
ENCODED = "open%20sesame%2F40%40thieves"


class AbsentError(Exception):
    """Why there is no server."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    port: int

    def address(self, user: str = USER, password: str = ENCODED, database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"


@contextmanager
def local_server() -> Iterator[Server]:
    """Make a database cluster, start its server, and remove both afterwards.

    Raises:
        AbsentError: PostgreSQL is not installed, or does not start.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    as_user = _unprivileged(folder)
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        cluster = str(folder / "cluster")
        port = _free_port()
        make = ["-D", cluster, "-U", USER, "-A", "scram-sha-256", "--pwfile", str(secret), "--no-sync", "-E", "UTF8"]
        _run(programs / "initdb", *make, **as_user)
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        log = str(folder / "log")
        _run(programs / "pg_ctl", "-D", cluster, "-w", "-t", "60", "-l", log, "-o", options, "start", **as_user)
        try:
            yield Server(port)
        finally:
            _run(programs / "pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop", **as_user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    here = found[-1] if found else shutil.which("initdb")
    if here is None:
        raise AbsentError("needs PostgreSQL's server: there is no initdb (Debian: apt-get install postgresql)")
    return Path(here).parent


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to run a program as a user that owns the folder and is not root, as the server demands."""
    if os.getuid() != 0:
        return {}
    names = {one.pw_name: one for one in pwd.getpwall()}
    user = names.get("postgres") or names.get("nobody")
    if user is None:
        raise AbsentError("needs PostgreSQL's server, which root may not run, and there is no user postgres or nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _run(program: Path, *arguments: str, **how: Any) -> None:
    """Run one of PostgreSQL's programs. Its output goes nowhere: the server would hold a pipe open."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    done = subprocess.run([str(program), *arguments], cwd="/", timeout=120, check=False, **quiet, **how)
    if done.returncode:
        raise AbsentError(f"PostgreSQL's {program.name} failed with code {done.returncode}")
