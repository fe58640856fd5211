"""The compiled kernels of the sharded engine, made ready once a process."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from vectable.compiling import compile_module


class Kernels(NamedTuple):
    """The compiled functions of `kernels.py`."""

    list_items: Callable[..., int]
    read_owned: Callable[..., int]
    step_users: Callable[..., float]
    step_owned: Callable[..., None]


@lru_cache(maxsize=1)
def kernels() -> Kernels:
    """The compiled functions, compiled or loaded when first asked for.

    Raises:
        EngineUnavailable: numba cannot be imported, is switched off, or cannot compile them.
    """
    return Kernels(**compile_module("vectable.training.engines.sharded.kernels"))
