"""`vectable lab`: the lesson by hand: exercises, workbooks with live formulas, descent to play with, every number."""

import typer

from vectable.cli.lab_descend import descend
from vectable.cli.lab_exercise import check, exercise
from vectable.cli.lab_lesson import lesson
from vectable.cli.lab_workbook import workbook
from vectable.cli.renamed import Command

app = typer.Typer(no_args_is_help=True)


@app.callback()
def lab() -> None:
    """The lesson by hand: exercises with a judge, workbooks with live formulas, descent to play with, every number."""


app.command("workbook", cls=Command)(workbook)
app.command("descend", cls=Command)(descend)
app.command("lesson", cls=Command)(lesson)
app.command("exercise", cls=Command)(exercise)
app.command("check", cls=Command)(check)
