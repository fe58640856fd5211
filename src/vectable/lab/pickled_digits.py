"""The lesson's pickle of MNIST, read without running it.

A pickle is a program for Python's unpickler, which can call whatever it can name. Here the file is only taken apart
(`pickletools.genops` lists its instructions), and a small reader follows the few instructions that make numbers,
texts, tuples and NumPy arrays of numbers. Arrays are built from their checked type, shape and bytes; a name in the file
is kept as a name and never looked up.
"""

import gzip
import io
import pickletools
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from vectable.errors import DataError
from vectable.lab.arrays import Array, Codes

PIXELS = 784
MOST_BYTES = 1 << 29  # of an unpacked file; the lesson's has 220 MB
AS_TEXT = ("latin1", "latin-1")
NUMBERS = re.compile(r"[<>|=]?(f[248]|[iu][1248])")


def read_pickled_mnist(path: str | Path) -> tuple[Array, Codes, Array, Codes]:
    """The lesson's ``mnist.pkl.gz``: x (50000, 784) from 0 to 1, y, and x (10000, 784), y to validate on.

    Nothing that the file asks for is called. The third pair of the file, the test rows, is left out.

    Raises:
        DataError: no such file, damaged, or it holds anything but the lesson's arrays.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{str(path)!r} is not a pickle of arrays: {problem!s:.200}.") from problem
    if len(content) > MOST_BYTES:
        raise DataError(
            f"{str(path)!r} is not read: it holds more than {MOST_BYTES:,} bytes, the lesson's 220 million."
        )
    try:
        found = _PickleReader().read(io.BytesIO(content))
    except DataError as problem:
        raise DataError(f"{str(path)!r} is not read: {problem}") from None
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, ArithmeticError, MemoryError) as problem:
        raise DataError(f"{str(path)!r} is not a pickle of arrays: {problem!s:.200}.") from problem
    if not (isinstance(found, tuple) and len(found) == 3 and all(map(_is_pair, found))):
        raise DataError(f"{str(path)!r} holds other things than three pairs of pictures (rows, {PIXELS}) and labels.")
    (x, y), (x_valid, y_valid), _ = found
    return x.astype(np.float64), y.astype(np.int64), x_valid.astype(np.float64), y_valid.astype(np.int64)


@dataclass(frozen=True)
class _Name:
    """Something that the file refers to by name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass
class _NumberType:
    """A type of numbers, whose byte order may follow."""

    dtype: "np.dtype[Any]"


@dataclass
class _Unfilled:
    """An array whose type, shape and bytes follow."""

    array: "np.ndarray[Any, Any] | None" = None


class _PickleReader:
    """Follows the instructions that arrays of numbers are pickled with, protocols 0 to 4; refuses every other.

    Attributes:
        stack: values made so far.
        marks: heights of the stack at the marks that are open.
        memo: values kept for later use, by number.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def read(self, file: IO[bytes]) -> Any:
        """The value that the pickle stands for, arrays filled."""
        for name, argument in _instructions(file):
            if name in VALUES:
                self.stack.append(argument)
            elif name in MEMO_PUTS:
                self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]
            elif name in MEMO_GETS:
                self.stack.append(self.memo[argument])
            elif name in DOINGS:
                DOINGS[name](self, argument)
            elif name != "STOP":
                raise DataError(f"it holds the instruction {name}, which no array needs; nothing of it was executed.")
        return _filled(self._pop())

    def mark(self, _: Any) -> None:
        """Open a tuple."""
        self.marks.append(len(self.stack))

    def close(self, _: Any) -> None:
        """The values since the last mark as a tuple."""
        at = self.marks.pop()
        self.stack[at:] = [tuple(self.stack[at:])]

    def close_some(self, count: int) -> None:
        """The last few values as a tuple."""
        at = len(self.stack) - count
        if at < 0:
            raise IndexError("a tuple of more values than there are")
        self.stack[at:] = [tuple(self.stack[at:])]

    def name(self, argument: str | None) -> None:
        """A name, which stays one."""
        module, name = argument.split(" ", 1) if argument is not None else (self.stack.pop(-2), self._pop())
        self.stack.append(_Name(str(module), str(name)))

    def call(self, _: Any) -> None:
        """What stands for a call in the file: of the few that make arrays, the value is made here."""
        arguments, called = self._pop(), self._pop()
        if not isinstance(called, _Name) or (called.module, called.name) not in CALLS:
            raise DataError(f"it asks for {_shown(called)}, not an array of numbers; nothing of it was executed.")
        self.stack.append(CALLS[called.module, called.name](*arguments))

    def build(self, _: Any) -> None:
        """A type gets its byte order, an array its type, shape and bytes."""
        state, built = self._pop(), self.stack[-1]
        if isinstance(built, _NumberType):
            built.dtype = _in_byte_order(built.dtype, state[1])
        elif isinstance(built, _Unfilled):
            built.array = _array(*state)
        else:
            raise DataError(f"it changes {_shown(built)}, not an array of numbers; nothing of it was executed.")

    def _pop(self) -> Any:
        return self.stack.pop()


VALUES = {
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "EMPTY_TUPLE"),
}
MEMO_PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
MEMO_GETS = {"GET", "BINGET", "LONG_BINGET"}
DOINGS: dict[str, Callable[[_PickleReader, Any], None]] = {
    "PROTO": lambda reader, argument: None,
    "FRAME": lambda reader, argument: None,
    "MARK": _PickleReader.mark,
    "TUPLE": _PickleReader.close,
    "TUPLE1": lambda reader, _: reader.close_some(1),
    "TUPLE2": lambda reader, _: reader.close_some(2),
    "TUPLE3": lambda reader, _: reader.close_some(3),
    "GLOBAL": _PickleReader.name,
    "STACK_GLOBAL": _PickleReader.name,
    "REDUCE": _PickleReader.call,
    "BUILD": _PickleReader.build,
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}


def _instructions(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """The instructions of a pickle with their arguments."""
    for instruction, argument, _ in pickletools.genops(file):
        yield instruction.name, CONSTANTS.get(instruction.name, argument)


def _number_type(code: Any, *_: Any) -> _NumberType:
    if not isinstance(code, str) or not NUMBERS.fullmatch(code):
        raise DataError(f"it holds an array of {_shown(code)}, and not of numbers.")
    return _NumberType(np.dtype(code))


def _in_byte_order(kind: "np.dtype[Any]", order: Any) -> "np.dtype[Any]":
    if order not in ("<", ">", "|", "="):
        raise DataError(f"it asks for the byte order {_shown(order)}.")
    return np.dtype(f"{order}{kind.kind}{kind.itemsize}")


def _unfilled(kind: Any, *_: Any) -> _Unfilled:
    if kind != _Name("numpy", "ndarray"):
        raise DataError(f"it makes an array of {_shown(kind)}.")
    return _Unfilled()


def _bytes_of(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding not in AS_TEXT:
        raise DataError(f"it encodes in {_shown(encoding)}, where arrays are written in Latin-1.")
    return text.encode("latin1")


CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _number_type,
    ("numpy.core.multiarray", "_reconstruct"): _unfilled,
    ("numpy._core.multiarray", "_reconstruct"): _unfilled,
    ("_codecs", "encode"): _bytes_of,
}
"""What the file may ask for, and what makes the same value here."""


def _array(_: Any, shape: Any, kind: Any, by_columns: Any, raw: Any) -> "np.ndarray[Any, Any]":
    """An array of numbers from its state in a pickle; Python 2 wrote its bytes as text."""
    if not isinstance(kind, _NumberType):
        raise DataError(f"it holds an array of {_shown(kind)}, and not of numbers.")
    content = raw.encode("latin1") if isinstance(raw, str) else raw
    sizes = shape if isinstance(shape, tuple) else (shape,)
    if not isinstance(content, bytes) or not all(type(size) is int and 0 <= size <= MOST_BYTES for size in sizes[:3]):
        raise DataError("it holds an array without its shape or without its bytes.")
    if len(sizes) > 2 or prod(sizes) * kind.dtype.itemsize != len(content):
        raise DataError(f"it holds {len(content):,} bytes for an array of {kind.dtype} in the shape {sizes[:3]}.")
    return np.frombuffer(content, dtype=kind.dtype).reshape(sizes, order="F" if by_columns else "C")


def _filled(value: Any) -> Any:
    """The three pairs with their arrays in place; anything else as it is."""
    if not isinstance(value, tuple):
        return value
    return tuple(tuple(map(_unwrapped, pair)) if isinstance(pair, tuple) else pair for pair in value)


def _unwrapped(value: Any) -> Any:
    return value.array if isinstance(value, _Unfilled) else value


def _shown(value: Any) -> str:
    """A value from the file for a sentence: names and texts in a few words, of anything else the kind alone."""
    if isinstance(value, _Name):
        return str(value)[:80]
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__.lstrip("_")


def _is_pair(pair: Any) -> bool:
    if not (
        isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(one, np.ndarray) and one.ndim for one in pair)
    ):
        return False
    x, y = pair
    return (
        x.ndim == 2 and x.shape[1] == PIXELS and x.dtype.kind == "f" and y.shape == (len(x),) and y.dtype.kind in "iu"
    )
