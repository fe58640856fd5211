"""Arrays of whole numbers in few bytes: taken apart into bytes of equal weight, deflated by zlib.

The low bytes of codes or of small differences vary and the high ones hardly do, so that each kind by itself deflates
well: the items of a catalogue, sorted within each user, take about a byte each.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from vectable.folder_schema import PartError

LEVEL = 6  # zlib's own balance


def pack(values: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Bytes that `unpack` makes `values`, (rows,), of again."""
    planes = values.astype("<i4").view(np.uint8).reshape(-1, 4).T
    return np.frombuffer(zlib.compress(planes.tobytes(), LEVEL), dtype=np.uint8)


def unpack(packed: NDArray[np.uint8], n_rows: int, where: str) -> NDArray[np.int32]:
    """The values back from `pack`, (n_rows,).

    Raises:
        PartError: the bytes are not those of as many values.
    """
    inflating = zlib.decompressobj()
    try:
        content = inflating.decompress(packed.tobytes(), 4 * n_rows + 1)
    except zlib.error as error:
        raise PartError(f"{where} is damaged: {error}") from error
    if len(content) != 4 * n_rows or not inflating.eof or inflating.unused_data:
        raise PartError(f"{where} does not hold {n_rows:,} values")
    planes = np.frombuffer(content, dtype=np.uint8).reshape(4, n_rows)
    return np.ascontiguousarray(planes.T).view("<i4").ravel()


def pack_differences(values: NDArray[np.int32]) -> NDArray[np.uint8]:
    """As `pack`, for values that mostly rise: of each its difference to the one before."""
    return pack(np.diff(values, prepend=np.int32(0)))


def unpack_differences(packed: NDArray[np.uint8], n_rows: int, where: str) -> NDArray[np.int32]:
    """The values back from `pack_differences`, (n_rows,).

    Raises:
        PartError: as `unpack`.
    """
    return np.cumsum(unpack(packed, n_rows, where), dtype=np.int32)
