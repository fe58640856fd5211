"""What the form of a prediction asks for, what is usual in each column, and how far predictions are off."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from vectable.studio.results.insight import plain_value

MOST_CHOICES = 200
COVERAGE = 0.9  # of intervals


def form_of(task: str, learn: Any) -> dict[str, Any]:
    """The form.

    Returns:
        "fields" (``{"name", "kind", "choices", "min", "max", "example", "usual"}``), "interval" (``{"coverage", "low",
        "high", "sentence"}``, what is added to a predicted number; None for classes), "classes".
    """
    if task == "table":
        fields = _fields(learn)
        classes = learn.classes if learn.data.target.kind == "classes" else None
        return {"fields": fields, "classes": classes, "interval": None if classes else _interval_of_table(learn)}
    if task == "ratings":
        columns = learn.data.columns
        named = [_name_field(columns.user, learn.data.user_ids), _name_field(columns.item, learn.data.item_ids)]
        return {"fields": named, "classes": None, "interval": _interval_of_ratings(learn)}
    return {"fields": [], "classes": None, "interval": None}


def _fields(learn: Any) -> list[dict[str, Any]]:
    """From the held-out rows as they came, or where there are none from what the encoder knows."""
    encoder, frame = learn.data.encoder, learn.data.valid_frame
    fields = []
    for name in sorted(encoder.raw_columns, key=_order_in(frame)):
        kind = learn.data.kinds[name].kind
        values = frame[name].drop_nulls() if name in frame.columns else pl.Series([], dtype=pl.String)
        field: dict[str, Any] = {"name": name, "kind": kind, "example": None, "usual": None}
        if len(values):
            field["example"] = plain_value(values[0])
            field["usual"] = plain_value(_usual(values, kind))
        if kind in ("category", "ordinal") and name in encoder.categories:
            field["choices"] = [
                plain_value(one) for one in encoder.categories[name].vocabulary.to_list()[:MOST_CHOICES]
            ]
            field["more_choices"] = max(0, len(encoder.categories[name].vocabulary) - MOST_CHOICES)
        elif kind == "number" and values.dtype.is_numeric() and len(values):
            field |= {"min": plain_value(values.min()), "max": plain_value(values.max())}
        fields.append(field)
    return fields


def _order_in(frame: pl.DataFrame) -> Callable[[str], int]:
    """The order of columns in the file."""
    places = {name: at for at, name in enumerate(frame.columns)}
    return lambda name: places.get(name, len(places))


def _usual(values: pl.Series, kind: str) -> Any:
    """The median of numbers and dates, the commonest of others."""
    if kind in ("number", "date") and values.dtype != pl.String:
        return values.sort()[len(values) // 2]
    return values.value_counts(sort=True)[values.name][0]


def _name_field(name: str, ids: Any) -> dict[str, Any]:
    example = ids.vocabulary[0] if len(ids.vocabulary) else None
    return {"name": name, "kind": "name", "example": example, "usual": None}


def _interval_of_table(learn: Any) -> dict[str, Any] | None:
    outputs, truth = (one.numpy() for one in learn.get_preds())
    target = learn.data.target
    if len(truth) == 0 or len(target.names) != 1:
        return None
    return interval((target.decode(truth) - target.decode(outputs)).reshape(-1))


def _interval_of_ratings(learn: Any) -> dict[str, Any] | None:
    held = learn.data.valid_ratings
    if not len(held):
        return None
    return interval(held.rating - learn.recommender.shown(learn.get_preds()[0].numpy()))


def interval(errors: Any) -> dict[str, Any] | None:
    """What to add to a prediction on both sides so that a share of `COVERAGE` of the truths lies between.

    Quantiles of the errors on held-out rows, as split conformal prediction takes them (Papadopoulos et al. 2002), with
    its correction for their number. Those rows also chose the epoch, so the true share is a little lower.

    Args:
        errors: truth less prediction, (rows,).
    """
    count = len(errors)
    tail = (1 - COVERAGE) / 2
    rank = int(np.ceil((count + 1) * (1 - tail)))
    if rank > count:
        return None  # too few rows to say anything
    ordered = np.sort(np.asarray(errors, dtype=np.float64))
    low, high = float(ordered[count - rank]), float(ordered[rank - 1])
    sentence = (
        f"{COVERAGE:.0%} of {count:,} held-out rows lie between {low:+.4g} and {high:+.4g} around their prediction; "
        "the same rows chose the epoch, so a little fewer may elsewhere."
    )
    return {"coverage": COVERAGE, "low": low, "high": high, "sentence": sentence}
