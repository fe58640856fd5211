"""Weights between items as arrays of a saved folder, checked on their way back."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from vectable.factorising.item_weights import DenseWeights, SparseWeights, weights_from_arrays
from vectable.folder_schema import Array, PartError, take_arrays

if TYPE_CHECKING:
    from vectable.folder_schema import Numbers

DENSE = {"matrix": Array("float32", "items items", finite=True)}
SPARSE = {
    "starts": Array("int64", "items+1", least=0),
    "columns": Array("int32", "entries", least=0, below="items"),
    "values": Array("float32", "entries", finite=True),
}
"""The arrays of `to_arrays`, dense or sparse."""


def take_weights(
    tensors: "Mapping[str, Mapping[str, Numbers]]",
    file: str,
    names: Iterable[str],
    sizes: dict[str, int],
    prefix: str = "",
) -> DenseWeights | SparseWeights:
    """The weights back from `to_arrays`.

    Args:
        file, names, prefix: where the arrays are; each name begins with the prefix.
        sizes: those known, "items" among them.

    Raises:
        PartError: an array is missing or is not as it must be.
    """
    dense = any(name.removeprefix(prefix) == "matrix" for name in names)
    schema = {f"{prefix}{name}": array for name, array in (DENSE if dense else SPARSE).items()}
    arrays = {name.removeprefix(prefix): one for name, one in take_arrays(tensors, file, schema, sizes).items()}
    if "starts" in arrays:
        starts = arrays["starts"]
        if starts[0] != 0 or starts[-1] != len(arrays["columns"]) or (np.diff(starts) < 0).any():
            raise PartError(f"{file}.{prefix}starts must rise from 0 to {len(arrays['columns']):,}")
    return weights_from_arrays(arrays)
