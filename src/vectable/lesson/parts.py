"""The parts of the lesson that are recomputed, a method a topic."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from vectable.lesson import decay, digits, ratings, sheets, stored
from vectable.lesson.recomputed import Recomputed


class Parts:
    """Computes one topic after the other into `found`; topics that need the same runs share them.

    Args:
        found: what the topics add their rows to, and the reason where data is missing.
        data_dir, seeds, report: as in `recompute`.
    """

    def __init__(
        self,
        found: Recomputed,
        data_dir: str | os.PathLike[str] | None,
        seeds: int,
        report: Callable[[str], None],
    ):
        self.found, self.seeds, self.report = found, seeds, report
        self._data_dir = data_dir
        self._folder = Path(data_dir if data_dir is not None else os.environ.get("VECTABLE_DATA", "")).expanduser()

    def compute(self, topic: str) -> None:
        """Add the rows of a topic of `vectable.lesson.TOPICS`."""
        compute: Callable[[], None] = getattr(self, f"add_{topic}")
        compute()

    @cached_property
    def runs(self) -> ratings.Runs:
        """The runs behind ratings and experiments, on MovieLens 100k or, where that is missing, the shipped books."""
        name = "ml-100k" if ratings.has_ml_100k(self._data_dir) else "goodbooks"
        if name != "ml-100k":
            self.found.missing.append(
                "ml-100k is not at hand: ratings and experiments are of the shipped goodbooks instead."
            )
        self.found.data = name
        return ratings.Runs(name, range(self.seeds), self._data_dir)

    def add_ratings(self) -> None:
        """Errors, biases and factors of the collaborative filter."""
        self.report(f"ratings: {self.seeds} runs on {self.runs.name}")
        self.found.rows += ratings.rows(self.runs)

    def add_experiments(self) -> None:
        """The settings that the lesson asks the listener to try."""
        n_settings = sum(map(len, ratings.TRIALS.values())) - 3
        self.report(f"experiments: {n_settings} settings, {self.seeds} runs each, on {self.runs.name}")
        self.found.trials = ratings.trials(self.runs)

    def add_workbooks(self) -> None:
        """The three spreadsheets: factors, descent, entropy."""
        self.report("workbooks")
        if (self._folder / "lesson_xl").is_dir():
            self.found.rows += sheets.factor_rows(self._folder / "lesson_xl")
        else:
            self.found.missing.append(
                "lesson_xl/ is not at hand: its workbook's ratings, which may not be shipped, are left out."
            )
        self.found.rows += sheets.descent_rows() + sheets.entropy_rows()

    def add_digits(self) -> None:
        """The two nets for MNIST."""
        if not (self._folder / "mnist").is_dir():
            self.found.missing.append(
                "mnist/ is not at hand: the digits are left out. Small ones: vectable lab descend --digits."
            )
            return
        self.report(f"digits: {self.seeds} seeds on MNIST")
        self.found.rows += digits.rows(self._folder / "mnist", range(self.seeds))

    def add_decay(self) -> None:
        """Weight decay, both forms."""
        self.found.rows += decay.rows()

    def add_paper(self) -> None:
        """The table of the paper on entity embeddings, computed before and stored."""
        self.found.rows += stored.rows()
