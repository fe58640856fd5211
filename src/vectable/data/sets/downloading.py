"""Fetching an archive over the network: of the size and checksum that are known beforehand, or not at all."""

import hashlib
import http.client
import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from vectable.errors import VectableError

PATIENCE = 30.0
"""Seconds to wait for a server to connect, to send anything, and to send `LEAST_RATE` bytes for each of them."""

LEAST_RATE = 1024
_BLOCK_BYTES = 1 << 18


class DownloadError(VectableError):
    """Why a download failed, as a part of a sentence."""


def fetch_archive(
    url: str, sha256: str, size: int, target: Path, is_complete: Callable[[Path], bool], patience: float = PATIENCE
) -> Path:
    """Download, check and unpack a zip archive into the folder `target`: all of it, or nothing is left behind.

    Args:
        url: of the archive.
        sha256, size: what the archive must be: its checksum in hexadecimal, its number of bytes.
        target: the folder to make; one already there is replaced once the new one is complete.
        is_complete: whether an unpacked folder holds what is wanted.
        patience: seconds without progress until the server counts as stalled.

    Returns:
        `target`.

    Raises:
        DownloadError: the server fails, stalls or sends something else, or the archive cannot be stored.
    """
    cache = target.parent
    try:
        cache.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=cache))
    except OSError as problem:
        raise DownloadError(f"nor downloaded, since the cache {cache} cannot be written ({problem.strerror})") from None
    try:
        archive = workplace / "archive.zip"
        found = download(url, archive, size, patience)
        if found != sha256:
            raise DownloadError(
                f"the download from {url} is not the archive it should be "
                f"(its SHA-256 is {found[:12]}..., not {sha256[:12]}...)"
            )
        unpacked = _unpack(archive, workplace / "unpacked")
        if not is_complete(unpacked):
            raise DownloadError(f"the archive from {url} does not hold the data set")
        if target.exists():
            shutil.rmtree(target)
        os.replace(unpacked, target)
        return target
    except OSError as problem:
        raise DownloadError(f"the download from {url} could not be stored in {cache} ({problem})") from None
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def download(url: str, file: Path, size: int, patience: float = PATIENCE) -> str:
    """Save the `size` bytes that `url` answers with; their SHA-256 in hexadecimal.

    Not a byte more than `size` is read, whatever the server sends, and a server that sends less than `LEAST_RATE` bytes
    per second over `patience` seconds is given up.

    Raises:
        DownloadError: no connection, an error, another number of bytes, or a stalled server.
    """
    digest = hashlib.sha256()
    received = 0
    try:
        with urllib.request.urlopen(url, timeout=patience) as answer, file.open("wb") as opened:
            announced = answer.headers.get("Content-Length", "")
            if announced.isdecimal() and int(announced) != size:
                raise DownloadError(f"{url} offers {int(announced):,} bytes, where the archive has {size:,}")
            since, before = time.monotonic(), 0
            while received < size and (block := answer.read1(min(_BLOCK_BYTES, size - received))):
                digest.update(block)
                received += len(block)
                opened.write(block)
                now = time.monotonic()
                if now - since < patience:
                    continue
                if received - before < LEAST_RATE * (now - since):
                    raise DownloadError(f"the download from {url} stalled after {received:,} of {size:,} bytes")
                since, before = now, received
            too_long = received == size and bool(answer.read1(1))
    except TimeoutError:
        raise DownloadError(f"the download from {url} stalled after {received:,} of {size:,} bytes") from None
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as problem:
        reason = getattr(problem, "reason", None) or problem
        raise DownloadError(f"the download from {url} failed ({reason})") from None
    if too_long:
        raise DownloadError(f"the download from {url} is longer than the archive, which has {size:,} bytes")
    if received < size:
        raise DownloadError(f"the download from {url} broke off after {received:,} of {size:,} bytes")
    return digest.hexdigest()


def _unpack(archive: Path, target: Path) -> Path:
    """Unpack a zip archive into `target`; the folder in it that holds the files."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for member in packed.namelist():
                if not (target / member).resolve().is_relative_to(target.resolve()):
                    raise DownloadError(f"the archive would write outside of its folder ({member!r})")
            packed.extractall(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as problem:
        raise DownloadError(f"the archive is damaged ({problem})") from None
    inside = [path for path in target.iterdir() if path.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target
