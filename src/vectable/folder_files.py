"""The files of a saved folder, written and read: JSON, tensors and tables, looked over before anything is allocated.

A folder may come from anywhere, and its checksums only show that it is what its author wrote. So nothing is read that
would nest deeper or hold more than its file: JSON is measured before it is parsed, a header before its tensors are
made, and of Arrow tables only the plain, uncompressed kind is taken.
"""

import json
import re
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.errors import ArtifactError

if TYPE_CHECKING:
    from torch import Tensor

DEEPEST = 40  # lists and objects in one another; what the program writes needs 8
LONGEST_MANIFEST = 64 * 2**20  # bytes
LONGEST_HEADER = 16 * 2**20  # bytes that name the tensors of a file
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
OPENING, CLOSING = np.frombuffer(b"[{", dtype=np.uint8), np.frombuffer(b"]}", dtype=np.uint8)


def to_json(value: Any, **how: Any) -> bytes:
    """JSON text; NumPy's numbers are written as Python's."""
    how = {"default": lambda number: number.item(), **how}
    try:
        return json.dumps(value, ensure_ascii=False, **how).encode()
    except UnicodeEncodeError:  # half a pair of surrogates, which only an escape can stand for
        return json.dumps(value, **how).encode()


def from_json(text: bytes) -> Any:
    """What a JSON text says.

    Raises:
        ArtifactError: it is not JSON, or nests too deeply.
    """
    if depth_of(text) > DEEPEST:
        raise ArtifactError(f"it nests lists and objects more than {DEEPEST} deep")
    try:
        return json.loads(text.decode())
    except (ValueError, RecursionError) as problem:
        raise ArtifactError(f"it is not JSON: {problem}") from problem


def depth_of(text: bytes) -> int:
    """How deep the lists and objects of a JSON text lie in one another."""
    marks = np.frombuffer(STRINGS.sub(b"", text), dtype=np.uint8)
    opens, closes = np.isin(marks, OPENING), np.isin(marks, CLOSING)
    steps = opens.astype(np.int8) - closes.astype(np.int8)
    return int(np.cumsum(steps[steps != 0], dtype=np.int32).max(initial=0))


def to_tensor_file(tensors: dict[str, "Tensor"]) -> bytes:
    """Tensors by name in the format of safetensors."""
    from safetensors.torch import save

    return bytes(save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}))


def read_tensors(file: Path) -> dict[str, "Tensor"]:
    """The tensors of a file by name.

    Raises:
        ArtifactError: it does not hold what its header says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _read_header(file)
    try:
        tensors: dict[str, Tensor] = load_file(file)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as problem:
        raise ArtifactError(f"it does not hold the tensors that it names: {problem}") from problem
    return tensors


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a file by name, as NumPy arrays and without torch.

    Raises:
        ArtifactError: it does not hold what its header says, or 16-bit numbers of a kind that NumPy does not have.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    _read_header(file)
    try:
        arrays: dict[str, NDArray[Any]] = load_file(file)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError, AttributeError) as problem:
        raise ArtifactError(f"it does not hold the tensors that it names: {problem}") from problem
    return arrays


def count_numbers(file: Path) -> int:
    """How many numbers the tensors of a file hold, from its header alone.

    Raises:
        ArtifactError: its header does not name tensors.
    """
    try:
        return sum(prod(map(int, one["shape"])) for name, one in _read_header(file).items() if name != "__metadata__")
    except (TypeError, KeyError, ValueError) as problem:
        raise ArtifactError(f"its header does not name tensors: {problem!r}") from problem


def _read_header(file: Path) -> dict[str, Any]:
    """What a file of tensors says that it holds, measured before it is read."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > min(LONGEST_HEADER, file.stat().st_size):
            raise ArtifactError(f"its header is {length:,} bytes long")
        header = from_json(opened.read(length))
    if not isinstance(header, dict):
        raise ArtifactError("its header is not an object")
    return header
