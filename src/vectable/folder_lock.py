"""A lock on a folder: held by one writer or by any number of readers, and by nobody who was killed.

The operating system holds it and lets it go when the process ends. On POSIX systems the folder itself is locked, so
that nothing is left in it; where that cannot be done (Windows, some network file systems) a small file in it is.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_FILE = "vectable.lock"
SECONDS = 60.0
BETWEEN_TRIES = 0.02
CANNOT_LOCK = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
CANNOT_OPEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def folder_lock(folder: Path, *, shared: bool = False, make: bool = False, seconds: float = SECONDS) -> Iterator[bool]:
    """Hold the lock on a folder.

    Args:
        shared: together with other readers; otherwise alone.
        make: make the folder, and its parents, where it is not there.
        seconds: how long to wait for others.

    Yields:
        Whether the lock is held; False where the file system knows no locks.

    Raises:
        TimeoutError: others held it for all of `seconds`.
        OSError: the folder is not there, or cannot be made or opened.
    """
    deadline = time.monotonic() + seconds
    while True:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        held = _try_lock(folder, shared)
        if held != BUSY:
            break
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, f"another program has been using it for {seconds:g} seconds")
        time.sleep(BETWEEN_TRIES)
    try:
        yield held != NO_LOCKS
    finally:
        if held != NO_LOCKS:
            _unlock(held)


NO_LOCKS, BUSY = -1, -2  # what `_try_lock` returns in the place of an open file


def _try_lock(folder: Path, shared: bool) -> int:
    """The number of an open file that holds the lock, or NO_LOCKS or BUSY."""
    for path in (folder, folder / LOCK_FILE) if sys.platform != "win32" else (folder / LOCK_FILE,):
        try:
            opened = os.open(path, os.O_RDONLY if path is folder else os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as problem:
            if path is not folder and problem.errno in CANNOT_OPEN:
                return NO_LOCKS  # a reader where nothing may be written
            raise
        try:
            _lock(opened, shared)
            if _is_still(opened, path):
                return opened
            os.close(opened)  # it was removed, and perhaps made again, before it was locked
            return BUSY
        except OSError as problem:
            os.close(opened)
            if problem.errno not in CANNOT_LOCK:
                return BUSY
    return NO_LOCKS


def _lock(opened: int, shared: bool) -> None:
    """Lock an open file or raise the OSError that says why it cannot be."""
    if sys.platform == "win32":
        msvcrt.locking(opened, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(opened, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _unlock(opened: int) -> None:
    """Let go, also where a forked child still has the file open."""
    try:
        if sys.platform == "win32":
            os.lseek(opened, 0, os.SEEK_SET)
            msvcrt.locking(opened, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(opened, fcntl.LOCK_UN)
    finally:
        os.close(opened)


def _is_still(opened: int, path: Path) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(opened), path.stat())
    except FileNotFoundError:
        return False
