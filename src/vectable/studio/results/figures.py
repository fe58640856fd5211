"""How good a model is beside its baselines, in one form for all tasks."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

from vectable.errors import VectableError

LIST_LENGTH = 10


def measured(task: str, learn: Any) -> dict[str, Any]:
    """What the held-out rows say of a model.

    Returns:
        "figure" (``{"name", "value", "lower_is_better"}``, None where nothing is held out), "figures" (all of them by
        name), "baselines" (``{"name", "value"}`` of the figure), "better" (whether it beats them all; None where
        nothing is held out), "sentence".
    """
    found = {"ratings": _of_ratings, "interactions": _of_interactions, "table": _of_table, "photographs": _of_images}
    return found[task](learn)


def nothing_held_out() -> dict[str, Any]:
    """Where there is nothing to measure on."""
    sentence = "No rows are held out, so nothing is known of how good the model is on rows it has not seen."
    return {"figure": None, "figures": {}, "baselines": [], "better": None, "sentence": sentence}


def _of_ratings(learn: Any) -> dict[str, Any]:
    from vectable.ratings.beside_baselines import verdict

    if not len(learn.data.valid_ratings):
        return nothing_held_out()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This model does not beat its baselines")
        errors = learn.validate()
    baselines = {_capital(name): one["rmse"] for name, one in errors["baselines"].items()}
    figures = {"RMSE": errors["rmse"], "MAE": errors["mae"]}
    return _together("RMSE", figures, baselines, True, verdict(errors))


def _of_interactions(learn: Any) -> dict[str, Any]:
    from vectable.evaluating import evaluate

    if not len(learn.data.test):
        return nothing_held_out()
    try:
        found = evaluate({"model": learn}, learn.data, k=LIST_LENGTH)
    except VectableError as why:
        return {**nothing_held_out(), "sentence": str(why)}
    rows = {row["model"]: row for row in found.to_frame().to_dicts()}
    named = {
        f"ndcg@{LIST_LENGTH}": "NDCG@10",
        f"recall@{LIST_LENGTH}": "recall@10",
        f"coverage@{LIST_LENGTH}": "coverage@10",
    }
    figures = {label: rows["model"][name] for name, label in named.items() if name in rows["model"]}
    figure = f"ndcg@{LIST_LENGTH}"
    baselines = {_capital(name): row[figure] for name, row in rows.items() if name != "model"}
    return _together("NDCG@10", figures, baselines, False, None)


def _of_table(learn: Any) -> dict[str, Any]:
    from vectable.tables.beside_guess import GUESS_ACCURACY, GUESS_RMSE, measure, not_better

    rows = measure(learn)
    if not rows:
        return nothing_held_out()
    (row,) = rows
    if GUESS_RMSE in row:
        figures = {"RMSE": row["rmse"], "MAE": row["mae"]}
        return _together("RMSE", figures, {"The mean alone": row[GUESS_RMSE]}, True, not_better(row))
    names = {"accuracy": "Accuracy", "roc_auc": "ROC AUC", "log-loss": "Log-loss"}
    figures = {label: row[name] for name, label in names.items() if name in row}
    return _together("Accuracy", figures, {"The commonest class": row[GUESS_ACCURACY]}, False, not_better(row))


def _of_images(learn: Any) -> dict[str, Any]:
    from vectable.images.beside_guess import GUESS, measure, not_better

    if not len(learn.data.valid):
        return nothing_held_out()
    found = measure(learn)
    figures = {"Accuracy": found["accuracy"], "Loss": found["valid_loss"]}
    baselines = {"The commonest class": found[GUESS]} if GUESS in found else {}
    return _together("Accuracy", figures, baselines, False, not_better(found))


def _together(
    name: str, figures: Mapping[str, float], baselines: Mapping[str, float], lower: bool, verdict: str | None
) -> dict[str, Any]:
    value = float(figures[name])
    known = {one: float(other) for one, other in baselines.items() if math.isfinite(other)}
    better = all(value < other if lower else value > other for other in known.values()) if known else None
    return {
        "figure": {"name": name, "value": value, "lower_is_better": lower},
        "figures": {one: float(other) for one, other in figures.items()},
        "baselines": [{"name": one, "value": other} for one, other in known.items()],
        "better": better,
        "sentence": verdict or _sentence(name, value, known, lower, better),
    }


def _sentence(name: str, value: float, baselines: Mapping[str, float], lower: bool, better: bool | None) -> str:
    told = f"{name} on the held-out rows is {value:.4g}"
    if not baselines:
        return f"{told}."
    best = (min if lower else max)(baselines, key=lambda one: baselines[one])
    compared = f"{best[:1].lower()}{best[1:]}: {baselines[best]:.4g}"
    if better:
        return f"{told}, better than the best baseline ({compared})."
    return f"{told}, no better than the best baseline ({compared}): do not rely on it."


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
