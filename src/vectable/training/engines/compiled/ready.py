"""The compiled kernels of the engine, made ready once a process."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from vectable.compiling import compile_module


class Kernels(NamedTuple):
    """The compiled functions of `kernels.py`."""

    tail_sums: Callable[..., None]
    catch_up: Callable[..., None]
    train_lane: Callable[..., int]


_lock = threading.Lock()
_ready: Kernels | None = None


def kernels() -> Kernels:
    """The compiled functions, compiled or loaded now if they are not there yet."""
    warm_up()
    assert _ready is not None
    return _ready


def warm_up(on_compile: Callable[[], None] | None = None) -> None:
    """Make the kernels ready. A second call does nothing.

    Args:
        on_compile: called once, before the compiling starts, if they are not in the disk cache.

    Raises:
        EngineUnavailable: numba cannot be imported, is switched off, or cannot compile them.
    """
    global _ready
    with _lock:
        if _ready is None:
            _ready = _make_ready(on_compile)


def _make_ready(on_compile: Callable[[], None] | None) -> Kernels:
    return Kernels(**compile_module("vectable.training.engines.compiled.kernels", on_compile))
