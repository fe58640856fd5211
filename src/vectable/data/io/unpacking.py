"""Unpacking gzip files in bounded memory: a small file that claims to become a huge one is refused."""

import io
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from vectable.errors import DataError

ALWAYS = 1 << 28
"""Bytes that any file may become."""

MOST_RATIO = 100
"""Times its size that a file may become beyond that; tables of numbers and text reach 3 to 30."""

SHARE_OF_MEMORY = 4
"""The part of the machine's memory, one in so many, that an unpacked file may take."""

GZIP = 31  # zlib's number for the format with gzip's header and checksum
_BLOCK_BYTES = 1 << 20


def gunzip(path: Path) -> bytes:
    """The content of a gzip file.

    Raises:
        DataError: it is damaged or cut off, or becomes longer than its size and the machine's memory allow.
    """
    most = max(ALWAYS, min(MOST_RATIO * path.stat().st_size, _memory() // SHARE_OF_MEMORY))
    content = io.BytesIO()
    try:
        with path.open("rb") as file:
            for block in _unpacked(file, path):
                content.write(block)
                if content.tell() > most:
                    raise DataError(
                        f"{path} becomes more than {most / 1e6:,.0f} MB when it is unpacked, which is too much to hold "
                        "in memory: unpack it on disk first."
                    )
    except MemoryError:
        raise DataError(f"{path} does not fit into memory when it is unpacked: unpack it on disk first.") from None
    return content.getvalue()


def _unpacked(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """The content in blocks of bounded size; of several gzip files one after the other, all."""
    unpack = zlib.decompressobj(wbits=GZIP)
    packed = file.read(_BLOCK_BYTES)
    while True:
        try:
            block = unpack.decompress(packed, _BLOCK_BYTES)
        except zlib.error as problem:
            raise DataError(f"{path} is a damaged or cut-off gzip file: {problem}.") from None
        yield block
        packed = unpack.unconsumed_tail
        if unpack.eof:
            packed = unpack.unused_data.lstrip(b"\0")  # zeros may fill the last block of a tape
            while not packed and (more := file.read(_BLOCK_BYTES)):
                packed = more.lstrip(b"\0")
            if not packed:
                return
            unpack = zlib.decompressobj(wbits=GZIP)
        elif not packed and len(block) < _BLOCK_BYTES:
            packed = file.read(_BLOCK_BYTES)
            if not packed:
                raise DataError(f"{path} is a damaged or cut-off gzip file: it ends before its end mark.")


def _memory() -> int:
    """Bytes of memory that the machine has; where the system does not say, more than enough."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 1 << 62
