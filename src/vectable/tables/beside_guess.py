"""How good a model of a table is, compared with the simplest guess: the commonest class, or the mean alone."""

from typing import Any

import numpy as np

from vectable.data.tables.targets import ClassTarget
from vectable.tables.tabular import TabularLearner
from vectable.training.metrics import METRICS

GUESS_ACCURACY, GUESS_LOSS, GUESS_RMSE = (
    "accuracy of the commonest class",
    "log-loss of the shares",
    "rmse of the mean alone",
)


def measure(learn: TabularLearner) -> list[dict[str, Any]]:
    """How good the model is on the held-out rows, in the target's own units, compared with the simplest guess.

    Returns:
        One row per target; none where no rows are held out.
    """
    outputs, truth = (one.numpy() for one in learn.get_preds())
    target = learn.data.target
    if len(truth) == 0:
        return []
    if isinstance(target, ClassTarget):
        return [_class_errors(learn, outputs, truth)]
    predicted, right = (target.decode(one).reshape(len(truth), -1) for one in (outputs, truth))
    rows = []
    for at, name in enumerate(target.names):
        guess = np.full(len(truth), target.decode(np.zeros((1, len(target.names)))).reshape(-1)[at])
        row: dict[str, Any] = {"target": name}
        row |= {metric: METRICS[metric](predicted[:, at], right[:, at]) for metric in ("rmse", "mae")}
        rows.append({**row, GUESS_RMSE: METRICS["rmse"](guess, right[:, at])})
    return rows


def _class_errors(learn: TabularLearner, outputs: Any, truth: Any) -> dict[str, Any]:
    """Accuracy, area under the curve and log-loss; and those of predicting the training rows' shares of the classes."""
    target, rows = learn.data.target, learn.data.train_rows
    counts = np.bincount(rows.target, minlength=target.n_outputs)
    shares = np.maximum(counts / counts.sum(), 1e-12)
    row = {"target": target.name, "accuracy": METRICS["accuracy"](outputs, truth)}
    if target.n_outputs == 2 and 0 < truth.mean() < 1:
        row["roc_auc"] = METRICS["roc_auc"](outputs, truth)
    row["log-loss"] = learn.validate()["valid_loss"]
    row[GUESS_ACCURACY] = float((truth == counts.argmax()).mean())
    row[GUESS_LOSS] = float(-np.log(shares)[truth].mean())
    return row


def beats_guess(measured: list[dict[str, Any]]) -> bool | None:
    """Whether every target is predicted better than by the simplest guess; None where no rows are held out."""
    return None if not measured else all(not_better(row) is None for row in measured)


def not_better(row: dict[str, Any]) -> str | None:
    """A sentence where the simplest guess is as good as the model; None where the model beats it."""
    if GUESS_RMSE in row:
        lost = row["rmse"] >= row[GUESS_RMSE]
        figures = f"its rmse is {row['rmse']:.4g}, and that of predicting the mean {row[GUESS_RMSE]:.4g}"
    else:
        lost = row["accuracy"] <= row[GUESS_ACCURACY] and row["log-loss"] >= row[GUESS_LOSS]
        figures = f"its accuracy is {row['accuracy']:.1%}, that of the commonest class {row[GUESS_ACCURACY]:.1%}"
    if not lost:
        return None
    return (
        f"This model does not beat the simplest guess for {row['target']!r} on the held-out rows: {figures}. Do not "
        "rely on it: look at what the columns were taken for, train longer, or at another learning rate "
        "(vectable lr-find)."
    )
