"""What the parts of a saved folder must look like: declared by whoever saves them, checked here.

A folder may come from anywhere, with checksums that are right and values that are not. So every part is declared: a
JSON value by a `Form`, which returns it with its defaults filled in, and an array by its dtype, by its shape in named
sizes, and by the range of its values. A code that points outside its table, a matrix of another width, a text in the
place of a number is refused here, before anything is made of it.

    SETTINGS = record(n_factors=whole(1), y_range=optional(list_of(number(), 2, 2)), seed=default(42, whole(0)))
    ARRAYS = {"user": Array("int32", "rows", least=1, below="users"), "rating": Array("float32", "rows", finite=True)}
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from vectable.errors import ArtifactError, quote_some

if TYPE_CHECKING:
    from torch import Tensor

    Numbers = Tensor | NDArray[Any]
    """An array of a folder's file: torch's, or NumPy's where the folder is read without torch."""

Form = Callable[[Any, str], Any]
"""Takes a JSON value and its name, and returns the value to use; raises an `PartError` with that name."""


class PartError(ArtifactError):
    """A part of a saved folder is missing or not as declared; `artifact.whole_model` adds which folder it is in."""


LARGEST = 2**53  # an integer beyond is not what a float of the same digits is


def wrong(where: str, value: Any, what: str) -> NoReturn:
    """Raise the `PartError` for a value that is not what its form asks for."""
    shown = repr(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    raise PartError(f"{where} is {shown[:60]}{'...' * (len(shown) > 60)} and must be {what}")


# ---------------------------------------------------------------- JSON values


def whole(least: int = 0, most: int = LARGEST) -> Form:
    """An integer from `least` to `most`."""

    def form(value: Any, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            wrong(where, value, f"an integer in [{least:,}, {most:,}]")
        return value

    return form


def number(least: float = -math.inf, most: float = math.inf) -> Form:
    """A finite number from `least` to `most`."""

    def form(value: Any, where: str) -> float:
        if not (_is_number(value) and math.isfinite(value) and least <= value <= most):
            wrong(where, value, f"a finite number in [{least:g}, {most:g}]")
        same: float = value  # as it was written: 3 stays 3
        return same

    return form


def any_number(value: Any, where: str) -> float:
    """A number; NaN and the infinities are numbers too."""
    if not _is_number(value):
        wrong(where, value, "a number")
    same: float = value  # as it was written
    return same


def fraction(value: Any, where: str) -> float:
    """A number in [0, 1)."""
    if not (_is_number(value) and 0 <= value < 1):
        wrong(where, value, "a number in [0, 1)")
    same: float = value  # as it was written
    return same


def text(value: Any, where: str) -> str:
    """A text."""
    if not (isinstance(value, str) and (value.isascii() or is_unicode(value))):
        wrong(where, value, "a text")
    return value


def is_unicode(value: str) -> bool:
    """Whether a text has no half of a surrogate pair in it, which no file holds."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def any_value(value: Any, where: str) -> Any:
    """Any JSON value, which somebody else looks at."""
    return value


def mapping(value: Any, where: str) -> dict[str, Any]:
    """An object, into which somebody else looks."""
    if not isinstance(value, dict):
        wrong(where, value, "an object")
    return value


def boolean(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        wrong(where, value, "true or false")
    return value


def one_of(*values: Any) -> Form:
    """One of a few values."""

    def form(value: Any, where: str) -> Any:
        if not any(value is one or (type(value) is type(one) and value == one) for one in values):
            wrong(where, value, f"one of {quote_some(values)}")
        return value

    return form


def optional(inner: Form) -> Form:
    """The inner form, or null."""
    return lambda value, where: None if value is None else inner(value, where)


def either(*inners: Form) -> Form:
    """The first of some forms that fits."""

    def form(value: Any, where: str) -> Any:
        for inner in inners[:-1]:
            try:
                return inner(value, where)
            except PartError:
                pass
        return inners[-1](value, where)

    return form


def list_of(inner: Form, least: int = 0, most: int = LARGEST) -> Form:
    """A list of values of one form, `least` to `most` of them."""

    def form(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            wrong(where, value, f"a list of {least:,} to {most:,} values" if least or most < LARGEST else "a list")
        return [inner(one, f"{where}[{at}]") for at, one in enumerate(value)]

    return form


def long_list_of(*types: type, length: int | None = None) -> Form:
    """A list of plain values of some types, looked over fast; of `length` where that is given."""

    def form(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list) or not set(map(type, value)) <= set(types):
            wrong(where, value, f"a list of {' and '.join(one.__name__ for one in types)}")
        if length is not None and len(value) != length:
            raise PartError(f"{where} has {len(value):,} entries and must have {length:,}")
        return value

    return form


def map_of(inner: Form) -> Form:
    """An object whose values are of one form."""

    def form(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            wrong(where, value, "an object")
        return {text(name, where): inner(one, f"{where}[{name!r:.40}]") for name, one in value.items()}

    return form


@dataclass(frozen=True)
class Default:
    """A field of a record that an older folder may lack."""

    value: Any
    form: Form


@dataclass(frozen=True)
class Maybe:
    """A field of a record that may be missing, and is missing then in what is read."""

    form: Form


def record(**fields: Form | Default | Maybe) -> Form:
    """An object with these fields; those it has besides are passed over.

    Args:
        fields: a form; `Default(value, form)` or `Maybe(form)` for a field that may be missing.
    """

    def form(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            wrong(where, value, "an object")
        found = {}
        for name, field in fields.items():
            if name in value:
                inner = field.form if isinstance(field, Default | Maybe) else field
                found[name] = inner(value[name], f"{where}.{name}")
            elif isinstance(field, Default):
                found[name] = field.value
            elif not isinstance(field, Maybe):
                raise PartError(f"{where}.{name} is missing")
        return found

    return form


def part(parts: Mapping[str, Any], name: str, form: Form, where: str = "") -> Any:
    """A named part of some JSON values, of a form.

    Raises:
        PartError: there is none, or it has another form.
    """
    if name not in parts:
        raise PartError(f"{where}{name} is missing")
    return form(parts[name], f"{where}{name}")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 2**1023


# ---------------------------------------------------------------- arrays


@dataclass(frozen=True)
class Array:
    """How an array must be.

    Attributes:
        dtypes: names of the dtypes it may have, between spaces: "int32", "float16 float32".
        shape: its dimensions between spaces, each a number, the name of a size, or one of these plus a number:
            "rows", "users+1 depth", "2". A size that is not known yet becomes known.
        least: the smallest value it may hold.
        below: what all its values are smaller than: a number, or a size as in `shape`.
        finite: whether NaN and the infinities are wrong.
        needed: whether it must be there.
    """

    dtypes: str
    shape: str = ""
    least: float | None = None
    below: float | str | None = None
    finite: bool = False
    needed: bool = True


def take_arrays(
    tensors: Mapping[str, Mapping[str, "Numbers"]], file: str, schema: Mapping[str, Array], sizes: dict[str, int]
) -> dict[str, NDArray[Any]]:
    """The arrays of a folder's file that a schema declares, checked; others are passed over.

    Args:
        tensors: of all files, by file and name.
        sizes: known sizes by name; those that the arrays make known are added.

    Raises:
        PartError: the file or an array is missing, or is not as declared.
    """
    if file not in tensors:
        raise PartError(f"its file {file!r} is missing")
    found = {}
    for name, array in schema.items():
        if name in tensors[file]:
            found[name] = check_array(tensors[file][name], array, sizes, f"{file}.{name}")
        elif array.needed:
            raise PartError(f"{file}.{name} is missing")
    return found


def check_array(tensor: "Numbers", array: Array, sizes: dict[str, int], where: str) -> NDArray[Any]:
    """One array, checked; see `take_arrays`."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in array.dtypes.split():
        raise PartError(f"{where} is an array of {dtype} and must be of {array.dtypes.replace(' ', ' or ')}")
    dimensions = array.shape.split()
    if len(dimensions) != len(tensor.shape):
        raise PartError(f"{where} has {len(tensor.shape)} dimensions and must have {len(dimensions)}")
    for at, (dimension, length) in enumerate(zip(dimensions, tensor.shape, strict=True)):
        name, _, more = dimension.partition("+")
        if not name.isdigit() and name not in sizes:
            sizes[name] = length - int(more or 0)
        if length != size_of(dimension, sizes) or length < 0:
            raise PartError(
                f"{where} has {length:,} entries along dimension {at} and must have {size_of(dimension, sizes):,} "
                f"({dimension})"
            )
    values: NDArray[Any] = tensor if isinstance(tensor, np.ndarray) else tensor.numpy()
    _check_range(values, array, sizes, where)
    return values


def size_of(dimension: str, sizes: Mapping[str, int]) -> int:
    """The length that a dimension of a schema stands for."""
    name, _, more = dimension.partition("+")
    return (int(name) if name.isdigit() else sizes[name]) + int(more or 0)


def _check_range(values: NDArray[Any], array: Array, sizes: Mapping[str, int], where: str) -> None:
    if values.size == 0:
        return
    if array.finite and not np.isfinite(values).all():
        raise PartError(f"{where} holds NaN or infinity and must be finite")
    if array.least is not None and not values.min() >= array.least:
        raise PartError(f"{where} holds {values.min()} and must be at least {array.least:g}")
    if array.below is not None:
        below = size_of(array.below, sizes) if isinstance(array.below, str) else array.below
        if not values.max() < below:
            raise PartError(f"{where} holds {values.max()} and must be below {below:,}")
