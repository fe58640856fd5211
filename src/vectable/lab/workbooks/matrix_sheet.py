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
    user_ids, item_ids = list(corner.user_ids or range(1, users + 1)), list(corner.item_ids or range(1, items + 1))
    left = k + 3  # columns: user bias, factors, an empty one, id; then the matrix
    limits, top = _write_limits(sheet, factors)
    first = _write_ratings(sheet, corner, top, left, user_ids, item_ids)
    factor_top = _write_item_factors(sheet, factors, first + users + 2, left)
    below = factor_top + k + 2
    _write_user_factors(sheet, factors, below, user_ids)
    scores = _Scores(k, left, first, factor_top, has_bias(factors), limits)
    predicted = factors.predict()
    for user in range(users):
        for item in range(items):
            value = predicted[user, item] if np.isfinite(corner.ratings[user, item]) else 0.0
            sheet.formula(below + user, left + item, scores.formula(below, user, item), value, "prediction")
    sheet.text(below - 1, left, "predictions", "note")
    sheet.shade(below, left, corner.ratings)
    sheet.widths(0, k, 8)
    sheet.widths(left - 1, left - 1, 11)
    sheet.widths(left, left + items - 1, 7.5)

    last = below + users - 1
    ratings = block((first, left), (first + users - 1, left + items - 1))
    predictions = block((below, left), (last, left + items - 1))
    root_mean_square = f"SQRT(SUMXMY2({ratings},{predictions})/COUNT({ratings}))"
    value = factors.rmse(corner.ratings)
    sheet.text(last + 2, left + items - 2, "rmse", "head")
    error = sheet.formula(last + 2, left + items - 1, root_mean_square, value, "short result")
    corners = (below, 1), (factor_top, left)
    return MatrixSheet(Result(name, error, value), ratings, user_ids, item_ids, corners)


def has_bias(factors: Factors) -> bool:
    """Whether users or items have biases other than 0."""
    return bool(factors.user_bias.any() or factors.item_bias.any())


@dataclass(frozen=True)
class _Scores:
    """What the formula of a prediction refers to: rows and columns of the sheet, from 0.

    Attributes:
        k: number of factors.
        left: column of the first item.
        first: row of the first rating.
        factor_top: row of the first item factor; the items' biases stand above it.
        has_bias: whether there are biases.
        limits: a formula for the scaled sigmoid, with %s for the score; empty without limits.
    """

    k: int
    left: int
    first: int
    factor_top: int
    has_bias: bool
    limits: str

    def formula(self, below: int, user: int, item: int) -> str:
        """The prediction for a user and an item, where the first user's factors stand in the row `below`."""
        at, column = below + user, self.left + item
        row_of_factors = f"{cell(at, 1, fix_column=True)}:{cell(at, self.k, fix_column=True)}"
        first_factor, last_factor = (
            cell(row, column, fix_row=True) for row in (self.factor_top, self.factor_top + self.k - 1)
        )
        score = f"MMULT({row_of_factors},{first_factor}:{last_factor})"
        if self.has_bias:
            score += f"+{cell(self.factor_top - 1, column, fix_row=True)}+{cell(at, 0, fix_column=True)}"
        if self.limits:
            score = self.limits % score
        return f'IF({cell(self.first + user, column)}="",0,{score})'


def _write_limits(sheet: Sheet, factors: Factors) -> tuple[str, int]:
    """The limits of the predictions, if there are any: the formula that keeps them, and the row below."""
    if factors.y_range is None:
        return "", sheet.top
    sheet.text(sheet.top, 0, "low")
    sheet.text(sheet.top + 1, 0, "high")
    low, high = (sheet.number(sheet.top + at, 1, value) for at, value in enumerate(factors.y_range))
    return f"{low}+({high}-{low})/(1+EXP(-(%s)))", sheet.top + 3


def _write_item_factors(sheet: Sheet, factors: Factors, top: int, left: int) -> int:
    """The items' biases and factors, an item a column. Returns the row of the first factor."""
    sheet.text(top - 1, left - 1, "item factors", "note")
    if has_bias(factors):
        sheet.text(top, left - 1, "bias", "head")
        for item, value in enumerate(factors.item_bias):
            sheet.number(top, left + item, value, "factor")
        top += 1
    for j, values in enumerate(factors.item.T):
        sheet.text(top + j, left - 1, f"factor {j + 1}")
        for item, value in enumerate(values):
            sheet.number(top + j, left + item, value, "factor")
    return top


def _write_user_factors(sheet: Sheet, factors: Factors, top: int, user_ids: Sequence[int]) -> None:
    """The users' biases, factors and ids, a user a row."""
    k = factors.user.shape[1]
    sheet.heads(top - 1, 0, ["bias" if has_bias(factors) else "", *(f"factor {j + 1}" for j in range(k))])
    for user, values in enumerate(factors.user):
        if has_bias(factors):
            sheet.number(top + user, 0, factors.user_bias[user], "factor")
        for j, value in enumerate(values):
            sheet.number(top + user, 1 + j, value, "factor")
        sheet.number(top + user, k + 2, user_ids[user], "whole")


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
