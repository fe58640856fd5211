"""What is called to train a model, as data: the job calls it, and the script that is taken away shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Call:
    """A call of a public function or of a learner's method.

    Attributes:
        name: "RatingsData.from_file", "fit_one_cycle", ...
        given, named: its arguments, besides the data or file that comes first.
    """

    name: str
    given: Sequence[Any] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def values(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments, expressions replaced by what they stand for."""
        named = {name: _value(one) for name, one in self.named.items()}
        return [_value(one) for one in self.given], named

    def arguments(self, first: str = "") -> str:
        """The arguments as Python writes them.

        Args:
            first: expression that comes before all others.
        """
        given = [source_of(one) for one in self.given]
        named = [f"{name}={source_of(value)}" for name, value in self.named.items()]
        return ", ".join([*([first] if first else []), *given, *named])


@dataclass(frozen=True)
class Source:
    """An expression of Python among the arguments of a call, and what it stands for when the job calls.

    Attributes:
        text: of the expression.
        value: it stands for.
    """

    text: str
    value: Any


@dataclass(frozen=True)
class Plan:
    """A training from the file to the fitted learner.

    Attributes:
        data: makes the data; the file comes first.
        learner: makes the learner; the data come first.
        fits: methods of the learner, one after the other.
        left_out: names of columns by what a row must have there to be kept: "number" or "value". Rows without are
            left out before the data are made.
        keeps_best: whether the epoch with the lowest loss on the held-out rows is kept.
    """

    data: Call
    learner: Call
    fits: Sequence[Call]
    left_out: Mapping[str, str] = field(default_factory=dict)
    keeps_best: bool = True

    def make_data(self, source: Path) -> Any:
        """The data, from the file or folder."""
        if not self.left_out:
            return _called(self.data, source)
        from vectable.data.io.files import read_table

        named = dict(self.data.named)
        table = read_table(source, **{name: named.pop(name) for name in ("sep", "has_header") if name in named})
        for column, needed in self.left_out.items():
            table = table.filter(row_has(column, needed))
        made = Call(self.data.name.replace("from_file", "from_df"), self.data.given, named)
        return _called(made, table)

    def make_learner(self, data: Any, progress: Any) -> Any:
        """The learner, not yet fitted."""
        return _called(self.learner, data, progress=progress)


def row_has(column: str, needed: str) -> Any:
    """A polars expression: whether a row has a finite number, or any value, in a column."""
    import polars as pl

    value = pl.col(column)
    if needed == "value":
        return value.is_not_null()
    return value.cast(pl.Float64, strict=False).is_finite().fill_null(False)


def source_of(value: Any) -> str:
    """A value as Python writes it."""
    return value.text if isinstance(value, Source) else repr(value)


def _called(call: Call, first: Any, **more: Any) -> Any:
    import vectable

    made: Any = vectable
    for part in call.name.split("."):
        made = getattr(made, part)
    given, named = call.values()
    return made(first, *given, **named, **more)


def _value(argument: Any) -> Any:
    return argument.value if isinstance(argument, Source) else argument
