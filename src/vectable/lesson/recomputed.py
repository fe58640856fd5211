"""What recomputing the lesson gives: rows and trials, as objects and as tables."""

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from vectable.lesson.rows import Row, Trial, spread

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Recomputed:
    """What came out.

    Attributes:
        rows: the lesson's numbers next to ours.
        trials: the experiments, a setting a row.
        data: name of the ratings that rows and trials were measured on.
        missing: sentences on what could not be computed here, and why.
    """

    rows: list[Row] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    data: str = ""
    missing: list[str] = field(default_factory=list)

    def to_frame(self) -> "pl.DataFrame":
        """The rows as a table: topic, what, lesson, ours, note, command."""
        import polars as pl

        return pl.DataFrame([asdict(row) for row in self.rows], schema={one.name: pl.String for one in fields(Row)})

    def experiments(self) -> "pl.DataFrame":
        """The trials as a table: what was varied, to what, mean and standard deviation of the error over the splits,
        and how much higher it is than at the lesson's setting, split by split.
        """
        import polars as pl

        columns = dict.fromkeys(("experiment", "setting", "MSE", "higher than the lesson's by"), pl.String)
        rows = [
            (one.experiment, one.setting, spread(one.errors), "" if one.errors == one.against else one.difference)
            for one in self.trials
        ]
        return pl.DataFrame(rows, schema=columns, orient="row")
