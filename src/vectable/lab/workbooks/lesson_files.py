"""The lesson's own workbooks, where they are at hand: they are not shipped (the ratings in one are MovieLens')."""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from vectable.errors import DataError, VectableError
from vectable.lab.arrays import Array

COLLAB = "collab_filter.xlsx"
DESCENT = "graddesc.xlsm"
ENTROPY = "entropy_example.xlsx"


def read_block(file: str | Path, sheet: str, cells: str) -> list[list[Any]]:
    """The values that a workbook's program last computed for a block of cells, as "B2:D9"; None where a cell is empty.

    Raises:
        DataError: no such file or sheet, or it is not a workbook.
        VectableError: the package openpyxl is missing.
    """
    try:
        import openpyxl
    except ImportError as problem:
        raise VectableError("Reading workbooks needs the package openpyxl: pip install 'vectable[lab]'.") from problem
    if not Path(file).is_file():
        raise DataError(f"There is no file {str(file)!r}.")
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        if sheet not in book.sheetnames:
            raise DataError(f"{str(file)!r} has no sheet {sheet!r}; it has {', '.join(book.sheetnames)}.")
        return [[cell.value for cell in row] for row in book[sheet][cells]]
    except (KeyError, OSError, BadZipFile, openpyxl.utils.exceptions.InvalidFileException) as problem:
        raise DataError(f"{str(file)!r} cannot be read as a workbook: {problem}.") from problem


def lesson_ratings(folder: str | Path) -> tuple[Array, list[int], list[int]]:
    """The lesson's 15 x 15 ratings, 206 of them: (users, items) with NaN for none, user ids, film ids."""
    rows = read_block(Path(folder) / COLLAB, "dotprod", "G1:V16")
    ratings = np.array([[np.nan if value is None else float(value) for value in row[1:]] for row in rows[1:]])
    return ratings, [int(row[0]) for row in rows[1:]], [int(value) for value in rows[0][1:]]
