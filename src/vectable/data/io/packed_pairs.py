"""Who has seen what, in few bytes: the ratings or interactions of a serving folder."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.io.packed_arrays import (
    pack,
    pack_differences,
    pack_halves,
    unpack,
    unpack_differences,
    unpack_halves,
)
from vectable.folder_schema import Array, PartError, take_arrays

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.folder_schema import Numbers

MOST_LEVELS, FEW_LEVELS = 256, 16  # different ratings up to which they are coded, and two of them share a byte
Arrays = dict[str, NDArray[Any]]


def pack_pairs(pairs: Mapping[str, "Tensor"], value: str, n_users: int, timed: bool, in_order: bool) -> Arrays:
    """The training pairs sorted by user: how many of each, their items, and codes of what is known of them.

    Args:
        pairs: the arrays of a whole folder's ratings or interactions.
        value: the name of what is known of each pair: "rating" or "count".
        timed: whether predictions need their times.
        in_order: keep each user's items in the order of the rows; else they are sorted, the most popular first, which
            takes fewer bytes: most of what anybody has seen is popular, so that the places in this order lie close
            together.
    """
    prefix = "train." if "train.user" in pairs else ""
    arrays = {name.removeprefix(prefix): one.numpy() for name, one in pairs.items() if name.startswith(prefix)}
    kept = np.flatnonzero(arrays["part"] == 0) if "part" in arrays else np.arange(len(arrays["user"]))
    items = arrays["item"].astype(np.int32)
    by_popularity: Arrays = {}
    if not in_order:
        by_popularity["by_popularity"], items = _places(items)
    keys = [arrays["user"][kept]] if in_order else [items[kept], arrays["user"][kept]]
    order = kept[np.lexsort(keys)]
    values = arrays[value][order]
    levels, codes = np.unique(values, return_inverse=True)
    if len(levels) <= FEW_LEVELS:
        coded: Arrays = {"paired_values": pack_halves(codes.astype(np.int32))}
    elif len(levels) <= MOST_LEVELS:
        coded = {"packed_values": pack(codes.astype(np.int32))}
    else:
        levels, coded = levels[:0], {"values": values}
    packed: Arrays = {
        "counts": np.bincount(arrays["user"][order], minlength=n_users + 1)[1:].astype(np.int32),
        "packed_items": (pack if in_order else pack_differences)(items[order]),
        "levels": levels,
        **by_popularity,
        **coded,
    }
    return packed | ({"time": arrays["time"][order]} if timed and "time" in arrays else {})


def _places(items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The codes of the items that occur, the most frequent first, and of each row its item's place among them."""
    counts = np.bincount(items)
    codes = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)].astype(np.int32)
    places = np.zeros(len(counts), dtype=np.int32)
    places[codes] = np.arange(len(codes), dtype=np.int32)
    return codes, places[items]


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
        "by_popularity": Array("int32", "places", least=1, needed=False),  # not in folders saved before
        "items": Array("int16 int32", "rows", needed=False),  # of folders saved before items were packed
        "levels": Array("float32", "levels", finite=True),
        "packed_values": Array("uint8", "value_bytes", needed=False),
        "paired_values": Array("uint8", "value_bytes", needed=False),
        "values": Array("uint8 float32", "rows", finite=True, needed=False),
        "time": Array("float64", "rows", finite=True, needed=False),
    }
    seen = take_arrays(tensors, file, schema, {"users": n_users})
    n_rows = int(seen["counts"].sum(dtype=np.int64))
    if "packed_items" in seen:
        restore = unpack if in_order else unpack_differences
        seen["items"] = restore(seen["packed_items"], n_rows, f"{file}.packed_items")
    if "by_popularity" in seen:
        seen["items"] = _looked_up(seen["items"], seen["by_popularity"], f"{file}.by_popularity")
    if "paired_values" in seen:
        seen["values"] = unpack_halves(seen["paired_values"], n_rows, f"{file}.paired_values")
    elif "packed_values" in seen:
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
    return values if values.dtype == np.float32 else _looked_up(values, levels, f"{file}.levels")


def _looked_up(codes: NDArray[Any], table: NDArray[Any], where: str) -> NDArray[Any]:
    """What codes stand for in a table."""
    if len(codes) and not 0 <= codes.min() <= codes.max() < len(table):
        raise PartError(f"{where} does not have all values that codes stand for")
    found: NDArray[Any] = table[codes]
    return found
