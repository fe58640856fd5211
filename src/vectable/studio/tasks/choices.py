"""What was chosen for a project, and what is known of its columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Column:
    """What is known of one column of a file.

    Attributes:
        name: in the file.
        kind, why: what the rule of kinds takes it for: "category", "ordinal", "number", "date" or "unusable".
        numeric: whether its values are numbers.
        is_date: whether they are dates.
        unique, missing: numbers of values.
        examples: up to three values, as text.
        numbers_rows: whether it only numbers the rows.
    """

    name: str
    kind: str
    why: str
    numeric: bool
    is_date: bool
    unique: int
    missing: int
    examples: Sequence[str]
    numbers_rows: bool = False


@dataclass(frozen=True)
class Choices:
    """All that decides how a project's model is trained.

    Attributes:
        label: the name of the file, as the script calls it.
        columns: of the file.
        roles: what each column is taken for.
        named: the columns among them whose role was chosen by hand.
        split: what is held out.
        settings: of the training, checked.
        sep, has_header: how the file is read; None for: as found.
        problems: kinds of problems that rows have: "rating", "ids", "target", "count".
    """

    label: str
    columns: Sequence[Column] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    split: str = "random"
    settings: Mapping[str, Any] = field(default_factory=dict)
    sep: str | None = None
    has_header: bool | None = None
    problems: frozenset[str] = frozenset()

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments that say how the file is read."""
        given = {"sep": self.sep, "has_header": self.has_header}
        return {name: value for name, value in given.items() if value is not None}

    def column_of(self, role: str) -> str | None:
        """The column that is taken for something; None where none is."""
        return next(self.columns_of(role), None)

    def columns_of(self, *roles: str) -> Iterator[str]:
        """The columns that are taken for one of some things, in the file's order."""
        return (one.name for one in self.columns if self.roles.get(one.name) in roles)
