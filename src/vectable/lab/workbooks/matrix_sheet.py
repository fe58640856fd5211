"""A sheet with a matrix of ratings, factors along two sides, and the matrix of predictions they give."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vectable.lab.factorisation import Factors
from vectable.lab.workbooks.corner import Corner
from vectable.lab.workbooks.writing import Book, Result, Sheet, block, cell


@dataclass(frozen=True)
class MatrixSheet:
    """Where things stand on the sheet, for others to refer to.

    Attributes:
        error: the root mean squared error.
        ratings: the block of ratings.
        user_ids, item_ids: numbers of rows and columns.
        corner: row and column of the first user factor, and of the first item factor.
    """

    error: Result
    ratings: str
    user_ids: list[int]
    item_ids: list[int]
    corner: tuple[tuple[int, int], tuple[int, int]] = field(repr=False)

    def user_factor(self, user: int, j: int) -> str:
        """The cell of a user's factor number j."""
        return cell(self.corner[0][0] + user, self.corner[0][1] + j)

    def item_factor(self, item: int, j: int) -> str:
        """The cell of an item's factor number j: items stand side by side, so the factor is the row."""
        return cell(self.corner[1][0] + j, self.corner[1][1] + item)


def write_matrix_sheet(
    book: Book, name: str, title: str, corner: Corner, factors: Factors, notes: Sequence[str]
) -> MatrixSheet:
    """Ratings on top; below them the item factors; below these the predictions, with the user factors to their left."""
    sheet = book.sheet(name, title, notes)
    users, items = corner.ratings.shape
    k = factors.user.shape[1]
    has_bias, has_limits = bool(factors.user_bias.any() or factors.item_bias.any()), factors.y_range is not None
    user_ids, item_ids = list(corner.user_ids or range(1, users + 1)), list(corner.item_ids or range(1, items + 1))
    left = k + 3  # columns: user bias, factors, an empty one, id; then the matrix
    limits = ""
    top = sheet.top
    if has_limits and factors.y_range is not None:
        sheet.text(top, 0, "low")
        sheet.text(top + 1, 0, "high")
        low, high = (sheet.number(top + at, 1, value) for at, value in enumerate(factors.y_range))
        limits = f"{low}+({high}-{low})/(1+EXP(-(%s)))"
        top += 3

    first = _write_ratings(sheet, corner, top, left, user_ids, item_ids)
    ratings = block((first, left), (first + users - 1, left + items - 1))

    factor_top = first + users + 2
    sheet.text(factor_top - 1, left - 1, "item factors", "note")
    if has_bias:
        sheet.text(factor_top, left - 1, "bias", "head")
        for item, value in enumerate(factors.item_bias):
            sheet.number(factor_top, left + item, value, "factor")
        factor_top += 1
    for j in range(k):
        sheet.text(factor_top + j, left - 1, f"factor {j + 1}")
        for item in range(items):
            sheet.number(factor_top + j, left + item, factors.item[item, j], "factor")

    below = factor_top + k + 2
    sheet.text(below - 1, left, "predictions", "note")
    sheet.heads(below - 1, 0, ["bias" if has_bias else "", *(f"factor {j + 1}" for j in range(k))])
    predicted = factors.predict()
    for user in range(users):
        at = below + user
        if has_bias:
            sheet.number(at, 0, factors.user_bias[user], "factor")
        for j in range(k):
            sheet.number(at, 1 + j, factors.user[user, j], "factor")
        sheet.number(at, left - 1, user_ids[user], "whole")
        for item in range(items):
            row = f"{cell(at, 1, fix_column=True)}:{cell(at, k, fix_column=True)}"
            column = (
                f"{cell(factor_top, left + item, fix_row=True)}:{cell(factor_top + k - 1, left + item, fix_row=True)}"
            )
            score = f"MMULT({row},{column})"
            if has_bias:
                score += f"+{cell(factor_top - 1, left + item, fix_row=True)}+{cell(at, 0, fix_column=True)}"
            if limits:
                score = limits % score
            rated = np.isfinite(corner.ratings[user, item])
            value = predicted[user, item] if rated else 0.0
            sheet.formula(at, left + item, f'IF({cell(first + user, left + item)}="",0,{score})', value, "prediction")
    last = below + users - 1
    sheet.shade(below, left, corner.ratings)
    value = factors.rmse(corner.ratings)
    predictions = block((below, left), (last, left + items - 1))
    sheet.text(last + 2, left + items - 2, "rmse", "head")
    error = sheet.formula(
        last + 2, left + items - 1, f"SQRT(SUMXMY2({ratings},{predictions})/COUNT({ratings}))", value, "short result"
    )
    sheet.widths(0, k, 8)
    sheet.widths(left - 1, left - 1, 11)
    sheet.widths(left, left + items - 1, 7.5)
    return MatrixSheet(
        Result(name, error, value), ratings, user_ids, item_ids, ((below, 1), (factor_top, left))
    )  # fmt: skip


def _write_ratings(
    sheet: Sheet, corner: Corner, top: int, left: int, user_ids: Sequence[int], item_ids: Sequence[int]
) -> int:
    """Names and numbers of items on top, of users on the left, ratings between. Returns the first row of ratings."""
    items = corner.ratings.shape[1]
    for item in range(items):
        sheet.text(top, left + item, shortened(corner.items[item]), "tilted")
        sheet.number(top + 1, left + item, item_ids[item], "whole")
    sheet.tall(top, 120 if any(len(name) > 6 for name in corner.items) else 40)
    for user, row in enumerate(corner.ratings):
        at = top + 2 + user
        sheet.text(at, max(left - 4, 0), shortened(corner.users[user]))
        sheet.number(at, left - 1, user_ids[user], "whole")
        for column in np.flatnonzero(np.isfinite(row)).tolist():
            sheet.number(at, left + column, row[column], "rating")
    sheet.shade(top + 2, left, corner.ratings)
    return top + 2


def shortened(name: str, most: int = 30) -> str:
    """The name, or its beginning with an ellipsis."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
