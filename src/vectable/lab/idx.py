"""The idx format of the MNIST files: a few bytes that say the shape, then the numbers."""

import gzip
import zlib
from io import BufferedIOBase
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectable.errors import DataError
from vectable.lab.arrays import Array, Codes

MOST_DIMENSIONS = 8
MOST_DEFLATED = 1040  # bytes that one byte of gzip can become, a little more than is possible
MOST_BYTES = 1 << 30  # of the numbers in a file; MNIST's have 47 million


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """The array in an idx file of bytes, gzip-compressed or not.

    Two zero bytes, 8 for unsigned bytes, the number of dimensions, each as 4 bytes with the highest first; then the
    numbers (http://yann.lecun.com/exdb/mnist/).

    Raises:
        DataError: no such file, or it holds something else, or more than `MOST_BYTES`.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            shape = _read_shape(file, path)
            content = file.read(min(prod(shape) + 1, MOST_DEFLATED * path.stat().st_size))
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{str(path)!r} cannot be read: {problem}.") from problem
    if len(content) != prod(shape):
        found = f"{len(content):,}" if len(content) < prod(shape) else "more"
        raise DataError(f"{str(path)!r} is damaged: {found} numbers where its shape {shape} needs {prod(shape):,}.")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_shape(file: BufferedIOBase, path: Path) -> tuple[int, ...]:
    start = file.read(4)
    if len(start) < 4 or start[:3] != b"\0\0\x08":
        raise DataError(f"{str(path)!r} is not an idx file of bytes: it does not begin with 0, 0, 8.")
    dimensions = start[3]
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(f"{str(path)!r} is damaged: it ends within the first {4 + 4 * dimensions} bytes.")
    shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
    if dimensions > MOST_DIMENSIONS:
        raise DataError(f"{str(path)!r} is not an array of images or labels: it has {dimensions} dimensions.")
    if prod(shape) > MOST_BYTES:
        raise DataError(f"{str(path)!r} says that it holds {prod(shape):,} numbers; {MOST_BYTES:,} is the most.")
    return shape


def read_mnist(folder: str | Path) -> tuple[Array, Codes, Array, Codes]:
    """The lesson's split of MNIST's training file: x (50000, 784) from 0 to 1, y, and x (10000, 784), y to validate on.

    The pickled file of the lesson is this one in this order, its pixels divided by 256.

    Raises:
        DataError: a file is missing or damaged.
    """
    folder = Path(folder)
    pixels, labels = (read_idx(folder / f"train-{name}.gz") for name in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    for found, shape in ((pixels, (60000, 28, 28)), (labels, (60000,))):
        if found.shape != shape:
            raise DataError(f"The files in {str(folder)!r} are not MNIST's: {found.shape} where {shape} belongs.")
    x, y = pixels.reshape(60000, 784) / 256, labels.astype(np.int64)
    return x[:50000], y[:50000], x[50000:], y[50000:]
