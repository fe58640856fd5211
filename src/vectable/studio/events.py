"""What happens in a run, a JSON value a line: written by its process, read by the server while it grows."""

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson

from vectable.studio.limits import POLL_SECONDS
from vectable.studio.run_folder import RUNNING, WAITING, RunFolder

LOOK_SECONDS = 0.1
MOST_BYTES = 1_000_000  # of one answer


class EventWriter:
    """Appends events to a file, each at once and whole.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not _ends_whole(path):  # half a line, left by a process that was killed
            self._append(b"")

    def write(self, kind: str, **what: Any) -> None:
        """One event, with the time."""
        line = orjson.dumps({"type": kind, "time": round(time.time(), 3), **what}, str, orjson.OPT_SERIALIZE_NUMPY)
        self._append(line)

    def _append(self, line: bytes) -> None:
        with self._path.open("ab", buffering=0) as file:
            file.write(line + b"\n")


def _ends_whole(path: Path) -> bool:
    """Whether a file is empty or ends with a line's end."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return True
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def read_events(path: Path, after: int) -> tuple[list[Any], int]:
    """The whole lines behind a place in the file, and the place behind them.

    Args:
        after: bytes to pass over; a place that an earlier call gave.
    """
    try:
        with path.open("rb") as file:
            file.seek(after)
            block = file.read(MOST_BYTES)
    except FileNotFoundError:
        return [], after
    whole = block[: block.rfind(b"\n") + 1]
    found = []
    for line in whole.splitlines():
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:  # half a line, left by a process that was killed
            continue
    return found, after + len(whole)


async def next_events(run: RunFolder, after: int) -> dict[str, Any]:
    """The events behind a place; where there are none and the run goes on, the next, for a while."""
    deadline = time.monotonic() + POLL_SECONDS
    while True:
        state = run.state()["state"]
        found, place = read_events(run.events, after)
        if found or state not in (WAITING, RUNNING) or time.monotonic() > deadline:
            return {"events": found, "next": place, "state": state}
        await asyncio.sleep(LOOK_SECONDS)
