"""The workbook of gradient descent: y = 2x + 30 found from 29 points, an optimizer a sheet, several epochs unrolled.

The lesson's workbook runs a macro for every epoch; here each epoch stands below the one before, so nothing runs that
the reader cannot see, and changing a blue cell recalculates the whole descent.
"""

from collections.abc import Sequence
from pathlib import Path

from vectable.errors import is_finite, is_whole, require
from vectable.lab.line import INTERCEPT, SLOPE, lesson_points
from vectable.lab.trace import Pair
from vectable.lab.workbooks.descent_sheet import DATA_TOP, POINTS, DescentSheet, Summary
from vectable.lab.workbooks.descents import Descent, adam, annealed_adam, basic, momentum, rmsprop
from vectable.lab.workbooks.writing import Book, cell, series


def write_graddesc(path: str | Path, epochs: int = 10, start: Pair = (1.0, 1.0)) -> Path:
    """Write the workbook.

    Args:
        path: the file, .xlsx.
        epochs: times through the points on each sheet; three times as many where the rate is annealed.
        start: intercept and slope to begin with.

    Raises:
        VectableError: an argument out of range, the package XlsxWriter missing, or settings that diverge.
        DataError: the file cannot be written.
    """
    require(is_whole(epochs, 1), f"epochs must be a positive integer; got {epochs!r}.")
    require(all(map(is_finite, start)), f"start is {start!r}; give two finite numbers, intercept and slope.")
    with Book(path) as book:
        x, y = lesson_points()
        descents = [
            basic(x, y, epochs, start), momentum(x, y, epochs, start), rmsprop(x, y, epochs, start),
            adam(x, y, epochs, start), annealed_adam(x, y, 3 * epochs, start),
        ]  # fmt: skip
        _introduce(book, descents)
        _data_sheet(book)
        summaries = [DescentSheet(book, one, start).write() for one in descents]
        _compare(book, descents, summaries, epochs)
    return Path(path)


def _introduce(book: Book, descents: Sequence[Descent]) -> None:
    notes = [
        "How optimizers find the line y = 2x + 30 from 29 points, one point at a time.",
        "Every black number is a formula. Change a blue cell (a start, a rate, a point) and the descent follows.",
        "Each sheet runs through the points several times, the epochs one below the other: no macro is needed.",
        "Made after the workbook graddesc.xlsm of fast.ai's lesson 5 (Apache-2.0), with the same points and formulas.",
        "b is the intercept, a the slope, 'avg' an exponentially weighted average.",
    ]
    sheet = book.sheet("start here", "Gradient descent, cell by cell", notes)
    sheet.heads(sheet.top, 0, ["sheet", "what it does to b (and likewise to a)"])
    said = {
        "basic": "b - rate * gradient; the gradient by calculus, and by trying a slightly larger b",
        "momentum": "b - rate * avg, avg = beta * avg + (1 - beta) * gradient",
        "rmsprop": "b - rate * gradient / sqrt(avg of the squared gradients, as it was a row before)",
        "adam": "b - rate * avg / sqrt(avg of the squared gradients)",
        "adam annealed": "the same, the rate quartered whenever gradients have grown to twice their smallest size",
    }
    for at, one in enumerate(descents, sheet.top + 1):
        sheet.text(at, 0, one.name)
        sheet.text(at, 1, said[one.name])
    sheet.text(sheet.top + 1 + len(descents), 0, "compare")
    sheet.text(sheet.top + 1 + len(descents), 1, "the errors of all, epoch by epoch")
    sheet.widths(0, 0, 16)
    sheet.widths(1, 1, 90)


def _data_sheet(book: Book) -> None:
    sheet = book.sheet("data", "The points", ["y is computed from x: the line is there to be found again."])
    sheet.text(3, 0, "intercept")
    intercept = sheet.number(3, 1, INTERCEPT)
    sheet.text(4, 0, "slope")
    slope = sheet.number(4, 1, SLOPE)
    sheet.heads(DATA_TOP - 1, 0, ["x", "y"])
    for at, (x, y) in enumerate(zip(*lesson_points(), strict=True), DATA_TOP):
        sheet.number(at, 0, x)
        sheet.formula(at, 1, f"{intercept}+{cell(at, 0)}*{slope}", y, "whole")
    last = DATA_TOP + POINTS - 1
    chart = sheet.chart("scatter", DATA_TOP - 1, 3, "29 points on a line", "x", "y")
    series(
        chart,
        "data",
        "y",
        (DATA_TOP, 0, last, 0),
        (DATA_TOP, 1, last, 1),
        line={"none": True},
        marker={"type": "circle"},
    )
    chart.set_legend({"none": True})


def _compare(book: Book, descents: Sequence[Descent], summaries: Sequence[Summary], epochs: int) -> None:
    notes = ["Root mean squared error of every epoch, each row's error taken before its step, as the sheets have it."]
    sheet = book.sheet("compare", "All of them, epoch by epoch", notes)
    sheet.heads(sheet.top, 0, ["epoch", *(one.name for one in descents)])
    top = sheet.top + 1
    for epoch in range(epochs):
        sheet.number(top + epoch, 0, epoch + 1, "whole")
        for column, (one, summary) in enumerate(zip(descents, summaries, strict=True), 1):
            row, at = summary.errors[0] + epoch, summary.errors[1]
            sheet.formula(top + epoch, column, f"'{one.name}'!{cell(row, at)}", summary.values[epoch])
    chart = sheet.chart(
        "line", top, len(descents) + 2, "Error by epoch", "epoch", "root mean squared error", (720, 420)
    )
    for column, one in enumerate(descents, 1):
        series(chart, "compare", one.name, (top, 0, top + epochs - 1, 0), (top, column, top + epochs - 1, column))
    sheet.widths(0, len(descents), 14)
