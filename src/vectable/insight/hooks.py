"""Hooks on the layers of a net, which always come off."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def hooked(modules: Iterable[tuple[str, nn.Module]], hear: Callable[[str, Any], Any]) -> Iterator[None]:
    """Call ``hear(name, output)`` whenever one of the modules has put something out, while the block runs.

    What it returns goes on in the output's place, unless it is None. The hooks are gone when the block is left, by an
    exception too.
    """
    handles = []
    try:
        for name, module in modules:
            handles.append(module.register_forward_hook(lambda _, __, output, name=name: hear(name, output)))
        yield
    finally:
        for handle in handles:
            handle.remove()
