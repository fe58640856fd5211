"""The folder of one run: what was asked, what happened, what came of it; all of it plain files.

``job.json`` is what was asked, written once. ``state.json`` is written by the run's own process, and so are
``events.jsonl``, ``log.txt`` and what it saves: ``model/`` and ``results/``. The process holds the lock for as long as
it lives, whoever started it.
"""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vectable.studio.json_files import read_json_file, write_json

JOB, STATE, EVENTS, LOG, LOCK = "job.json", "state.json", "events.jsonl", "log.txt", "lock"
WAITING, RUNNING, STOPPED, DONE, FAILED = "waiting", "running", "stopped", "done", "failed"
UNDER_WAY = (WAITING, RUNNING)
LEAVING_SECONDS = 20.0
LOG_END = 600  # characters of the log that an error shows


@dataclass(frozen=True)
class RunFolder:
    """One run of a project.

    Attributes:
        folder: of its files; its name is the run's.
    """

    folder: Path

    @property
    def id(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def model(self) -> Path:
        """The folder of the saved model, once there is one."""
        return self.folder / "model"

    @property
    def results(self) -> Path:
        """The folder of what was worked out from the model."""
        return self.folder / "results"

    @property
    def events(self) -> Path:
        """The file of what happened, a JSON value a line."""
        return self.folder / EVENTS

    def job(self) -> dict[str, Any]:
        """What was asked."""
        found: dict[str, Any] = read_json_file(self.folder / JOB, {})
        return found

    def state(self) -> dict[str, Any]:
        """How it stands; a process that ended without a word has failed."""
        found: dict[str, Any] = read_json_file(self.folder / STATE, {"state": WAITING})
        if found["state"] in UNDER_WAY and not self.is_alive():
            found = read_json_file(self.folder / STATE, {"state": WAITING})  # it may have ended between the two looks
            if found["state"] in UNDER_WAY:
                return {**found, "state": FAILED, "error": self._last_words()}
        return found

    def write_state(self, **changes: Any) -> None:
        """Change how it stands.

        Raises:
            DataError: it cannot be written.
        """
        before = read_json_file(self.folder / STATE, {})
        write_json(self.folder / STATE, {**before, **changes})

    def is_alive(self) -> bool:
        """Whether its process lives."""
        try:
            file = os.open(self.folder / LOCK, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def is_under_way(self) -> bool:
        """Whether its process is at work; one that has said how it went only has to leave."""
        return self.is_alive() and read_json_file(self.folder / STATE, {"state": WAITING})["state"] in UNDER_WAY

    def take_lock(self) -> int:
        """The lock's open file, for the process that is to hold it; one that leaves is waited for.

        Raises:
            BlockingIOError: a process holds it and does not leave.
        """
        file = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + LEAVING_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(file)
                    raise
                time.sleep(0.05)

    def _last_words(self) -> str:
        try:
            log = (self.folder / LOG).read_text("utf-8", "replace").strip()[-LOG_END:]
        except OSError:
            log = ""
        told = f" The last of its log: {log.splitlines()[-1]}" if log else ""
        return (
            "The process ended without a word, as it does when it is killed or memory does not suffice. What was kept "
            f"until then is there: continue takes it up.{told}"
        )
