"""Ratings as a list, a row per rating: factors found by one-hot vectors times matrices, and by looking them up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vectable.lab.embeddings import lookup, one_hot, one_hot_product
from vectable.lab.workbooks.corner import Corner
from vectable.lab.workbooks.matrix_sheet import MatrixSheet
from vectable.lab.workbooks.writing import Book, Result, Sheet, block, cell, series


@dataclass(frozen=True)
class _List:
    """The factor tables on the left of a list sheet, and where the list begins."""

    sheet: Sheet
    first: int
    left: int
    user_ids: str
    item_ids: str
    user_factors: tuple[int, int]
    item_factors: tuple[int, int]


def _begin_list(book: Book, name: str, title: str, notes: Sequence[str], corner: Corner, dot: MatrixSheet) -> _List:
    """Copy ids and factors, by formula, from the sheet `dot product` to the left of a new sheet."""
    sheet = book.sheet(name, title, notes)
    k = corner.dot.user.shape[1]
    tops = []
    row = sheet.top
    for what, ids, factors, place in (
        ("user", dot.user_ids, corner.dot.user, dot.user_factor),
        ("item", dot.item_ids, corner.dot.item, dot.item_factor),
    ):
        sheet.heads(row, 0, ["index", what, *(f"factor {j + 1}" for j in range(k))])
        tops.append(row + 1)
        for at, number in enumerate(ids):
            sheet.number(row + 1 + at, 0, at + 1, "whole")
            sheet.number(row + 1 + at, 1, number, "whole")
            for j in range(k):
                sheet.formula(row + 1 + at, 2 + j, f"'dot product'!{place(at, j)}", factors[at, j])
        row += len(ids) + 3
    spans = [
        block((top, 1), (top + len(ids) - 1, 1)) for top, ids in zip(tops, (dot.user_ids, dot.item_ids), strict=True)
    ]
    sheet.widths(0, k + 1, 8)
    return _List(sheet, sheet.top + 1, k + 3, spans[0], spans[1], (tops[0], 2), (tops[1], 2))


def _known(corner: Corner) -> list[tuple[int, int]]:
    rows, columns = np.nonzero(np.isfinite(corner.ratings))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def write_one_hot_sheet(book: Book, corner: Corner, dot: MatrixSheet) -> Result:
    """A row per rating: one-hot vectors of user and item, times the matrices of factors, times each other."""
    notes = (
        "Each row's one-hot vector has a 1 in the place of its user (or item). Times the factors, it gives that row.",
        "Nearly all of the work is multiplying by 0.",
    )
    listed = _begin_list(book, "one-hot", "One-hot vectors times matrices", notes, corner, dot)
    sheet, left, k = listed.sheet, listed.left, corner.dot.user.shape[1]
    users, items = corner.ratings.shape
    heads = ["user", "item", "rating", "user index", "item index"]
    hot_user, act_user = left + len(heads), left + len(heads) + users
    hot_item = act_user + k
    act_item = hot_item + items
    predicted = act_item + k
    sheet.heads(listed.first - 1, left, heads)
    for start, count, what in (
        (hot_user, users, ""),
        (act_user, k, "user f"),
        (hot_item, items, ""),
        (act_item, k, "item f"),
    ):
        for j in range(count):
            if what:
                sheet.text(listed.first - 1, start + j, f"{what}{j + 1}", "head")
            else:
                sheet.number(listed.first - 1, start + j, j + 1, "whole")
    sheet.heads(listed.first - 1, predicted, ["prediction", "error²"])
    errors = []
    for at, (user, item) in enumerate(_known(corner), listed.first):
        _write_ids(sheet, listed, corner, dot, at, user, item)
        codes = {"user": np.array([user]), "item": np.array([item])}
        for index, start, count, code in ((left + 3, hot_user, users, "user"), (left + 4, hot_item, items, "item")):
            for j, value in enumerate(one_hot(codes[code], count)[0]):
                head = cell(listed.first - 1, start + j, fix_row=True)
                sheet.formula(at, start + j, f"IF({cell(at, index, fix_column=True)}={head},1,0)", value, "hot")
        for hot, count, act, matrix, (top, first), code in (
            (hot_user, users, act_user, corner.dot.user, listed.user_factors, "user"),
            (hot_item, items, act_item, corner.dot.item, listed.item_factors, "item"),
        ):
            for j, value in enumerate(one_hot_product(codes[code], matrix)[0]):
                vector = f"{cell(at, hot, fix_column=True)}:{cell(at, hot + count - 1, fix_column=True)}"
                column = block((top, first + j), (top + count - 1, first + j))
                sheet.formula(at, act + j, f"MMULT({vector},{column})", value)
        value = float(
            one_hot_product(codes["user"], corner.dot.user)[0] @ one_hot_product(codes["item"], corner.dot.item)[0]
        )
        errors.append(
            _write_prediction(
                sheet, at, predicted, (act_user, act_item, k), left + 2, value, corner.ratings[user, item]
            )
        )
    sheet.widths(hot_user, hot_user + users - 1, 3)
    sheet.widths(hot_item, hot_item + items - 1, 3)
    return _write_error(sheet, listed.first, predicted + 1, errors)


def write_embedding_sheet(book: Book, corner: Corner, dot: MatrixSheet) -> Result:
    """A row per rating: the factors of user and item looked up by their index."""
    notes = (
        "INDEX looks the row of factors up. The numbers are those of the one-hot sheet, without the multiplying by 0.",
    )
    listed = _begin_list(book, "embedding", "Array lookups", notes, corner, dot)
    sheet, left, k = listed.sheet, listed.left, corner.dot.user.shape[1]
    users, items = corner.ratings.shape
    heads = ["user", "item", "rating", "user index", "item index"]
    act_user = left + len(heads)
    act_item = act_user + k
    predicted = act_item + k
    names = [
        *heads,
        *(f"user f{j + 1}" for j in range(k)),
        *(f"item f{j + 1}" for j in range(k)),
        "prediction",
        "error²",
    ]
    sheet.heads(listed.first - 1, left, names)
    errors = []
    for at, (user, item) in enumerate(_known(corner), listed.first):
        _write_ids(sheet, listed, corner, dot, at, user, item)
        found = []
        for index, count, act, matrix, (top, first), code in (
            (left + 3, users, act_user, corner.dot.user, listed.user_factors, user),
            (left + 4, items, act_item, corner.dot.item, listed.item_factors, item),
        ):
            found.append(lookup(np.array([code]), matrix)[0])
            for j, value in enumerate(found[-1]):
                column = block((top, first + j), (top + count - 1, first + j))
                sheet.formula(at, act + j, f"INDEX({column},{cell(at, index, fix_column=True)})", value)
        value = float(found[0] @ found[1])
        errors.append(
            _write_prediction(
                sheet, at, predicted, (act_user, act_item, k), left + 2, value, corner.ratings[user, item]
            )
        )
    last = listed.first + len(errors) - 1
    chart = sheet.chart("scatter", listed.first, predicted + 3, "Prediction and rating", "rating", "prediction")
    blocks = (listed.first, left + 2, last, left + 2), (listed.first, predicted, last, predicted)
    series(chart, sheet.name, "rows", *blocks, line={"none": True}, marker={"type": "circle", "size": 4})
    chart.set_legend({"none": True})
    return _write_error(sheet, listed.first, predicted + 1, errors)


def _write_ids(sheet: Sheet, listed: _List, corner: Corner, dot: MatrixSheet, at: int, user: int, item: int) -> None:
    """User, item, the rating found in the matrix, and both indices found among the ids."""
    left = listed.left
    sheet.number(at, left, dot.user_ids[user], "whole")
    sheet.number(at, left + 1, dot.item_ids[item], "whole")
    indices = cell(at, left + 3), cell(at, left + 4)
    rating = f"INDEX('dot product'!{dot.ratings},{indices[0]},{indices[1]})"
    sheet.formula(at, left + 2, rating, corner.ratings[user, item], "short")
    sheet.formula(at, left + 3, f"MATCH({cell(at, left)},{listed.user_ids},0)", user + 1, "whole")
    sheet.formula(at, left + 4, f"MATCH({cell(at, left + 1)},{listed.item_ids},0)", item + 1, "whole")


def _write_prediction(
    sheet: Sheet, at: int, column: int, places: tuple[int, int, int], rating_column: int, value: float, rating: float
) -> float:
    user, item, k = places
    blocks = (f"{cell(at, start)}:{cell(at, start + k - 1)}" for start in (user, item))
    sheet.formula(at, column, f"SUMPRODUCT({','.join(blocks)})", value)
    error = (value - float(rating)) ** 2
    sheet.formula(at, column + 1, f"({cell(at, column)}-{cell(at, rating_column)})^2", error)
    return error


def _write_error(sheet: Sheet, first: int, column: int, errors: list[float]) -> Result:
    last = first + len(errors) - 1
    value = float(np.sqrt(np.mean(errors)))
    sheet.text(last + 2, column - 1, "rmse", "head")
    at = sheet.formula(last + 2, column, f"SQRT(AVERAGE({cell(first, column)}:{cell(last, column)}))", value, "result")
    sheet.widths(column - 1, column, 10)
    sheet.freeze(first)
    return Result(sheet.name, at, value)
