"""Serving folders: what answers and nothing else, of any kind of saved model.

`to_serving` takes the contents of a whole folder and leaves out the optimizer's state, the history of training, the
chains of a sampler and the rows of a table; of ratings and interactions stays what each user has seen, in few bytes
(`packed_pairs.py`); and long columns of names stand in Arrow's layout instead of JSON, so that they are read without a
Python object for each. `from_serving` makes contents of the usual form of it again, with no optimizer and no
held-out rows, from which a learner answers as the whole one does.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.artifact import ArrayContents, Contents
from vectable.data.io.half_precision import from_half, to_half
from vectable.data.io.packed_pairs import pack_pairs, unpack_pairs
from vectable.data.io.saved_columns import DTYPES, column_from_arrays, column_to_arrays
from vectable.folder_schema import mapping, one_of, part, record, text

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.folder_schema import Numbers

SERVING = "serving"
"""The setting of a serving folder, and of the contents of a learner that came from one."""

SEARCH = "search"
"""The setting of a folder that holds an index for approximate search, and the name of its file."""
HALF = "half"
"""The setting of a serving folder whose weights are rounded to 16 bits."""

LEFT_OUT = ("optimizer", "history", "chains", "rows")
PAIRS = {"ratings": ("ratings", "rating"), "posterior": ("ratings", "rating")}
PAIRS |= dict.fromkeys(("implicit", "next_item"), ("interactions", "count"))
"""Of kinds that know users and items, the file of the pairs and the name of what is known of each."""
LONG = 100  # values from which on a column leaves the JSON
IN_ORDER = ("implicit", "next_item")  # kinds for which the order of a user's items counts

Arrays = dict[str, NDArray[Any]]
COLUMN = record(column=text, dtype=one_of(*DTYPES))


def to_serving(contents: Contents, half: bool = False) -> Contents:
    """The contents of a serving folder, of those of a whole one.

    Args:
        half: round the weights to 16 bits; see `to_half`.
    """
    half = half and "weights" in contents.tensors
    settings = {**contents.settings, **({HALF: True} if half else {})}
    tensors = {name: dict(arrays) for name, arrays in contents.tensors.items() if name not in LEFT_OUT}
    columns: Arrays = {}
    tables = {name: _columns_out(table, name, columns) for name, table in contents.tables.items()}
    if contents.kind in PAIRS:
        file, value = PAIRS[contents.kind]
        timed = bool(contents.settings.get("config", {}).get("user_day_bias"))
        tensors[file] = _tensors(
            pack_pairs(tensors[file], value, _n_users(contents.tables), timed, contents.kind in IN_ORDER)
        )
        tables["side_tables"] = {**tables["side_tables"], "users": None}
    if "sums" in tensors:  # of a posterior's held-out rows
        tensors["sums"] = {**tensors["sums"], "valid": tensors["sums"]["valid"][:0]}
    if half:
        tensors["weights"] = to_half(tensors["weights"])
    if columns:
        tensors["columns"] = _tensors(columns)
    return Contents(contents.kind, settings, tensors, tables)


def from_serving(contents: Contents) -> Contents:
    """Contents of the usual form, from which a learner is made, of those of a serving folder.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    made, tables = _usual_form(contents.kind, contents.settings, contents.tensors, contents.tables)
    tensors = {name: dict(arrays) for name, arrays in contents.tensors.items() if name != "columns"}
    tensors |= {name: _tensors(arrays) for name, arrays in made.items()}
    if contents.settings.get(HALF):
        tensors["weights"] |= _tensors(from_half(tensors.get("weights", {}), "weights"))
    return Contents(contents.kind, contents.settings, tensors, tables)


def arrays_from_serving(contents: ArrayContents) -> ArrayContents:
    """As `from_serving`, without torch."""
    made, tables = _usual_form(contents.kind, contents.settings, contents.arrays, contents.tables)
    arrays = {name: dict(one) for name, one in contents.arrays.items() if name != "columns"} | made
    if contents.settings.get(HALF):
        arrays["weights"] |= from_half(arrays.get("weights", {}), "weights")
    return ArrayContents(contents.kind, contents.settings, arrays, tables, contents.version)


def _usual_form(
    kind: str,
    settings: Mapping[str, Any],
    tensors: Mapping[str, Mapping[str, "Numbers"]],
    tables: Mapping[str, Any],
) -> tuple[dict[str, Arrays], dict[str, Any]]:
    """The files that a serving folder has in another form or not at all, by name, and all JSON tables."""
    columns = tensors.get("columns", {})
    tables = {name: _columns_in(table, columns, name) for name, table in tables.items()}
    made: dict[str, Arrays] = {name: {} for name in ("optimizer", "history", "chains")}
    if kind in PAIRS:
        file, value = PAIRS[kind]
        made[file] = unpack_pairs(tensors, file, value, _n_users(tables), kind in IN_ORDER)
    elif kind == "table":
        made["rows"] = _no_rows(settings, tables)
    if kind != "posterior":
        tables["epochs"] = []  # their steps are not there
    return made, tables


# ---------------------------------------------------------------- who has seen what


def _n_users(tables: Mapping[str, Any]) -> int:
    vocabularies = part(tables, "vocabularies", mapping)
    return len(part(part(vocabularies, "user", mapping), "values", lambda value, _: value))


def _no_rows(settings: Mapping[str, Any], tables: Mapping[str, Any]) -> Arrays:
    """The rows of a table that has none left: arrays of no rows, of the types that its target asks for."""
    config = part(settings, "config", mapping, "settings.")
    target = part(settings, "target", mapping, "settings.")
    n_outputs = config.get("n_outputs", 1)
    if target.get("kind") == "classes":
        outputs: NDArray[Any] = np.zeros(0, dtype=np.int64)
    else:
        outputs = np.zeros((0, n_outputs) if n_outputs != 1 else 0, dtype=np.float32)
    none = {
        "categories": np.zeros((0, len(config["embeddings"])), dtype=np.int32),
        "numbers": np.zeros((0, config["n_numbers"]), dtype=np.float32),
        "target": outputs,
    }
    return {f"{which}.{name}": one for which in ("train", "valid") for name, one in none.items()}


# ---------------------------------------------------------------- columns of names


def _columns_out(value: Any, where: str, columns: Arrays) -> Any:
    """JSON values with the long columns in them replaced by references, and their arrays added to `columns`."""
    if isinstance(value, dict):
        return {
            name: _column_out(one, f"{where}.{name}", columns)
            if name == "values"
            else _columns_out(one, f"{where}.{name}", columns)
            for name, one in value.items()
        }
    if where == "titles":
        return _column_out(value, where, columns)
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return [_columns_out(one, f"{where}.{at}", columns) for at, one in enumerate(value)]
    return value


def _column_out(value: Any, where: str, columns: Arrays) -> Any:
    if not isinstance(value, list) or len(value) < LONG or not _of_one_type(value):
        return value
    try:
        kind, arrays = column_to_arrays(pl.Series(value, strict=True))
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return value  # integers of more than 64 bits, half a pair of surrogates
    columns.update({f"{where}/{name}": one for name, one in arrays.items()})
    return {"column": where, "dtype": kind}


def _of_one_type(values: Iterable[Any]) -> bool:
    return len({type(one) for one in values if one is not None} | {str}) <= 2 and {
        type(one) for one in values if one is not None
    } <= {str, int, float, bool}


def _columns_in(value: Any, columns: Mapping[str, "Numbers"], where: str) -> Any:
    """JSON values with references replaced by the columns that they stand for, as polars series."""
    if isinstance(value, dict):
        if set(value) == {"column", "dtype"}:
            reference = COLUMN(value, where)
            prefix = f"{reference['column']}/"
            arrays = {name.removeprefix(prefix): one for name, one in columns.items() if name.startswith(prefix)}
            return column_from_arrays(reference["dtype"], arrays, {}, where)
        return {name: _columns_in(one, columns, f"{where}.{name}") for name, one in value.items()}
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return [_columns_in(one, columns, f"{where}.{at}") for at, one in enumerate(value)]
    return value


def _tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, "Tensor"]:
    import torch

    return {name: torch.from_numpy(np.array(one, order="C")) for name, one in arrays.items()}
