"""The rows of the table: what the lesson says, what came out here, how to run it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev


@dataclass(frozen=True)
class Row:
    """One number of the lesson next to ours.

    Attributes:
        topic: "ratings", "workbooks", "digits", "decay" or "paper".
        what: the number.
        lesson: as the lesson printed or said it.
        ours: as it came out, with the spread over seeds where there are several.
        note: where ours must differ, and why; what the row is measured on where that is not the lesson's data.
        command: what computes it again.
    """

    topic: str
    what: str
    lesson: str
    ours: str
    note: str
    command: str


@dataclass(frozen=True)
class Trial:
    """One setting of an experiment: errors of the same splits and seeds as the other settings.

    Attributes:
        experiment: what was varied.
        setting: to what; the lesson's own says so.
        errors: validation error of every seed.
        against: the same seeds' errors at the lesson's setting.
    """

    experiment: str
    setting: str
    errors: list[float]
    against: list[float]

    @property
    def difference(self) -> str:
        """How much higher than the lesson's setting, seed by seed."""
        return spread([a - b for a, b in zip(self.errors, self.against, strict=True)], sign="+")


def spread(values: Sequence[float], digits: int = 4, sign: str = "") -> str:
    """``0.8201 ± 0.0093``: mean and standard deviation (n - 1), or the number alone."""
    shown = f"{fmean(values):{sign}.{digits}f}"
    return f"{shown} ± {stdev(values):.{digits}f}" if len(values) > 1 else shown
