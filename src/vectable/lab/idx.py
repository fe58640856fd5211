"""The idx format of the MNIST files: a few bytes that say the shape, then the numbers."""

import gzip
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectable.errors import DataError
from vectable.lab.arrays import Array, Codes


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """The array in an idx file of bytes, gzip-compressed or not.

    Two zero bytes, 8 for unsigned bytes, the number of dimensions, each as 4 bytes with the highest first; then the
    numbers (http://yann.lecun.com/exdb/mnist/).

    Raises:
        DataError: no such file, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as problem:
        raise DataError(f"{str(path)!r} cannot be read: {problem}.") from problem
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise DataError(f"{str(path)!r} is not an idx file of bytes: it does not begin with 0, 0, 8.")
    dimensions = content[3]
    if len(content) < 4 + 4 * dimensions:
        raise DataError(f"{str(path)!r} is damaged: it ends within the first {4 + 4 * dimensions} bytes.")
    shape = tuple(int.from_bytes(content[4 + 4 * at : 8 + 4 * at], "big") for at in range(dimensions))
    numbers = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if len(numbers) != prod(shape):
        raise DataError(
            f"{str(path)!r} is damaged: {len(numbers):,} numbers where its shape {shape} needs {prod(shape):,}."
        )
    return numbers.reshape(shape)


def read_mnist(folder: str | Path) -> tuple[Array, Codes, Array, Codes]:
    """The lesson's split of MNIST's training file: x (50000, 784) from 0 to 1, y, and x (10000, 784), y to validate on.

    The pickled file of the lesson is this one in this order, its pixels divided by 256.

    Raises:
        DataError: a file is missing or damaged.
    """
    folder = Path(folder)
    x = read_idx(folder / "train-images-idx3-ubyte.gz").reshape(60000, 784) / 256
    y = read_idx(folder / "train-labels-idx1-ubyte.gz").astype(np.int64)
    return x[:50000], y[:50000], x[50000:], y[50000:]
