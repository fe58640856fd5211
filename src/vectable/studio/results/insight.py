"""What a model learned and where it errs, in parts that a page can draw, each with a sentence."""

from typing import Any

import numpy as np

from vectable.errors import VectableError

ROWS = 20
TOP = 1_000


def insight_of(task: str, learn: Any) -> list[dict[str, Any]]:
    """The parts: ``{"kind", "title", "sentence", ...}``, "kind" is importance, confusion, calibration or worst."""
    found = {"ratings": _of_ratings, "interactions": _of_interactions, "table": _of_table, "photographs": _of_images}
    return found[task](learn)


def _of_ratings(learn: Any) -> list[dict[str, Any]]:
    data = learn.data
    name = "title" if data.titles is not None else data.columns.item
    biases = learn.biases(TOP)
    label = biases[name].cast(str).to_list()
    rows = [{"name": one, "value": float(value)} for one, value in zip(label, biases["bias"].to_list(), strict=True)]
    parts = [
        _bars("Rated highest for what it is", "Items that everybody rates above what taste explains.", rows[:ROWS]),
        _bars(
            "Rated lowest for what it is", "Items that everybody rates below what taste explains.", rows[::-1][:ROWS]
        ),
    ]
    held = data.valid_ratings
    if len(held):
        predicted = learn.recommender.shown(learn.get_preds()[0].numpy())
        errors = np.abs(predicted - held.rating)
        worst = np.argsort(-errors, kind="stable")[:ROWS]
        users, items = data.user_ids.decode(held.user[worst]).to_list(), data.item_names(held.item[worst]).to_list()
        figures = zip(held.rating[worst].tolist(), predicted[worst].tolist(), strict=True)
        table = [[u, i, round(r, 2), round(p, 2)] for u, i, (r, p) in zip(users, items, figures, strict=True)]
        sentence = "The held-out ratings that are predicted worst; a missing name is one that training never saw."
        parts.append(_worst(sentence, ["user", "item", "rating", "predicted"], table))
    return parts


def _of_interactions(learn: Any) -> list[dict[str, Any]]:
    figure = "ndcg@10"
    tried = [row for row in learn.tried.to_dicts() if row.get(figure) is not None]
    if not tried:
        return []
    rows = [{"name": row["model"], "value": float(row[figure])} for row in tried]
    return [_bars("What was tried", "NDCG@10 of each model on the validation part; the first is kept.", rows)]


def _of_table(learn: Any) -> list[dict[str, Any]]:
    if len(learn.data.valid_rows) < 2:
        return []
    importance = learn.feature_importance()
    rows = [{"name": row["column"], "value": float(row["importance"])} for row in importance.to_dicts()]
    told = "How much the loss on held-out rows grows when a column is shuffled: 0 is a column that does not matter."
    parts = [_bars("Which columns matter", told, rows)]
    if learn.data.target.kind == "classes":
        parts += [_confusion(learn.confusion_matrix()), _calibration(learn)]
    worst = learn.top_losses(ROWS)
    table = [[plain_value(value) for value in row] for row in worst.iter_rows()]
    return [*parts, _worst("The held-out rows with the largest losses.", worst.columns, table)]


def _of_images(learn: Any) -> list[dict[str, Any]]:
    return [_confusion(learn.confusion_matrix())] if len(learn.data.valid) else []


def _confusion(table: Any) -> dict[str, Any]:
    classes = table["class"].to_list()
    return {
        "kind": "confusion",
        "title": "What is taken for what",
        "sentence": "Held-out rows: each line is a class, each column what was predicted.",
        "classes": classes,
        "counts": table.drop("class").rows(),
    }


def _calibration(learn: Any) -> dict[str, Any]:
    try:
        found = learn.calibration()
    except VectableError as why:
        return {"kind": "calibration", "title": "Do probabilities come true?", "sentence": str(why), "points": []}
    points = [{"predicted": p, "observed": o, "count": n} for p, o, _, _, n in found.table.rows()]
    return {
        "kind": "calibration",
        "title": "Do probabilities come true?",
        "sentence": f"Of {found.of}: on the diagonal they come true as often as they say; they miss by "
        f"{found.error:.3f} in the mean.",
        "points": points,
    }


def _bars(title: str, sentence: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "importance", "title": title, "sentence": sentence, "rows": rows}


def _worst(sentence: str, columns: list[str], rows: list[list[Any]]) -> dict[str, Any]:
    return {"kind": "worst", "title": "Where it errs most", "sentence": sentence, "columns": columns, "rows": rows}


def plain_value(value: Any) -> Any:
    """A value as JSON writes it: numbers rounded, dates as text."""
    if isinstance(value, float):
        return round(value, 5) if np.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
