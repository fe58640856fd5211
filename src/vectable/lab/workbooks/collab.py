"""The workbook of collaborative filtering: a small table of ratings, and five ways to write down one idea.

A dot product of factors; the same as one-hot vectors times matrices; the same as array lookups; with biases; and
through a scaled sigmoid, the lesson's exercise.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vectable.lab.workbooks.corner import Corner, check_corner
from vectable.lab.workbooks.list_sheets import write_embedding_sheet, write_one_hot_sheet
from vectable.lab.workbooks.matrix_sheet import write_matrix_sheet
from vectable.lab.workbooks.writing import Book, Result, Sheet, cell, series

DOT_NOTES = (
    "Top: the ratings. Left: a row of factors for each user. Middle: a column of factors for each item.",
    "A prediction is the dot product of a row and a column; 0, shown empty, where nobody rated.",
    "Change a blue cell and watch the error; a spreadsheet's solver can make it smallest by changing factors.",
)
BIAS_NOTES = (
    "To each dot product is added how generous the user is (first column) and how good the item is (first row).",
    "The same can be had from the dot product alone: give the users a factor that is always 1, and the items too.",
)
SIGMOID_NOTES = (
    "low + (high - low) * sigmoid(dot product + biases): no prediction can leave the limits.",
    "They lie a little outside the scale of the ratings, because a sigmoid never quite reaches its ends.",
)


def write_collab(path: str | Path, corner: Corner) -> Path:
    """Write the workbook.

    Raises:
        VectableError: no ratings, names that do not fit, the package XlsxWriter missing.
        DataError: the file cannot be written.
    """
    check_corner(corner)
    with Book(path) as book:
        front = book.sheet("start here", "Collaborative filtering, cell by cell", _front_notes(corner))
        dot = write_matrix_sheet(book, "dot product", "Factors, and their dot products", corner, corner.dot, DOT_NOTES)
        hot = write_one_hot_sheet(book, corner, dot)
        looked = write_embedding_sheet(book, corner, dot)
        biased = write_matrix_sheet(book, "bias", "Factors and biases", corner, corner.biased, BIAS_NOTES)
        limited = write_matrix_sheet(
            book, "sigmoid", "Factors and biases, through a scaled sigmoid", corner, corner.limited, SIGMOID_NOTES
        )
        _front(front, [dot.error, hot, looked, biased.error, limited.error])
    return Path(path)


def _front_notes(corner: Corner) -> list[str]:
    known = int(np.isfinite(corner.ratings).sum())
    users, items = corner.ratings.shape
    return [
        f"{known} ratings by {users} users of {items} items: one idea written down in five ways.",
        *corner.about,
        "Blue cells are inputs, every black number is a formula: change a factor or a rating and all sheets follow.",
        "Made after the workbook collab_filter.xlsx of fast.ai's lesson 5 (Apache-2.0).",
    ]


def _front(sheet: Sheet, results: Sequence[Result]) -> None:
    sheet.heads(sheet.top, 0, ["sheet", "root mean squared error", "less that of the dot product"])
    said = {
        "dot product": "user factors times item factors",
        "one-hot": "the same, the long way: a one-hot vector times the matrix of factors picks the row",
        "embedding": "the same, the short way: look the row up. That is all an embedding is",
        "bias": "with a number for each user and each item",
        "sigmoid": "the same, kept between two limits",
    }
    first = sheet.top + 1
    for at, one in enumerate(results, first):
        sheet.text(at, 0, one.sheet)
        link = sheet.formula(at, 1, f"'{one.sheet}'!{one.at}", one.value, "result")
        sheet.formula(at, 2, f"{link}-{cell(first, 1, fixed=True)}", one.value - results[0].value, "loss")
        sheet.text(at, 3, said[one.sheet])
    last = first + len(results) - 1
    chart = sheet.chart("column", last + 2, 0, "Root mean squared error", "", "")
    series(chart, sheet.name, "error", (first, 0, last, 0), (first, 1, last, 1))
    chart.set_legend({"none": True})
    sheet.widths(0, 0, 16)
    sheet.widths(1, 2, 14)
    sheet.widths(3, 3, 80)
