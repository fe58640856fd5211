"""The workbook of cross-entropy: softmax, and the losses as sums and as lookups, in both kinds of logarithm.

The lesson's sheet takes LOG, which in a spreadsheet is base 10; losses are defined, and computed by torch, with natural
logarithms. The two stand side by side here: they differ by the factor ln(10) = 2.302585...
"""

from pathlib import Path

import numpy as np

from vectable.lab.activations import log_softmax, sigmoid, softmax
from vectable.lab.losses import (
    binary_cross_entropy,
    binary_cross_entropy_as_lookup,
    cross_entropy,
    cross_entropy_as_sum,
)
from vectable.lab.workbooks.writing import Book, Sheet, block, cell, series

CLASSES = ["cat", "dog", "plane", "fish", "building"]
ACTIVATIONS = np.array([0.02, -2.49, -1.75, 2.07, 1.25])
SHIFT = -1.44  # between the activations of the two pictures: the softmax does not see it
IS_CAT = np.array([1, 1, 0, 0, 1])
PREDICTED = np.array([0.5, 0.98, 0.9, 0.5, 0.9])
PICTURES = np.array(
    [
        [0.02, -2.49, -1.75, 2.07, 1.25],
        [3.1, 0.4, -1.2, 0.3, -0.8],
        [0.2, 0.1, 0.0, -0.1, -0.2],
        [-2.0, 4.0, -3.0, 0.5, 1.0],
    ]
)
TRUE = np.array([3, 0, 4, 2])


def write_entropy(path: str | Path) -> Path:
    """Write the workbook.

    Raises:
        VectableError: the package XlsxWriter is missing.
        DataError: the file cannot be written.
    """
    with Book(path) as book:
        notes = [
            "How a net says which class it sees, and what it costs to be wrong.",
            "softmax: activations become probabilities; binary: the loss for yes or no; classes: for one of many.",
            "Blue cells are inputs, every black number is a formula.",
            "Made after the workbook entropy_example.xlsx of fast.ai's lesson 5 (Apache-2.0).",
        ]
        book.sheet("start here", "Softmax and cross-entropy, cell by cell", notes).widths(0, 0, 100)
        _softmax_sheet(book)
        _binary_sheet(book)
        _classes_sheet(book)
    return Path(path)


def _softmax_sheet(book: Book) -> None:
    notes = [
        "exp makes everything positive; dividing by the sum makes it add up to 1.",
        "The second picture's activations are the first's plus one number: all lower, yet the softmax is the same.",
        "It says which class is likeliest, not whether any is there. The sigmoid of each class (right) does say that.",
    ]
    sheet = book.sheet("softmax", "Softmax", notes)
    top = sheet.top + 2
    sheet.text(top - 2, 0, "second picture: plus")
    shift = sheet.number(top - 2, 2, SHIFT)
    last = top + len(CLASSES) - 1
    for which, (left, activations) in enumerate(((1, ACTIVATIONS), (5, ACTIVATIONS + SHIFT))):
        sheet.heads(top - 1, left, ["activation", "exp", "softmax", "sigmoid"])
        sheet.text(top - 1, 0, "class", "head")
        powers, shares, alone = np.exp(activations), softmax(activations), sigmoid(activations)
        for at, name in enumerate(CLASSES):
            row = top + at
            sheet.text(row, 0, name)
            if which == 0:
                activation = cell(row, left)
                sheet.number(row, left, activations[at])
            else:
                activation = sheet.formula(row, left, f"{cell(row, 1)}+{shift}", activations[at])
            power = sheet.formula(row, left + 1, f"EXP({activation})", powers[at])
            total = cell(last + 1, left + 1, fixed=True)
            sheet.formula(row, left + 2, f"{power}/{total}", shares[at])
            sheet.formula(row, left + 3, f"{power}/(1+{power})", alone[at])
        sheet.text(last + 1, 0, "sum")
        for column, values in ((left + 1, powers), (left + 2, shares)):
            span = f"{cell(top, column)}:{cell(last, column)}"
            sheet.formula(last + 1, column, f"SUM({span})", values.sum(), "result")
    chart = sheet.chart("column", last + 4, 0, "Softmax and sigmoid of the first picture", "", "")
    for column, name in ((3, "softmax"), (4, "sigmoid")):
        series(chart, "softmax", name, (top, 0, last, 0), (top, column, last, column))
    sheet.widths(0, 0, 18)
    sheet.widths(1, 8, 11)


def _binary_sheet(book: Book) -> None:
    notes = [
        "Is it a cat? The loss is -log of the probability that was given to what is true.",
        "As a sum: -t log p - (1 - t) log(1 - p), one term always being 0. As a lookup: IF picks the other.",
        "Natural logarithms are the definition; base 10, as in the lesson's sheet, is the same divided by ln(10).",
    ]
    sheet = book.sheet("binary", "Binary cross-entropy", notes)
    top = sheet.top + 1
    heads = ["is cat", "predicted", "sum, ln", "lookup, ln", "sum, log10", "lookup, log10", "ln / log10"]
    sheet.heads(top - 1, 0, heads)
    for at, (true, p) in enumerate(zip(IS_CAT, PREDICTED, strict=True)):
        row = top + at
        sheet.number(row, 0, true)
        sheet.number(row, 1, p)
        t, q = cell(row, 0), cell(row, 1)
        one = slice(at, at + 1)
        as_sum = binary_cross_entropy(PREDICTED[one], IS_CAT[one])
        as_lookup = binary_cross_entropy_as_lookup(PREDICTED[one], IS_CAT[one])
        for column, log, by in ((2, "LN", 1.0), (4, "LOG10", np.log(10))):
            sheet.formula(row, column, f"-{t}*{log}({q})-(1-{t})*{log}(1-{q})", as_sum / by)
            sheet.formula(row, column + 1, f"-IF({t}=1,{log}({q}),{log}(1-{q}))", as_lookup / by)
        sheet.formula(row, 6, f"{cell(row, 2)}/{cell(row, 4)}", np.log(10))
    last = top + len(IS_CAT) - 1
    means = binary_cross_entropy(PREDICTED, IS_CAT), binary_cross_entropy_as_lookup(PREDICTED, IS_CAT)
    sheet.text(last + 1, 0, "mean")
    for column, value in zip(range(2, 6), (*means, *(mean / np.log(10) for mean in means)), strict=True):
        span = f"{cell(top, column)}:{cell(last, column)}"
        sheet.formula(last + 1, column, f"AVERAGE({span})", value, "result")
    _loss_curve(sheet, last + 4)
    sheet.widths(0, 6, 13)


def _loss_curve(sheet: Sheet, top: int) -> None:
    """The loss of a yes against the probability given to it: sure and wrong costs most."""
    sheet.heads(top, 0, ["p of what is true", "-ln p", "-log10 p"])
    probabilities = [0.01, 0.02, 0.05, *np.round(np.arange(0.1, 1.0, 0.1), 1).tolist(), 0.95, 0.99]
    for row, p in enumerate(probabilities, top + 1):
        at = sheet.number(row, 0, p)
        loss = binary_cross_entropy(np.array([p]), np.array([1.0]))
        sheet.formula(row, 1, f"-LN({at})", loss)
        sheet.formula(row, 2, f"-LOG10({at})", loss / np.log(10))
    last = top + len(probabilities)
    chart = sheet.chart("scatter", top, 4, "What being wrong costs", "probability given to what is true", "loss")
    chart.set_x_axis({"name": "probability given to what is true", "min": 0, "max": 1})
    for column, name in ((1, "-ln p"), (2, "-log10 p")):
        series(chart, sheet.name, name, (top + 1, 0, last, 0), (top + 1, column, last, column))


def _classes_sheet(book: Book) -> None:
    notes = [
        "One image per row. Softmax makes probabilities; the loss is -log of the one at the true class.",
        "As a sum: one-hot targets times logarithms, all but one of the products 0. As a lookup: INDEX takes that one.",
        "The lookup is the negative log likelihood; softmax, logarithm and lookup together are the cross-entropy.",
    ]
    sheet = book.sheet("classes", "Cross-entropy over classes", notes)
    n, top = len(CLASSES), sheet.top + 2
    blocks = ["activations", "exp", "softmax", "ln softmax", "one-hot target"]
    starts = {name: 2 + at * (n + 1) for at, name in enumerate(blocks)}
    results = 2 + len(blocks) * (n + 1)
    sheet.heads(top - 1, 0, ["true class", "its number"])
    for name, start in starts.items():
        sheet.text(top - 2, start, name, "note")
        sheet.heads(top - 1, start, CLASSES)
    sheet.text(top - 2, results, "cross-entropy", "note")
    sheet.heads(top - 1, results, ["sum, ln", "lookup, ln", "sum, log10", "lookup, log10"])
    for at, (activations, true) in enumerate(zip(PICTURES, TRUE, strict=True)):
        row = top + at
        sheet.text(row, 0, CLASSES[true], "input")
        first = {name: cell(row, start, fix_column=True) for name, start in starts.items()}
        last = {name: cell(row, start + n - 1, fix_column=True) for name, start in starts.items()}
        span = {name: f"{first[name]}:{last[name]}" for name in starts}
        names = block((top - 1, starts["activations"]), (top - 1, starts["activations"] + n - 1))
        number = sheet.formula(row, 1, f"MATCH({cell(row, 0)},{names},0)", true + 1, "whole")
        for j in range(n):
            here = {name: cell(row, start + j) for name, start in starts.items()}
            sheet.number(row, starts["activations"] + j, activations[j])
            sheet.formula(row, starts["exp"] + j, f"EXP({here['activations']})", np.exp(activations[j]))
            sheet.formula(row, starts["softmax"] + j, f"{here['exp']}/SUM({span['exp']})", softmax(activations)[j])
            sheet.formula(row, starts["ln softmax"] + j, f"LN({here['softmax']})", log_softmax(activations)[j])
            sheet.formula(row, starts["one-hot target"] + j, f"IF({number}={j + 1},1,0)", float(j == true), "whole")
        as_sum = cross_entropy_as_sum(activations[None], TRUE[at : at + 1])
        as_lookup = cross_entropy(activations[None], TRUE[at : at + 1])
        sums = sheet.formula(row, results, f"-SUMPRODUCT({span['ln softmax']},{span['one-hot target']})", as_sum)
        looked = sheet.formula(row, results + 1, f"-INDEX({span['ln softmax']},{number})", as_lookup)
        sheet.formula(row, results + 2, f"{sums}/LN(10)", as_sum / np.log(10))
        sheet.formula(row, results + 3, f"{looked}/LN(10)", as_lookup / np.log(10))
    end = top + len(TRUE) - 1
    means = cross_entropy_as_sum(PICTURES, TRUE), cross_entropy(PICTURES, TRUE)
    sheet.text(end + 1, results - 1, "mean")
    for column, value in zip(range(results, results + 4), (*means, *(m / np.log(10) for m in means)), strict=True):
        sheet.formula(end + 1, column, f"AVERAGE({cell(top, column)}:{cell(end, column)})", value, "result")
    chart = sheet.chart("column", end + 4, 0, "Loss of each picture, natural logarithm", "true class", "cross-entropy")
    series(chart, "classes", "loss", (top, 0, end, 0), (top, results, end, results))
    chart.set_legend({"none": True})
    sheet.widths(0, 1, 11)
    sheet.widths(2, results - 1, 8)
    sheet.widths(results, results + 3, 13)
    sheet.freeze(top, 2)
