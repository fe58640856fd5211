"""A prediction with all that a person wants to know of it: its interval, and what moved it."""

from collections.abc import Mapping, Sequence
from typing import Any

from vectable.errors import require

MOST_ROWS = 100
MOVED = 12  # columns


def predicted(answers: Any, form: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Predictions of rows.

    Args:
        answers: of the model.
        form: what form.json holds.
        rows: at most 100; columns that are not given count as missing.

    Returns:
        "predictions" (``{"value", "low", "high", "coverage"}``, for classes ``{"value", "classes"}``; of a table also
        "moved": ``{"name", "value", "points"}``), "notes", "sentence".

    Raises:
        VectableError: no rows, too many, or the model predicts none.
    """
    require(hasattr(answers, "predict"), "The model predicts no rows; it makes lists.")
    require(1 <= len(rows) <= MOST_ROWS, f"rows: give 1 to {MOST_ROWS} rows; got {len(rows):,}.")
    fields = {one["name"]: one for one in form.get("fields", [])}
    filled = [{**dict.fromkeys(fields), **row} for row in rows]
    found = answers.predict(filled)
    values, chances = found["predictions"], found.get("probabilities")
    results = []
    for at, value in enumerate(values):
        result: dict[str, Any] = {"value": value}
        if chances is not None:
            named = sorted(zip(answers.classes, chances[at], strict=True), key=lambda one: -one[1])
            result["classes"] = [{"name": str(name), "probability": chance} for name, chance in named]
        elif (interval := form.get("interval")) is not None and not isinstance(value, list):
            result |= {"low": value + interval["low"], "high": value + interval["high"]}
            result["coverage"] = interval["coverage"]
        if any("usual" in one and one["usual"] is not None for one in fields.values()):
            result["moved"] = _moved(answers, fields, filled[at], value, None if chances is None else chances[at])
        results.append(result)
    notes = [{"text": one["text"]} for one in found["notes"]]
    interval = form.get("interval")
    told = [interval["sentence"]] if interval else []
    told += ["Each bar: how much the answer would move if that column had its usual value; bars do not add up."]
    return {"predictions": results, "notes": notes, "sentence": " ".join(told)}


def _moved(
    answers: Any, fields: Mapping[str, Any], row: Mapping[str, Any], value: Any, chances: Sequence[float] | None
) -> list[dict[str, Any]]:
    """What each column adds beyond its usual value, the largest first: points of the number, or of the probability."""
    differing = [name for name, one in fields.items() if one["usual"] is not None and one["usual"] != row[name]]
    if not differing or isinstance(value, list):
        return []
    found = answers.predict([{**row, name: fields[name]["usual"]} for name in differing])
    if chances is None:
        points = [value - other for other in found["predictions"]]
    else:
        best = max(range(len(chances)), key=lambda at: chances[at])
        points = [chances[best] - other[best] for other in found["probabilities"]]
    moved = [{"name": name, "value": row[name], "points": one} for name, one in zip(differing, points, strict=True)]
    return sorted(moved, key=lambda one: -abs(one["points"]))[:MOVED]
