"""Arrays of codes in few bytes: taken apart into bytes of equal weight, deflated by zlib.

The low bytes of codes or of small differences vary and the high ones hardly do, so that each kind by itself deflates
well: the items of a catalogue, sorted within each user, take about a byte each.
"""

import zlib
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.folder_schema import PartError

LEVEL = 6  # zlib's own balance
WIDTHS: dict[int, Any] = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}
Codes = NDArray[Any]  # unsigned, of one of these widths


def pack(codes: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Bytes that `unpack` makes `codes`, (rows,) from 0, of again."""
    return _deflated(_narrow(codes))


def unpack(packed: NDArray[np.uint8], n_rows: int, where: str) -> NDArray[np.int32]:
    """The codes back from `pack`, (n_rows,).

    Raises:
        PartError: the bytes are not those of as many codes.
    """
    return _inflated(packed, n_rows, where).astype(np.int32)


def pack_halves(codes: NDArray[np.int32]) -> NDArray[np.uint8]:
    """As `pack`, for codes below 16: two in a byte, which deflate better than each in one of its own."""
    even = np.zeros(len(codes) + len(codes) % 2, dtype=np.uint8)
    even[: len(codes)] = codes
    return _deflated(even[::2] << 4 | even[1::2])


def unpack_halves(packed: NDArray[np.uint8], n_rows: int, where: str) -> NDArray[np.uint8]:
    """The codes back from `pack_halves`, (n_rows,).

    Raises:
        PartError: as `unpack`.
    """
    both = _inflated(packed, -(-n_rows // 2), where, widths=(1,))
    return np.column_stack([both >> 4, both & 15]).ravel()[:n_rows]


def pack_differences(codes: NDArray[np.int32]) -> NDArray[np.uint8]:
    """As `pack`, for codes that mostly rise: of each its difference to the one before, which may wrap around."""
    narrow = _narrow(codes)
    return _deflated(np.diff(narrow, prepend=narrow.dtype.type(0)))


def unpack_differences(packed: NDArray[np.uint8], n_rows: int, where: str) -> NDArray[np.int32]:
    """The codes back from `pack_differences`, (n_rows,).

    Raises:
        PartError: as `unpack`.
    """
    differences = _inflated(packed, n_rows, where)
    return np.cumsum(differences, dtype=differences.dtype).astype(np.int32)


def _narrow(codes: NDArray[np.int32]) -> Codes:
    """Codes in the fewest bytes that hold the largest."""
    largest = int(codes.max(initial=0))
    return codes.astype(next(dtype for width, dtype in WIDTHS.items() if largest < 256**width))


def _deflated(values: Codes) -> NDArray[np.uint8]:
    planes = values.view(np.uint8).reshape(len(values), values.itemsize).T
    return np.frombuffer(zlib.compress(planes.tobytes(), LEVEL), dtype=np.uint8)


def _inflated(packed: NDArray[np.uint8], n_rows: int, where: str, widths: Collection[int] = WIDTHS) -> Codes:
    inflating = zlib.decompressobj()
    try:
        content = inflating.decompress(packed.tobytes(), max(widths) * n_rows + 1)
    except zlib.error as error:
        raise PartError(f"{where} is damaged: {error}") from error
    width = len(content) // max(n_rows, 1) or 1
    if len(content) != width * n_rows or width not in widths or not inflating.eof or inflating.unused_data:
        raise PartError(f"{where} does not hold {n_rows:,} codes")
    codes = np.zeros(n_rows, dtype=WIDTHS[width])
    for at, plane in enumerate(np.frombuffer(content, dtype=np.uint8).reshape(width, n_rows)):
        codes |= plane.astype(codes.dtype) << 8 * at
    return codes
