"""Settings of a training: each with its default, what it may be, and a line that says what it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vectable.errors import did_you_mean, is_finite, is_whole, require


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: in requests and files.
        label: to show.
        line: what it does, in a sentence.
        value: the default.
        least, most: of numbers.
        choices: values with their labels; where there are some, the setting is one of them.
        basic: whether it is shown at once.
    """

    name: str
    label: str
    line: str
    value: Any
    least: float | None = None
    most: float | None = None
    choices: Sequence[tuple[Any, str]] = ()
    basic: bool = False

    @property
    def type(self) -> str:
        """ "choice", "boolean", "integer" or "number"."""
        if self.choices:
            return "choice"
        if isinstance(self.value, bool):
            return "boolean"
        return "integer" if isinstance(self.value, int) else "number"

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        limits = {"min": self.least, "max": self.most, "step": 1 if self.type == "integer" else None}
        listed = [{"value": value, "label": label} for value, label in self.choices]
        return {
            "name": self.name,
            "label": self.label,
            "line": self.line,
            "value": self.value,
            "type": self.type,
            "basic": self.basic,
            **{name: value for name, value in limits.items() if value is not None},
            **({"choices": listed} if listed else {}),
        }

    def check(self, value: Any) -> Any:
        """A value that was given, as the setting's type.

        Raises:
            VectableError: it is of another type, or out of range.
        """
        if self.choices:
            allowed = [one for one, _ in self.choices]
            require(value in allowed, f"{self.label}: one of {', '.join(map(repr, allowed))}; got {value!r:.80}.")
            return value
        if self.type == "boolean":
            require(isinstance(value, bool), f"{self.label}: true or false; got {value!r:.80}.")
            return value
        whole = self.type == "integer"
        what = "a whole number" if whole else "a number"
        fits = is_whole(value, -(2**62)) if whole else is_finite(value)
        fits = fits and (self.least is None or value >= self.least) and (self.most is None or value <= self.most)
        limits = f" from {self.least:g} to {self.most:g}" if self.least is not None and self.most is not None else ""
        require(fits, f"{self.label}: give {what}{limits}; got {value!r:.80}.")
        return int(value) if whole else float(value)


def checked(settings: Sequence[Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """All settings with the values that were given, and defaults for the others.

    Raises:
        VectableError: an unknown name, or a value that cannot be.
    """
    known = {one.name: one for one in settings}
    for name in given:
        require(name in known, f"There is no setting {name!r:.80}.{did_you_mean(name, known)}")
    return {one.name: one.check(given[one.name]) if one.name in given else one.value for one in settings}


def seed_setting() -> Setting:
    """The random seed, which every task has."""
    return Setting("seed", "Seed", "Of everything random: the same seed gives the same model.", 42, 0, 2**31 - 1)
