"""`vectable lab lesson`: every number of the lesson next to ours, and the experiments it asks for."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from vectable.cli.output import print_json, report

if TYPE_CHECKING:
    from vectable.lesson import Recomputed
    from vectable.lesson.rows import Row


def lesson(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that holds ml-100k/, mnist/, lesson_xl/; by default what VECTABLE_DATA names."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Topics, separated by commas: ratings, workbooks, digits, decay, paper, experiments."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Random splits or starts of each measured number.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Recompute the lesson: each number it prints next to ours, and the settings it tells the listener to try.

    [bold]Example:[/bold] vectable lab lesson --data ~/data
    """
    from vectable.errors import DataError
    from vectable.lesson import TOPICS, recompute

    if data is not None and not data.is_dir():
        raise DataError(f"There is no folder {str(data)!r}.")
    topics = TOPICS if only is None else tuple(part.strip() for part in only.split(","))
    found = recompute(data, topics, seeds, lambda line: report(f"  {line} ..."))
    if as_json:
        trials = [{**asdict(trial), "difference": trial.difference} for trial in found.trials]
        print_json(
            {
                "date": date.today().isoformat(),
                "data": found.data,
                "rows": [asdict(row) for row in found.rows],
                "experiments": trials,
                "missing": found.missing,
            }
        )
        return
    _show(found)


def _show(found: "Recomputed") -> None:
    console = Console(markup=False, emoji=False, highlight=False)
    for topic in dict.fromkeys(row.topic for row in found.rows):
        _show_topic(console, topic, [row for row in found.rows if row.topic == topic])
    if found.trials:
        _show_trials(console, found)
    for sentence in found.missing:
        console.print(f"note: {sentence}")


def _show_topic(console: Console, topic: str, rows: "list[Row]") -> None:
    """The lesson's numbers of one topic next to ours, with notes and the commands that compute them."""
    console.print(topic.capitalize(), style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("what", "the lesson", "here", ""):
        table.add_column(name, overflow="fold")
    notes = [note for note in dict.fromkeys(row.note for row in rows) if note]
    for row in rows:
        table.add_row(row.what, row.lesson, row.ours, f"[{notes.index(row.note) + 1}]" if row.note else "")
    console.print(table)
    for number, note in enumerate(notes, 1):
        console.print(f"  [{number}] {note}", style="dim")
    for command in dict.fromkeys(row.command for row in rows if row.command):
        console.print(f"  again: {command}", style="dim")
    console.print()


def _show_trials(console: Console, found: "Recomputed") -> None:
    """The experiments that the lesson asks for, each setting compared with the lesson's."""
    from vectable.lesson.rows import spread

    title = f"Experiments: validation MSE on {found.data}, mean ± sd over {len(found.trials[0].errors)} splits"
    console.print(title, style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "setting", "MSE", "higher than the lesson's setting by"):
        table.add_column(name)
    before = ""
    for trial in found.trials:
        lessons = trial.errors is trial.against
        name = trial.experiment if trial.experiment != before else ""
        table.add_row(name, trial.setting, spread(trial.errors), "" if lessons else trial.difference)
        before = trial.experiment
    console.print(table)
    console.print("  again: vectable lab lesson --only experiments\n", style="dim")
