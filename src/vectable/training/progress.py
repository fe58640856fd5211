"""How training is shown: a live bar in a terminal or notebook, a line per epoch everywhere, nothing when asked."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

if TYPE_CHECKING:
    from types import TracebackType

WIDTH = 12


class Progress:
    """The display of one fit, used as a context.

    Args:
        show: True, False, or the console to print to.
        n_steps: of the whole fit.
        columns: of the row per epoch.
    """

    def __init__(self, show: bool | Console, n_steps: int, columns: Sequence[str]) -> None:
        self.console = show if isinstance(show, Console) else Console(quiet=not show)
        self.columns = columns
        live = (self.console.is_terminal or self.console.is_jupyter) and not self.console.quiet
        look = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps"),
            TimeRemainingColumn(),
        )
        self.bar = RichProgress(*look, console=self.console, transient=True, disable=not live)
        self.task = self.bar.add_task("training", total=n_steps)

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.bar.stop()

    def header(self) -> None:
        """The names of the columns."""
        self.say("".join(f"{name:>{WIDTH}}" for name in self.columns))

    def advance(self, n_steps: int, description: str) -> None:
        """Count further steps as done."""
        self.bar.update(self.task, advance=n_steps, description=description)

    def row(self, row: dict[str, float]) -> None:
        """The figures of an epoch."""
        self.say("".join(_cell(name, row[name]) for name in self.columns))

    def say(self, message: str) -> None:
        """A line of text."""
        self.console.print(message, highlight=False, markup=False, soft_wrap=True)


def _cell(name: str, value: float) -> str:
    if name in ("epoch", "model"):
        return f"{value:>{WIDTH}}"
    if math.isnan(value):
        return f"{'-':>{WIDTH}}"
    return f"{value:>{WIDTH}.2f}" if name == "seconds" else f"{value:>{WIDTH}.4f}"
