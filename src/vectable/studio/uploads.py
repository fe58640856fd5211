"""Files that come in: streamed to the disk under names of our own, counted, and never more than there is room for."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

from vectable.serving.access import RefusalError
from vectable.studio.archives import TABLES
from vectable.studio.limits import FREE_BYTES, UPLOAD_BYTES
from vectable.studio.problems import told_when_full

WRITE_BYTES = 1 << 20


async def receive(parts: AsyncIterator[bytes], label: str, folder: Path, announced: int | None) -> Path:
    """Write an upload into a folder.

    Args:
        parts: of the body.
        label: the client's name of it; only its end is used, where that is known.
        folder: to write into.
        announced: its length as the client says; None where it does not.

    Returns:
        The file. Nothing is left where it was refused or broken off.

    Raises:
        RefusalError: 413 beyond the quota, 507 where the disk is full, 422 where it is empty.
    """
    most = min(UPLOAD_BYTES, max(0, shutil.disk_usage(folder).free - FREE_BYTES))
    if announced is not None and announced > most:
        raise _too_long(most)
    target = folder / f"{secrets.token_hex(8)}{suffix_of(label)}"
    unfinished = target.with_name(f".{target.name}.part")
    try:
        with told_when_full("The upload"):
            size = await _write(parts, unfinished, most)
        if not size:
            raise RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "The file is empty.")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def suffix_of(label: str) -> str:
    """The end of a file's name by which its format is known, in small letters; ".txt" for an unknown one."""
    name = label.rpartition("/")[2].lower()
    if name.endswith(".zip"):
        return ".zip"
    packed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    return (suffix if suffix in TABLES else ".txt") + (".gz" if packed else "")


async def _write(parts: AsyncIterator[bytes], path: Path, most: int) -> int:
    """Write the parts, off the loop, a megabyte at a time; the number of bytes."""
    size, waiting, held = 0, bytearray(), 0
    with path.open("xb") as file:
        async for part in parts:
            size += len(part)
            if size > most:
                raise _too_long(most)
            waiting += part
            held += len(part)
            if held >= WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
                held = 0
        await asyncio.to_thread(file.write, bytes(waiting))
    return size


def _too_long(most: int) -> RefusalError:
    if most < UPLOAD_BYTES:
        sentence = f"There is room for {most / 1e6:,.0f} MB on the disk; make room, or drop a smaller file."
        return RefusalError(HTTPStatus.INSUFFICIENT_STORAGE, sentence)
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A file may have {UPLOAD_BYTES / 1e9:g} GB here, and this one is larger: train on it with `vectable train`, "
        "which reads files of any size, and open the saved model.",
    )
