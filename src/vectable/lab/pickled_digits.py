"""The lesson's pickle of MNIST, read without executing code from it: arrays are rebuilt, anything else is refused."""

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vectable.errors import DataError
from vectable.lab.arrays import Array, Codes

PIXELS = 784
AS_TEXT = ("latin1", "latin-1")


def read_pickled_mnist(path: str | Path) -> tuple[Array, Codes, Array, Codes]:
    """The lesson's ``mnist.pkl.gz``: x (50000, 784) from 0 to 1, y, and x (10000, 784), y to validate on.

    A pickle is a program; here it may call what makes arrays of numbers and nothing else. The third pair of the file,
    the test rows, is left out.

    Raises:
        DataError: no such file, damaged, or it would do something else than make the lesson's arrays.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            found = _ArraysAlone(file).load()
    except DataError as problem:
        raise DataError(f"{str(path)!r} is not read: {problem}") from None
    except Exception as problem:  # a damaged pickle can raise anything
        raise DataError(f"{str(path)!r} is no pickle of arrays: {problem!s:.200}.") from problem
    if not (isinstance(found, tuple) and len(found) == 3 and all(map(_is_pair, found))):
        raise DataError(f"{str(path)!r} holds other things than three pairs of pictures (rows, {PIXELS}) and labels.")
    (x, y), (x_valid, y_valid), _ = found
    return x.astype(np.float64), y.astype(np.int64), x_valid.astype(np.float64), y_valid.astype(np.int64)


class _ArraysAlone(pickle.Unpickler):
    """Takes the three names that NumPy's arrays are pickled with, and the one that makes bytes of Latin-1 text."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, encoding="latin1")  # Python 2 wrote the bytes of arrays as text

    def find_class(self, module: str, name: str) -> Any:
        """The harmless thing of that name."""
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): _number_type,
            ("numpy.core.multiarray", "_reconstruct"): _empty,
            ("numpy._core.multiarray", "_reconstruct"): _empty,
            ("_codecs", "encode"): _bytes_of,
        }
        if (module, name) not in known:
            raise DataError(f"it asks for {module}.{name}, which is no array of numbers; nothing of it was executed.")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """There are none in a file of arrays."""
        raise DataError("it refers to something outside itself; nothing of it was executed.")


def _number_type(code: Any, *_: Any) -> "np.dtype[Any]":
    """A copy of its own, whose byte order may follow."""
    found: np.dtype[Any] = np.dtype(code, False, True)
    if found.kind not in "fiu":
        raise DataError(f"it holds an array of {found}, and not of numbers.")
    return found


def _empty(kind: Any, shape: Any, _: Any) -> Any:
    """An array whose contents follow."""
    if kind is not np.ndarray:
        raise DataError(f"it makes an array of {kind!r}.")
    return np.empty(shape, dtype=np.uint8)


def _bytes_of(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding not in AS_TEXT:
        raise DataError(f"it encodes in {encoding!r}, where arrays are written in Latin-1.")
    return text.encode("latin1")


def _is_pair(pair: Any) -> bool:
    if not (
        isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(one, np.ndarray) and one.ndim for one in pair)
    ):
        return False
    x, y = pair
    return (
        x.ndim == 2 and x.shape[1] == PIXELS and x.dtype.kind == "f" and y.shape == (len(x),) and y.dtype.kind in "iu"
    )
