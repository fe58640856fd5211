"""Who has seen what, in few bytes: the ratings or interactions of a serving folder."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.io.packed_arrays import pack, pack_differences, unpack, unpack_differences
from vectable.folder_schema import Array, PartError, take_arrays

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.folder_schema import Numbers

MOST_LEVELS = 256  # different ratings up to which they are coded
Arrays = dict[str, NDArray[Any]]


def pack_pairs(pairs: Mapping[str, "Tensor"], value: str, n_users: int, timed: bool, in_order: bool) -> Arrays:
    """The training pairs sorted by user: how many of each, their items, and codes of what is known of them.

    Args:
        pairs: the arrays of a whole folder's ratings or interactions.
        value: the name of what is known of each pair: "rating" or "count".
        timed: whether predictions need their times.
        in_order: keep each user's items in the order of the rows; else they are sorted, which takes fewer bytes.
    """
    prefix = "train." if "train.user" in pairs else ""
    arrays = {name.removeprefix(prefix): one.numpy() for name, one in pairs.items() if name.startswith(prefix)}
    kept = np.flatnonzero(arrays["part"] == 0) if "part" in arrays else np.arange(len(arrays["user"]))
    keys = [arrays["user"][kept]] if in_order else [arrays["item"][kept], arrays["user"][kept]]
    order = kept[np.lexsort(keys)]
    values = arrays[value][order]
    levels, codes = np.unique(values, return_inverse=True)
    coded = len(levels) <= MOST_LEVELS
    packed: Arrays = {
        "counts": np.bincount(arrays["user"][order], minlength=n_users + 1)[1:].astype(np.int32),
        "packed_items": (pack if in_order else pack_differences)(arrays["item"][order].astype(np.int32)),
        "levels": levels if coded else levels[:0],
        **({"packed_values": pack(codes.astype(np.int32))} if coded else {"values": values}),
    }
    return packed | ({"time": arrays["time"][order]} if timed and "time" in arrays else {})


def unpack_pairs(
    tensors: Mapping[str, Mapping[str, "Numbers"]], file: str, value: str, n_users: int, in_order: bool
) -> Arrays:
    """The arrays of a whole folder's pairs, back from `pack_pairs`; nothing is held out.

    Args:
        tensors: of all files, by file and name.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    seen = _take(tensors, file, n_users, in_order)
    users = np.repeat(np.arange(1, n_users + 1, dtype=np.int32), seen["counts"])
    train = {"user": users, "item": seen["items"].astype(np.int32), value: seen["values"]}
    if value == "count":
        return {**train, "part": np.zeros(len(users), dtype=np.int8)}
    train |= {"time": seen["time"]} if "time" in seen else {}
    held_out = {f"valid.{name}": one[:0] for name, one in train.items()}
    return {f"train.{name}": one for name, one in train.items()} | held_out


def _take(tensors: Mapping[str, Mapping[str, "Numbers"]], file: str, n_users: int, in_order: bool) -> Arrays:
    """The counts of users, and the items, values and, where there are any, times of the rows: checked."""
    schema = {
        "counts": Array("int32", "users", least=0),
        "packed_items": Array("uint8", "item_bytes", needed=False),
        "items": Array("int16 int32", "rows", needed=False),  # of folders saved before items were packed
        "levels": Array("float32", "levels", finite=True),
        "packed_values": Array("uint8", "value_bytes", needed=False),
        "values": Array("uint8 float32", "rows", finite=True, needed=False),
        "time": Array("float64", "rows", finite=True, needed=False),
    }
    seen = take_arrays(tensors, file, schema, {"users": n_users})
    n_rows = int(seen["counts"].sum(dtype=np.int64))
    if "packed_items" in seen:
        restore = unpack if in_order else unpack_differences
        seen["items"] = restore(seen["packed_items"], n_rows, f"{file}.packed_items")
    if "packed_values" in seen:
        seen["values"] = unpack(seen["packed_values"], n_rows, f"{file}.packed_values")
    for name in ("items", "values"):
        if name not in seen:
            raise PartError(f"{file}.packed_{name} is missing")
    for name in {"items", "values", "time"} & set(seen):
        if len(seen[name]) != n_rows:
            raise PartError(f"{file}.counts does not add up to the {len(seen[name]):,} rows of {file}.{name}")
    if seen["items"].min(initial=1) < 1:
        raise PartError(f"{file} holds an item's code below 1")
    return seen | {"values": _decoded(seen["values"], seen["levels"], file)}


def _decoded(values: NDArray[Any], levels: NDArray[np.float32], file: str) -> NDArray[np.float32]:
    """The values that codes stand for; values that are not coded stay."""
    if values.dtype == np.float32:
        return values
    if len(values) and not 0 <= values.min() <= values.max() < len(levels):
        raise PartError(f"{file} holds the code of a value that {file}.levels does not have")
    decoded: NDArray[np.float32] = levels[values]
    return decoded
