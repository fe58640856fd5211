"""`vectable lab exercise` and `vectable lab check`: small files with a gap to fill, and what is wrong in them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vectable.cli.completing import complete_path
from vectable.cli.options import AsJson
from vectable.cli.output import print_json, print_lines, print_text, report
from vectable.errors import DataError, require

if TYPE_CHECKING:
    from vectable.lab.exercises.exercise import Exercise
    from vectable.lab.exercises.judge import Verdict


def _complete_exercise(incomplete: str) -> list[str]:
    from vectable.lab.exercises.catalogue import EXERCISES

    return [name for name in EXERCISES if name.startswith(incomplete)]


def exercise(
    name: Annotated[
        str | None, typer.Argument(help="Which; all are listed without one.", autocompletion=_complete_exercise)
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="Write the file with the gap to fill.")] = False,
    notebook: Annotated[bool, typer.Option("--notebook", help="Write it as a notebook, NAME.ipynb.")] = False,
    solution: Annotated[bool, typer.Option("--solution", help="Show the solution.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write.", show_default="NAME.py or NAME.ipynb")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the exercises, show one, or begin with it.

    [bold]Example:[/bold] vectable lab exercise        vectable lab exercise momentum --start
    """
    from vectable.lab.exercises.catalogue import exercise_named

    if name is None:
        require(not (start or notebook or solution), "Name the exercise; vectable lab exercise lists all.")
        _list(as_json)
        return
    require(start + notebook + solution <= 1, "Give one of --start, --notebook and --solution.")
    chosen = exercise_named(name)
    if start or notebook:
        _write(chosen, out or Path(f"{chosen.name}{'.ipynb' if notebook else '.py'}"), notebook)
    elif as_json:
        about = {"name": chosen.name, "title": chosen.title, "task": chosen.task, "page": chosen.page}
        print_json({**about, "solution": chosen.solution} if solution else about)
    elif solution:
        print(chosen.solution, end="")
    else:
        print_text(f"{chosen.title}. {chosen.task}\nThe book explains it in {chosen.page}.md.")
        print(f"Begin: vectable lab exercise {chosen.name} --start")


def check(
    file: Annotated[Path, typer.Argument(help="Your file.", autocompletion=complete_path)],
    name: Annotated[
        str | None,
        typer.Option("--exercise", help="Which exercise it is.", show_default="as the file is called"),
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="How long it may take.", show_default="20 to 120")] = None,
    as_json: AsJson = False,
) -> None:
    """Check an exercise: what is right, what differs where, and a hint.

    It runs in a process of its own. The exit code is 0 where all is right, else 1.

    [bold]Example:[/bold] vectable lab check momentum.py
    """
    from vectable.lab.exercises.catalogue import exercise_named
    from vectable.lab.exercises.judge import judge_file

    require(seconds is None or seconds > 0, f"--seconds must be a positive number; got {seconds}.")
    chosen = exercise_named(name or file.stem)
    verdict = judge_file(file, chosen, seconds)
    _keep(chosen.name, verdict.is_right)
    if as_json:
        print_json({**asdict(verdict), "is_right": verdict.is_right})
    else:
        _show(verdict, chosen)
    if not verdict.is_right:
        raise typer.Exit(1)


def _list(as_json: bool) -> None:
    """Every exercise, and whether it is solved."""
    import polars as pl

    from vectable.lab.exercises.catalogue import EXERCISES
    from vectable.lab.exercises.progress import read_progress

    states = read_progress()
    table = [{"name": one.name, "state": states.get(one.name, ""), "title": one.title} for one in EXERCISES.values()]
    if as_json:
        print_json(table)
        return
    print_lines(pl.DataFrame(table))
    solved = sum(row["state"] == "solved" for row in table)
    print(f"\n{solved} of {len(table)} solved. vectable lab exercise NAME --start writes the file to fill in.")


def _write(chosen: "Exercise", path: Path, as_notebook: bool) -> None:
    """The file to begin with, unless there is one."""
    from vectable.lab.exercises.notebook import write_notebook

    try:
        if as_notebook:
            write_notebook(chosen, path)
        else:
            with path.open("x", encoding="utf-8") as file:
                file.write(chosen.start)
    except FileExistsError:
        raise DataError(f"{str(path)!r} is there already; name another file with --out.") from None
    report(f"Written: {path}. Fill in the gap, and then: vectable lab check {path}")


def _keep(name: str, solved: bool) -> None:
    """Keep the progress, or say that it cannot be kept."""
    from vectable.lab.exercises.progress import note_progress, progress_file

    try:
        note_progress(name, solved)
    except OSError as problem:
        report(f"note: the progress cannot be kept in {progress_file()}: {problem.strerror or problem}.")


def _show(verdict: "Verdict", chosen: "Exercise") -> None:
    """One line per check; a hint for the first that is wrong."""
    if verdict.printed:
        print(f"Your file printed:\n{verdict.printed.rstrip()}\n")
    if verdict.error is not None:
        print(verdict.error)
    wrong = [one for one in verdict.findings if one.difference is not None]
    for finding in verdict.findings:
        print(
            f"right: {finding.about}" if finding.difference is None else f"wrong: {finding.about}: {finding.difference}"
        )
    if wrong:
        print(f"\nHint: {wrong[0].hint}")
    if verdict.is_right:
        print(f"\n{chosen.title}: all right.")
    else:
        print(
            f"The book explains it in {chosen.page}.md; vectable lab exercise {chosen.name} --solution shows an answer."
        )
