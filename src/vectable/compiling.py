"""Getting the compiled kernels: from numba's disk cache, by compiling them once, or not at all.

numba keeps what it compiled in ``__pycache__`` beside the source, else in the user's cache directory
(``NUMBA_CACHE_DIR`` overrides both). Where neither can be written, or a cached file is damaged, the kernels
are compiled for this process alone. Where numba does not work at all, `EngineUnavailable` says why.
"""

# mypy: allow-subclassing-any

import importlib
from collections.abc import Callable
from typing import Any


class EngineUnavailable(Exception):  # noqa: N818 - it reads as what happened
    """The compiled engine cannot be used here; the message says why. PyTorch can do the same work."""


def compile_module(name: str, on_compile: Callable[[], None] | None = None) -> dict[str, Callable[..., Any]]:
    """The compiled functions of a module of kernels, by name: those that its `SIGNATURES` tell the arguments of.

    Args:
        on_compile: called once, before the compiling starts, if they are not in the disk cache.

    Raises:
        EngineUnavailable: numba cannot be imported, is switched off, or cannot compile them.
    """
    try:
        import numba
        from numba.core import event
    except Exception as error:  # also numba's own complaints about the numpy it found
        raise EngineUnavailable(f"numba cannot be imported: {error}") from error
    if getattr(numba.config, "DISABLE_JIT", False):
        raise EngineUnavailable("numba's compiler is switched off (NUMBA_DISABLE_JIT)")

    class Announce(event.Listener):
        """numba reports a compile, and no loading from the cache, as an event."""

        told = False

        def on_start(self, event: object) -> None:
            if on_compile is not None and not self.told:
                self.told = True
                on_compile()

        def on_end(self, event: object) -> None:
            pass

    try:
        source = importlib.import_module(name)
        with event.install_listener("numba:compile", Announce()):
            return {kernel: _specialise(getattr(source, kernel), of) for kernel, of in source.SIGNATURES.items()}
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise EngineUnavailable(f"numba {numba.__version__} cannot compile the kernels: {reason}") from error


def _specialise(dispatcher: Any, argument_types: tuple[Any, ...]) -> Any:
    """Compile a function for the one kind of arguments it is called with, with the disk cache if it works."""
    import numba

    options = {name: value for name, value in dispatcher.targetoptions.items() if name != "nopython"}
    cached = numba.njit(**options)(dispatcher.py_func)
    try:
        cached.enable_caching()  # RuntimeError: no directory can be written
        cached.compile(argument_types)  # any error: a damaged or vanished cache
    except Exception:
        if argument_types not in cached.overloads:  # otherwise it is compiled, and only not stored
            cached = numba.njit(**options)(dispatcher.py_func)
            cached.compile(argument_types)
    cached.disable_compile()
    return cached
