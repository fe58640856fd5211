"""A sheet of a descent: a row per step, the epochs one below the other, and a table and a chart of the epochs."""

from dataclasses import dataclass

import numpy as np

from vectable.lab.gradients import one_sided
from vectable.lab.line import LESSON_X, line_loss
from vectable.lab.trace import Pair, Row
from vectable.lab.workbooks.descents import Descent, gradient_size
from vectable.lab.workbooks.writing import Block, Book, block, cell, series

STEP = 0.01  # of the finite differences, as in the lesson's sheet
POINTS = len(LESSON_X)
DATA_TOP = 7  # row of the first point on the sheet `data`


@dataclass(frozen=True)
class Summary:
    """Where a sheet lists its epochs: the block of epoch numbers, that of errors, and the errors."""

    epochs: Block
    errors: Block
    values: list[float]


NOTES = {
    "basic": ["de/db = 2(ax + b - y), de/da = x times that. 'est' is (error at b + h, less error) / h."],
    "momentum": [
        "avg = beta * avg + (1 - beta) * gradient: an average, so the rate is ten times that of the usual form.",
        "The usual form, torch's SGD(momentum=.9), leaves (1 - beta) out.",
    ],
    "rmsprop": [
        "Divides by the root of the average in the row ABOVE, as the lesson's sheet does; usual is the new one.",
        "The first average is what two epochs from the start leave behind: the lesson's reset button.",
    ],
    "adam": [
        "No correction for the start at zero and no eps, and beta 0.9 for the squares where the usual one is 0.999.",
        "The first averages are what two epochs from the start leave behind: the lesson's reset button.",
    ],
    "adam annealed": [
        "Where an epoch ends with gradients over twice their smallest size so far, the next one's rate is a quarter.",
        "Their size is the root of both averages of squares, added.",
    ],
}


class DescentSheet:
    """Writes one descent; its parts know where the others stand."""

    def __init__(self, book: Book, descent: Descent, start: Pair) -> None:
        self.descent = descent
        self.annealed = descent.name == "adam annealed"
        self.sheet = book.sheet(descent.name, descent.title, NOTES[descent.name])
        self.settings = self._write_settings(start)
        columns = self._columns()
        self.place = {name: at for at, name in enumerate(columns)}
        self.first = self.sheet.top + 4
        self.table = len(columns) + 1
        self.sheet.heads(self.first - 1, 0, columns)
        self.sheet.widths(0, len(columns) - 1, 12)
        self.sheet.widths(self.table, self.table + 7, 13)
        self.sheet.freeze(self.first)

    def write(self) -> Summary:
        """All steps, and the epochs beside them."""
        for step, row in enumerate(self.descent.rows):
            self._write_step(row, step)
        return self._write_epochs()

    def _write_settings(self, start: Pair) -> dict[str, str]:
        """What may be changed, side by side under the notes: name -> cell."""
        one = self.descent
        given = {"start b": start[0], "start a": start[1], "rate": one.lr}
        if one.name == "basic":
            given["h"] = STEP
        for name, beta, first in (("avg", one.betas[0], one.average), ("squares", one.betas[1], one.squares)):
            if beta is not None:
                given |= {f"beta {name}": beta, f"start {name} b": first[0], f"start {name} a": first[1]}
        self.sheet.heads(self.sheet.top, 0, given)
        return {
            name: self.sheet.number(self.sheet.top + 1, at, value) for at, (name, value) in enumerate(given.items())
        }

    def _columns(self) -> list[str]:
        names = ["epoch", "x", "y", "b", "a", "prediction", "error²"]
        if self.descent.name == "basic":
            names += ["error² at b+h", "est de/db", "error² at a+h", "est de/da"]
        names += ["de/db", "de/da"]
        if self.descent.betas[0] is not None:
            names += ["avg b", "avg a"]
        if self.descent.betas[1] is not None:
            names += ["squares b", "squares a"]
        return [*names, "new b", "new a"]

    def _write_step(self, row: Row, step: int) -> None:
        at, point = self.first + step, step % POINTS
        here = {name: cell(at, column) for name, column in self.place.items()}
        above = {name: cell(at - 1, column) for name, column in self.place.items()}

        def put(name: str, formula: str, value: float, style: str = "number") -> None:
            self.sheet.formula(at, self.place[name], formula, value, style)

        if step == 0:
            self.sheet.number(at, self.place["epoch"], 1, "whole")
        else:
            put("epoch", above["epoch"] + ("+1" if point == 0 else ""), step // POINTS + 1, "whole")
        put("x", f"data!{cell(DATA_TOP + point, 0, fixed=True)}", row.x, "whole")
        put("y", f"data!{cell(DATA_TOP + point, 1, fixed=True)}", row.y, "whole")
        put("b", above["new b"] if step else self.settings["start b"], row.before[0])
        put("a", above["new a"] if step else self.settings["start a"], row.before[1])
        put("prediction", f"{here['a']}*{here['x']}+{here['b']}", row.predicted)
        put("error²", f"({here['y']}-{here['prediction']})^2", row.error, "large")
        if self.descent.name == "basic":
            for name, formula, value in self._finite_differences(row, here):
                put(name, formula, value)
        put("de/db", f"2*({here['prediction']}-{here['y']})", row.gradient[0])
        put("de/da", f"{here['de/db']}*{here['x']}", row.gradient[1])
        for which, parameter in enumerate("ba"):
            gradient, avg, squares = f"de/d{parameter}", f"avg {parameter}", f"squares {parameter}"
            before = above if step else {name: self.settings.get(f"start {name}", "") for name in (avg, squares)}
            along, over = here[gradient], ""
            if avg in self.place:
                beta, along = self.settings["beta avg"], here[avg]
                put(avg, f"{beta}*{before[avg]}+(1-{beta})*{here[gradient]}", row.average[which])
            if squares in self.place:
                beta = self.settings["beta squares"]
                put(squares, f"{beta}*{before[squares]}+(1-{beta})*{here[gradient]}^2", row.squares[which], "large")
                over = f"/SQRT({(before if self.descent.name == 'rmsprop' else here)[squares]})"
            rate = self._rate(step // POINTS)
            put(f"new {parameter}", f"{here[parameter]}-{rate}*{along}{over}", row.after[which])

    def _finite_differences(self, row: Row, here: dict[str, str]) -> list[tuple[str, str, float]]:
        """The gradient by trying a slightly larger b, and a slightly larger a."""
        x, y, (b, a), h = np.array([row.x]), np.array([row.y]), row.before, self.settings["h"]
        by_b = one_sided(lambda b: line_loss(x, y, float(b), a), b, STEP)
        by_a = one_sided(lambda a: line_loss(x, y, b, float(a)), a, STEP)
        more_b = f"({here['a']}*{here['x']}+({here['b']}+{h})-{here['y']})^2"
        more_a = f"(({here['a']}+{h})*{here['x']}+{here['b']}-{here['y']})^2"
        return [
            ("error² at b+h", more_b, line_loss(x, y, b + STEP, a)),
            ("est de/db", f"({here['error² at b+h']}-{here['error²']})/{h}", float(by_b)),
            ("error² at a+h", more_a, line_loss(x, y, b, a + STEP)),
            ("est de/da", f"({here['error² at a+h']}-{here['error²']})/{h}", float(by_a)),
        ]

    def _rate(self, epoch: int) -> str:
        return cell(self.first + epoch, self.table + 1, fixed=True) if self.annealed else self.settings["rate"]

    def _write_epochs(self) -> Summary:
        """The table to the right of the steps: rate, parameters and error of each epoch; and its chart."""
        sheet, first, table, rates = self.sheet, self.first, self.table, self.descent.rates
        names = ["epoch", "rate", "b after", "a after", "rmse", "root of the sum"]
        sheet.heads(first - 1, table, [*names, "gradients", "smallest yet"] if self.annealed else names)
        values = []
        for epoch, rate in enumerate(rates):
            at, end = first + epoch, first + (epoch + 1) * POINTS - 1
            rows = self.descent.rows[epoch * POINTS : (epoch + 1) * POINTS]
            errors = np.array([row.error for row in rows])
            values.append(float(np.sqrt(errors.mean())))
            span = block((end - POINTS + 1, self.place["error²"]), (end, self.place["error²"]))
            sheet.formula(at, table, cell(end, self.place["epoch"]), epoch + 1, "whole")
            sheet.formula(at, table + 1, self._rate_formula(epoch), rate)
            sheet.formula(at, table + 2, cell(end, self.place["new b"]), rows[-1].after[0])
            sheet.formula(at, table + 3, cell(end, self.place["new a"]), rows[-1].after[1])
            sheet.formula(at, table + 4, f"SQRT(AVERAGE({span}))", values[-1], "result")
            sheet.formula(at, table + 5, f"SQRT(SUM({span}))", np.sqrt(errors.sum()))
            if self.annealed:
                self._write_gradient_size(epoch, end)
        last = first + len(rates) - 1
        blocks = (first, table, last, table), (first, table + 4, last, table + 4)
        title = f"{self.descent.title}: error by epoch"
        chart = sheet.chart("line", last + 2, table, title, "epoch", "root mean squared error")
        series(chart, self.descent.name, "rmse", *blocks, marker={"type": "circle", "size": 4})
        chart.set_legend({"none": True})
        return Summary(*blocks, values)

    def _rate_formula(self, epoch: int) -> str:
        if not self.annealed or epoch == 0:
            return self.settings["rate"]
        at = self.first + epoch
        before, size = cell(at - 1, self.table + 1), cell(at - 1, self.table + 6)
        return f"IF({size}>2*{self._smallest_before(epoch - 1)},{before}/4,{before})"

    def _write_gradient_size(self, epoch: int, end: int) -> None:
        at, sizes = self.first + epoch, [gradient_size(self.descent.squares)]
        sizes += [gradient_size(self.descent.rows[(e + 1) * POINTS - 1].squares) for e in range(epoch + 1)]
        roots = "+".join(f"SQRT({cell(end, self.place[f'squares {parameter}'])})" for parameter in "ba")
        size = self.sheet.formula(at, self.table + 6, roots, sizes[-1])
        self.sheet.formula(at, self.table + 7, f"MIN({size},{self._smallest_before(epoch)})", min(sizes))

    def _smallest_before(self, epoch: int) -> str:
        if epoch:
            return cell(self.first + epoch - 1, self.table + 7)
        return f"(SQRT({self.settings['start squares b']})+SQRT({self.settings['start squares a']}))"
