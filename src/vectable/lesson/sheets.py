"""The lesson's workbooks: the errors they show, how far five epochs come, and what being wrong costs."""

from pathlib import Path

import numpy as np

from vectable import lab
from vectable.lab.arrays import Array
from vectable.lab.trace import by_macro, make_from, warmed_up
from vectable.lab.workbooks.lesson_files import COLLAB, lesson_ratings, read_block
from vectable.lesson import printed
from vectable.lesson.rows import Row

COMMAND = "vectable lab lesson --only workbooks"


def factor_rows(folder: Path) -> list[Row]:
    """Errors of the lesson's own factors in our formula, and of factors of our own for the same 206 ratings."""
    ratings, _, _ = lesson_ratings(folder)

    def read(sheet: str, cells: str) -> Array:
        return np.array(read_block(folder / COLLAB, sheet, cells), dtype=np.float64)

    user, item = read("dotprod", "B25:F39"), read("dotprod", "H19:V23").T
    plain = lab.Factors(user, item, np.zeros(15), np.zeros(15))
    user, item = read("bias", "B26:F40"), read("bias", "H20:V24").T
    biased = lab.Factors(user, item, read("bias", "A26:A40")[:, 0], read("bias", "H19:V19")[0])
    found = []
    for name, theirs, bias in (("dot product", plain, False), ("with biases", biased, True)):
        lessons = f"{printed.WORKBOOK_RMSE[name]:.4f}"
        ours = lab.fit_factors(ratings, bias=bias).rmse(ratings)
        same = "its own factors, our formula"
        found.append(Row("workbooks", f"rmse, {name}", lessons, f"{theirs.rmse(ratings):.4f}", same, COMMAND))
        note = "fitted by vectable.lab: Adam from 8 starts, the best; its solver stopped a little earlier"
        command = "vectable lab workbook collab --lesson"
        found.append(Row("workbooks", f"rmse, {name}, fitted again", lessons, f"{ours:.4f}", note, command))
    return found


def descent_rows() -> list[Row]:
    """How far five epochs from (1, 1) come, the intercept's goal being 30."""
    x, y = lab.lesson_points()
    lost = "as its macro runs it, which loses the last row's step of every epoch"
    found = []

    def add(what: str, lessons: str, intercept: float, note: str) -> None:
        command = "vectable lab workbook graddesc"
        found.append(Row("workbooks", f"intercept after 5 epochs, {what}", lessons, f"{intercept:.4f}", note, command))

    add("plain descent", "1.27", by_macro(lab.SGD(1e-4), x, y, 5)[-1][0], f"rate 1e-4, {lost}")
    kept = list(lab.descend("sgd", 1e-4, 5).intercepts)[-1]
    add("plain descent, no step lost", "", kept, "rate 1e-4, all 29 steps of every epoch")
    for what, lessons, make, lr, betas in (
        ("RMSProp", "3", lab.WorkbookRMSProp, 0.02, (0.0, 0.9)),
        ("Adam", "25", lab.WorkbookAdam, 1.0, (0.9, 0.9)),
        ("Adam, the annealing sheet", "25", lab.WorkbookAdam, 1.0, (0.9, 0.95)),
    ):
        averages = warmed_up(make, lr, betas, x, y)
        intercept = by_macro(make_from(make, lr, betas, *averages), x, y, 5)[-1][0]
        add(what, lessons, intercept, f"rate {lr:g} from its reset button; said aloud, so rounded; {lost}")
    return found


def entropy_rows() -> list[Row]:
    """The loss of three predictions, in the lesson's logarithm and in the one that losses are defined with."""
    cases = (("cat, given 0.5", 1, 0.5), ("cat, given 0.98", 1, 0.98), ("dog, taken for a cat with 0.9", 0, 0.9))
    found = []
    for (what, true, p), lessons in zip(cases, printed.ENTROPIES, strict=True):
        loss = lab.binary_cross_entropy(np.array([p]), np.array([float(true)]))
        ours = f"{loss / np.log(10):.3f} (natural {loss:.3f})"
        note = "its LOG is base 10; natural logarithms are what torch and the lab use"
        found.append(
            Row("workbooks", f"entropy of a {what}", f"{lessons:.2f}", ours, note, "vectable lab workbook entropy")
        )
    return found
