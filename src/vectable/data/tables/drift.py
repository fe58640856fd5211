"""What new rows hold that training never showed."""

from dataclasses import dataclass, field


@dataclass
class Drift:
    """What new rows held that training never showed, counted by column.

    Attributes:
        rows: looked at.
        unknown: categories never seen.
        missing: missing values in columns that had none.
        beyond: numbers outside the training range.
    """

    rows: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    beyond: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.unknown or self.missing)

    def __str__(self) -> str:
        parts = []
        for what, counts in (
            ("values that are not in the training data", self.unknown),
            ("missing values in columns that had none", self.missing),
        ):
            if counts:
                parts.append(f"{what}: " + ", ".join(f"{count:,} in {name!r}" for name, count in counts.items()))
        return f"Of {self.rows:,} rows, " + "; ".join(parts) if parts else f"{self.rows:,} rows like those of training"
