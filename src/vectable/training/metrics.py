"""Metrics by name, computed once over all validation predictions. scikit-learn does the ones that are not one line."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.errors import UnknownNameError, did_you_mean

Metric = Callable[[NDArray[Any], NDArray[Any]], float]


def rmse(predicted: NDArray[Any], target: NDArray[Any]) -> float:
    """Root mean squared error."""
    return float(np.sqrt(np.mean((predicted.reshape(target.shape) - target) ** 2, dtype=np.float64)))


def mae(predicted: NDArray[Any], target: NDArray[Any]) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(predicted.reshape(target.shape) - target), dtype=np.float64))


def accuracy(predicted: NDArray[Any], target: NDArray[Any]) -> float:
    """Share of rows whose likeliest class is the target; for one probability per row, above one half."""
    several = predicted.ndim > 1 and predicted.shape[1] > 1
    classes = predicted.argmax(axis=1) if several else predicted.reshape(target.shape) > 0.5
    return float(np.mean(classes == target))


def roc_auc(predicted: NDArray[Any], target: NDArray[Any]) -> float:
    """Area under the ROC curve (one against the rest, for several classes)."""
    from sklearn.metrics import roc_auc_score

    if predicted.ndim > 1 and predicted.shape[1] == 2:
        predicted = predicted[:, 1]
    elif predicted.ndim > 1 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    return float(roc_auc_score(target, predicted, multi_class="ovr"))


METRICS: dict[str, Metric] = {"rmse": rmse, "mae": mae, "accuracy": accuracy, "roc_auc": roc_auc}


def metrics_named(names: str | Metric | Sequence[str | Metric]) -> dict[str, Metric]:
    """The functions for names of `METRICS`, or for one name; custom functions keep their own name."""
    chosen: dict[str, Metric] = {}
    for name in [names] if isinstance(names, str) or callable(names) else names:
        if callable(name):
            chosen[getattr(name, "__name__", "metric")] = name
        elif name in METRICS:
            chosen[name] = METRICS[name]
        else:
            hint = did_you_mean(name, METRICS)
            raise UnknownNameError(f"There is no metric {name!r}.{hint} There are {list(METRICS)}, or give a function.")
    return chosen
