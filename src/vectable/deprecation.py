"""Renamed public names: an old name keeps working for one release and warns with the new one."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from vectable.errors import VectableError, warn

P = ParamSpec("P")
R = TypeVar("R")

RENAMED: dict[str, str] = {
    "bayes_collab": "bayes_collab_learner",
    "CSVLog": "CSVLogger",
    "KeepBest": "RestoreBest",
    "TrainingStopped": "NonFiniteLossError",
}
"""Names in ``vectable`` itself, old to new; `vectable.__getattr__` finds them."""


def warn_renamed(old: str, new: str) -> None:
    """Warn that `old` is now called `new`."""
    warn(f"{old} is now called {new}; the old name will be removed in the next release.", DeprecationWarning)


def renamed_arguments(**new_names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function accept keyword arguments by their old names.

    Args:
        new_names: old name = new name.

    Raises:
        VectableError: on a call that gives both names of one argument.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **given: P.kwargs) -> R:
            for old in given.keys() & new_names.keys():
                new = new_names[old]
                if new in given:
                    raise VectableError(f"{function.__name__} was given {old} and {new}, which are the same argument.")
                warn_renamed(old, new)
                given[new] = given.pop(old)
            return function(*args, **given)

        return call

    return decorate


def renamed_method(old: str, method: Callable[P, R]) -> Callable[P, R]:
    """The old name of a method, as a class attribute: ``epoch_ended = renamed_method("epoch_ended", on_epoch_end)``."""

    @wraps(method)
    def call(*args: P.args, **given: P.kwargs) -> R:
        warn_renamed(old, method.__name__)
        return method(*args, **given)

    call.__doc__ = f"Old name of `{method.__name__}`."
    return call


def renamed_property(old: str, new: str) -> Any:
    """The old name of an attribute or property, as a class attribute."""

    def read(self: Any) -> Any:
        warn_renamed(old, new)
        return getattr(self, new)

    return property(read, doc=f"Old name of `{new}`.")


def renamed_hook(old: str, new: str) -> Callable[..., Any]:
    """The old name of a method that subclasses override: calls the instance's own method of the new name."""

    def call(self: Any, *args: Any, **given: Any) -> Any:
        warn_renamed(old, new)
        return getattr(self, new)(*args, **given)

    call.__doc__ = f"Old name of `{new}`."
    return call
