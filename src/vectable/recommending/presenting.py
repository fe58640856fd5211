"""Answers for people: notes become warnings, codes become frames of the kind that the user works with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from vectable.data.io.frames import to_column
from vectable.data.vocabularies import Vocabularies
from vectable.errors import require, warn
from vectable.recommending.answer import Answer, Answers, Notes
from vectable.recommending.terms import Term

if TYPE_CHECKING:
    from vectable.recommending.recommender import Recommender


def warn_of(notes: Notes) -> None:
    """Turn the notes of a call into warnings at the caller's line."""
    for note in notes:
        warn(note.message)


def list_frame(recommender: "Recommender", answer: Answer, raw: bool) -> Any:
    """One list as a frame: the items, best first, with what is known of each.

    That is the score where something else than the prediction ranks, the prediction, std where it is known, and the
    number of ratings.
    """
    data = recommender.data
    warn_of(answer.notes)
    figures = {"score": answer.scores} if answer.own_scores else {}
    figures["prediction"] = recommender.shown(answer.predictions, raw)
    if answer.std is not None:
        figures["std"] = answer.std
    return data.to_native(data.item_frame(answer.items, **figures, ratings=data.item_counts[answer.items]))


def lists_frame(recommender: "Recommender", users: Any, answers: Answers, raw: bool) -> Any:
    """Many lists as one frame: a row per user and item, with the rank.

    Args:
        users: as they were named; None for all known ones.
    """
    data = recommender.data
    warn_of(answers.notes)
    listed = answers.items > 0
    of_user, rank = np.nonzero(listed)
    figures = {"score": answers.scores[listed]} if answers.own_scores else {}
    figures["prediction"] = recommender.shown(answers.predictions[listed], raw)
    if answers.std is not None:
        figures["std"] = answers.std[listed]
    shown = data.item_frame(answers.items[listed], rank=rank + 1, **figures)
    name = data.columns.user
    shown = shown.rename({name: f"{name}_2"}) if name in shown.columns else shown
    named = data.user_ids.vocabulary if users is None else to_column(users, quiet=True)
    return data.to_native(shown.insert_column(0, named.gather(of_user).alias(name)))


def reasons_frame(data: Vocabularies, terms: Sequence[Term]) -> Any:
    """The terms of a prediction as a frame: term, meaning, item (and title), your_rating, ratings, points."""
    codes = np.array([term.item for term in terms], dtype=np.int32)
    ratings = pl.Series([int(data.item_counts[code]) if code else None for code in codes], dtype=pl.Int64)
    shown = data.item_frame(
        codes,
        your_rating=pl.Series([term.rating for term in terms], dtype=pl.Float64),
        ratings=ratings,
        points=[term.points for term in terms],
    )
    shown.insert_column(0, pl.Series("term", [term.name for term in terms]))
    shown.insert_column(1, pl.Series("meaning", [term.meaning for term in terms]))
    return data.to_native(shown)


def check_of(of: str) -> None:
    """Raise a sentence for a reason of something else than the "list" or the "rating"."""
    require(of in ("list", "rating"), f"of must be 'list' or 'rating'; got {of!r}.")
