"""Lists and reasons for people: codes become frames of the kind that the user works with, notes become warnings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.io.frames import to_column
from vectable.recommending.answer import Answers
from vectable.recommending.presenting import warn_of


def one_list_frame(data: InteractionsData, answers: Answers) -> Any:
    """The first list as a frame: the items, best first, with score and number of training interactions."""
    warn_of(answers.notes)
    answer = answers[0]
    return data.to_native(data.item_frame(answer.items, score=answer.scores, count=data.item_counts[answer.items]))


def lists_frame(data: InteractionsData, users: Sequence[Any] | None, answers: Answers) -> Any:
    """Many lists as one frame: a row per user and item, with the rank.

    Args:
        users: as they were named; None for all known ones.
    """
    warn_of(answers.notes)
    listed = answers.items > 0
    of_user, rank = np.nonzero(listed)
    shown = data.item_frame(answers.items[listed], rank=rank + 1, score=answers.scores[listed])
    name = data.columns.user
    shown = shown.rename({name: f"{name}_2"}) if name in shown.columns else shown
    named = data.user_ids.vocabulary if users is None else to_column(users, quiet=True)
    return data.to_native(shown.insert_column(0, named.gather(of_user).alias(name)))


def reasons_frame(
    data: InteractionsData,
    items: NDArray[np.int32],
    points: NDArray[np.float64],
    score: float,
    target: int,
    n: int,
) -> Any:
    """The terms of a score as a frame: the score, the `n` entries that add most to it, and all the others."""
    terms, codes, shares = zip(*strongest_reasons(items, points, score, target, n), strict=True)
    shown = data.item_frame(codes, points=shares)
    if "title" in shown.columns:
        shown = shown.with_columns(pl.when(pl.Series(list(codes)) > 0).then(pl.col("title")).alias("title"))
    return data.to_native(shown.insert_column(0, pl.Series("term", list(terms))))


def strongest_reasons(
    items: NDArray[np.int32], points: NDArray[np.float64], score: float, target: int, n: int
) -> list[tuple[str, int, float]]:
    """Name, item code and points of each term of a score: itself, the `n` entries that add most to it, the rest."""
    strongest = np.argsort(-points, kind="stable")[:n]
    because = zip(items[strongest].tolist(), points[strongest].tolist(), strict=True)
    rest = score - float(points[strongest].sum())
    return [
        ("score", target, score),
        *(("because", code, share) for code, share in because),
        ("everything else", 0, rest),
    ]
