"""A process that has imported what training needs and waits for a run, so that the first loss is there sooner."""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from vectable.studio.run_folder import LOG

OPTION = "--spare"
WAITING_SECONDS = 900.0  # after which it leaves: it holds memory
LONGEST = 4_096  # bytes of a folder's name


class Spare:
    """One such process, started when this is made. It leaves when the server is gone."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "vectable.studio.job", OPTION, str(theirs.fileno())]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def is_there(self) -> bool:
        """Whether it waits still."""
        return self.process.poll() is None

    def take(self, folder: Path, lock: int) -> bool:
        """Hand it a run, with the open file of the run's lock; whether it could be."""
        with self._ours:
            try:
                socket.send_fds(self._ours, [os.fsencode(folder)], [lock])
            except OSError:
                return False
        return True

    def leave(self) -> None:
        """Let it go."""
        self._ours.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


def wait_for_run(number: int) -> Path | None:
    """In the process itself: import, wait, and take over the run's lock and log.

    Args:
        number: of the open socket.

    Returns:
        The run's folder; None where none came.
    """
    import vectable.ratings.collab
    import vectable.tables.tabular

    del vectable
    with socket.socket(fileno=number) as waiting:
        waiting.settimeout(WAITING_SECONDS)
        try:
            message, _, _, _ = socket.recv_fds(waiting, LONGEST, 1)  # the lock stays open for as long as this lives
        except TimeoutError:
            return None
    if not message:
        return None
    folder = Path(os.fsdecode(message))
    log = os.open(folder / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    return folder
