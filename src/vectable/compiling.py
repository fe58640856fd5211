"""Getting the compiled kernels: from numba's disk cache, by compiling them once, or not at all.

numba keeps what it compiled in ``__pycache__`` beside the source, else in the user's cache directory
(``NUMBA_CACHE_DIR`` overrides both), and runs a damaged file as it is. So a checksum is kept beside each file; what
differs from its checksum is removed and compiled again. Where nothing can be written, the kernels are compiled for this
process alone. Where numba does not work at all, `EngineUnavailable` says why.
"""

# mypy: allow-subclassing-any

import hashlib
import importlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vectable.errors import VectableError

CHECKSUM = ".sha256"


class EngineUnavailable(VectableError):  # noqa: N818 - it reads as what happened
    """Compiled kernels cannot be used here; the message says why.

    Attributes:
        reason: the same as a clause.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The compiled kernels cannot be used here: {reason}.")
        self.reason = reason


def compile_module(name: str, on_compile: Callable[[], None] | None = None) -> dict[str, Callable[..., Any]]:
    """The compiled functions of a module of kernels, by name: those that its `SIGNATURES` tell the arguments of.

    numba compiles again what stands in a file that was changed. Where a kernel calls functions of other files, the
    module lists those modules as `BUILT_ON`.

    Args:
        on_compile: called once, before the compiling starts, if they are not in the disk cache.

    Raises:
        EngineUnavailable: numba cannot be imported, is switched off, or cannot compile them.
    """
    try:
        import numba
        from numba.core import event
    except Exception as error:  # also numba's own complaints about the numpy it found
        raise EngineUnavailable(
            f"numba cannot be imported ({error}); pip install --upgrade numba brings one that fits"
        ) from error
    if getattr(numba.config, "DISABLE_JIT", False):
        raise EngineUnavailable("numba's compiler is switched off; unset NUMBA_DISABLE_JIT")

    class Announce(event.Listener):
        """numba reports a compile, and no loading from the cache, as an event."""

        reported = False

        def on_start(self, event: object) -> None:
            if on_compile is not None and not self.reported:
                self.reported = True
                on_compile()

        def on_end(self, event: object) -> None:
            pass

    try:
        source = importlib.import_module(name)
        built_on = [Path(str(module.__file__)) for module in getattr(source, "BUILT_ON", ())]
        with event.install_listener("numba:compile", Announce()):
            return {
                kernel: _specialise(getattr(source, kernel), of, built_on) for kernel, of in source.SIGNATURES.items()
            }
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise EngineUnavailable(f"numba {numba.__version__} cannot compile the kernels: {reason}") from error


def _specialise(dispatcher: Any, argument_types: tuple[Any, ...], built_on: list[Path]) -> Any:
    """Compile a function for the one kind of arguments it is called with, with the disk cache if it works."""
    import numba

    options = {name: value for name, value in dispatcher.targetoptions.items() if name != "nopython"}
    cached = numba.njit(**options)(dispatcher.py_func)
    try:
        cached.enable_caching()  # RuntimeError: no directory can be written
        _remove_damaged(cached)  # OSError: nor can what is there be removed
        _remove_older(cached, built_on)
        cached.compile(argument_types)  # any error: a damaged or vanished cache
        _write_checksums(cached)
    except Exception:
        if argument_types not in cached.overloads:  # otherwise it is compiled, and only not stored
            cached = numba.njit(**options)(dispatcher.py_func)
            cached.compile(argument_types)
    cached.disable_compile()
    return cached


def _cache_files(dispatcher: Any) -> list[Path]:
    """The files in which numba keeps one function: an index, and machine code."""
    code, name = dispatcher.py_func.__code__, dispatcher.py_func.__qualname__
    pattern = f"{Path(code.co_filename).stem}.{name}-{code.co_firstlineno}.*.nb[ic]"
    return list(Path(dispatcher.stats.cache_path).glob(pattern))


def _remove_damaged(dispatcher: Any) -> None:
    """Remove a function's cache where one of its files is not, byte for byte, what was written."""
    files = _cache_files(dispatcher)
    if any(_read(_checksum_file(file)) != _checksum(file) for file in files):
        for file in files:
            file.unlink(missing_ok=True)
            _checksum_file(file).unlink(missing_ok=True)


def _remove_older(dispatcher: Any, files: list[Path]) -> None:
    """Remove a function's cache where it was compiled before one of these files was written."""
    newest = max((file.stat().st_mtime for file in files), default=0.0)
    for cache in _cache_files(dispatcher):
        if cache.stat().st_mtime < newest:
            cache.unlink(missing_ok=True)
            _checksum_file(cache).unlink(missing_ok=True)


def _write_checksums(dispatcher: Any) -> None:
    """Write the checksum of each file that is new."""
    for file in _cache_files(dispatcher):
        place, checksum = _checksum_file(file), _checksum(file)
        if _read(place) != checksum:
            new = place.with_name(f"{place.name}-{secrets.token_hex(8)}")
            new.write_text(checksum, encoding="ascii")
            os.replace(new, place)


def _checksum_file(file: Path) -> Path:
    return file.with_name(file.name + CHECKSUM)


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii", errors="replace") if file.exists() else ""
