"""Attributes of a learner that stand in its training session."""

from typing import Any, Generic, TypeVar

V = TypeVar("V")


class FromSession(Generic[V]):
    """An attribute of the session, to read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, learn: Any, owner: type | None = None) -> V:
        value: V = getattr(learn.session, self.name)
        return value

    def __set__(self, learn: Any, value: V) -> None:
        raise AttributeError(f"{self.name} belongs to the training session and is not assigned here.")


class Option(Generic[V]):
    """One of the session's options; assigning it changes them for the next fit."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, learn: Any, owner: type | None = None) -> V:
        value: V = getattr(learn.session.options, self.name)
        return value

    def __set__(self, learn: Any, value: V) -> None:
        learn.session.options = learn.session.options.changed(**{self.name: value})
