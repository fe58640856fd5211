"""The lesson, recomputed: every number it prints beside ours, and the settings it tells the listener to try.

found = recompute("~/data")
for row in found.rows: print(row.what, row.lesson, row.ours, row.command)
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from vectable.errors import UnknownNameError, did_you_mean, is_whole, quote_some, require
from vectable.lesson.rows import Row as Row
from vectable.lesson.rows import Trial as Trial
from vectable.lesson.rows import spread

if TYPE_CHECKING:
    import polars as pl

TOPICS = ("ratings", "workbooks", "digits", "decay", "paper", "experiments")


@dataclass
class Recomputed:
    """What came out.

    Attributes:
        rows: the lesson's numbers beside ours.
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


def recompute(
    data_dir: str | os.PathLike[str] | None = None,
    only: Sequence[str] = TOPICS,
    seeds: int = 5,
    tell: Callable[[str], None] = lambda _: None,
) -> Recomputed:
    """Compute the lesson's numbers again.

    Args:
        data_dir: folder that holds ml-100k/, mnist/ and lesson_xl/; by default what VECTABLE_DATA names. What is not
            there is left out and told in `missing`; ratings come from the shipped books instead.
        only: of `TOPICS`.
        seeds: how many random splits (or starts) each measured number is of.
        tell: called with a line before each part.

    Raises:
        UnknownNameError: a topic that does not exist.
        VectableError: seeds out of range.
    """
    for topic in only:
        if topic not in TOPICS:
            raise UnknownNameError(
                f"There is no topic {topic!r}.{did_you_mean(topic, TOPICS)} There are {quote_some(TOPICS)}."
            )
    require(is_whole(seeds, 1), f"seeds is {seeds!r}; it is a whole number, 1 or more.")
    from vectable.lesson import decay, digits, ratings, sheets, stored

    found = Recomputed()
    folder = Path(data_dir if data_dir is not None else os.environ.get("VECTABLE_DATA", "")).expanduser()
    if "ratings" in only or "experiments" in only:
        runs = ratings.Runs("ml-100k" if ratings.has_ml_100k(data_dir) else "goodbooks", range(seeds), data_dir)
        found.data = runs.name
        if runs.name != "ml-100k":
            found.missing.append(
                "ml-100k is not at hand: ratings and experiments are of the shipped goodbooks instead."
            )
        if "ratings" in only:
            tell(f"ratings: {seeds} runs on {runs.name}")
            found.rows += ratings.rows(runs)
        if "experiments" in only:
            tell(
                f"experiments: {sum(map(len, ratings.TRIALS.values())) - 3} settings, {seeds} runs each, on {runs.name}"
            )
            found.trials = ratings.trials(runs)
    if "workbooks" in only:
        tell("workbooks")
        if (folder / "lesson_xl").is_dir():
            found.rows += sheets.factor_rows(folder / "lesson_xl")
        else:
            found.missing.append(
                "lesson_xl/ is not at hand: its workbook's ratings, which may not be shipped, are left out."
            )
        found.rows += sheets.descent_rows() + sheets.entropy_rows()
    if "digits" in only:
        if (folder / "mnist").is_dir():
            tell(f"digits: {seeds} seeds on MNIST")
            found.rows += digits.rows(folder / "mnist", range(seeds))
        else:
            found.missing.append(
                "mnist/ is not at hand: the digits are left out. Small ones: vectable lab descend --digits."
            )
    if "decay" in only:
        found.rows += decay.rows()
    if "paper" in only:
        found.rows += stored.rows()
    return found
