"""Exercises as notebooks, through nbformat: the same gap in a cell of its own, and the check as a command below it."""

from pathlib import Path
from typing import Any

from vectable.errors import DataError, VectableError
from vectable.lab.exercises.exercise import Exercise

SUFFIX = ".ipynb"


def write_notebook(exercise: Exercise, path: Path) -> None:
    """Write the notebook to begin with.

    Raises:
        FileExistsError: there is a file already.
        VectableError: nbformat is not installed.
    """
    nbformat = _nbformat()
    new = nbformat.v4
    cells = [
        new.new_markdown_cell(f"# {exercise.title}\n\n{exercise.task} The book explains it in `{exercise.page}.md`."),
        new.new_code_cell(exercise.start_code),
        new.new_markdown_cell("Save the notebook, and run the check:"),
        new.new_code_cell(f"!vectable lab check {path.name} --exercise {exercise.name}"),
    ]
    book = new.new_notebook(cells=cells)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with path.open("x", encoding="utf-8") as file:
        nbformat.write(book, file)


def code_in(path: Path) -> str:
    """The Python of a file, or of all code cells of a notebook; commands of the shell and of the notebook left out.

    Raises:
        DataError: it is not a notebook.
        VectableError: nbformat is not installed.
    """
    if path.suffix != SUFFIX:
        return path.read_text(encoding="utf-8", errors="replace")
    nbformat = _nbformat()
    try:
        book = nbformat.read(str(path), as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as problem:
        raise DataError(f"{str(path)!r} is not a notebook: {problem!s:.120}") from problem
    cells = [cell.source for cell in book.cells if cell.cell_type == "code"]
    lines = [line for cell in cells for line in cell.splitlines() if not line.startswith(("!", "%"))]
    return "\n".join([*lines, ""])


def _nbformat() -> Any:
    try:
        import nbformat
    except ImportError as problem:
        raise VectableError("Notebooks need the package nbformat: pip install 'vectable[lab]'.") from problem
    return nbformat
