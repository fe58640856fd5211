"""Weights in half the bytes: 32-bit numbers rounded to 16 bits (IEEE 754 binary16), and widened again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vectable.folder_schema import PartError

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.folder_schema import Numbers

LARGEST = float(np.finfo(np.float16).max)


def to_half(arrays: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Arrays with those of 32-bit floating point rounded to 16 bits.

    A number changes by at most 1 part in 2,048, or by 3e-8 where it is smaller than 6.1e-5. An array with a number
    beyond 65,504 stays as it is, and so does any other type.
    """
    import torch

    return {
        name: one.half()
        if one.dtype == torch.float32 and float(one.abs().amax() if one.numel() else 0) <= LARGEST
        else one
        for name, one in arrays.items()
    }


def from_half(arrays: Mapping[str, "Numbers"], where: str) -> dict[str, NDArray[np.float32]]:
    """The arrays of 16 bits among those of a file, in 32 bits.

    Raises:
        PartError: one holds what is not a number.
    """
    halves = {name: np.asarray(one) for name, one in arrays.items() if str(one.dtype).endswith("float16")}
    for name, one in halves.items():
        if one.dtype != np.float16 or not np.isfinite(one).all():
            raise PartError(f"{where}.{name} holds values that are not finite numbers of 16 bits")
    return {name: one.astype(np.float32) for name, one in halves.items()}
