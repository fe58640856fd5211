"""Where a model that tells classes apart goes wrong: the confusion matrix, and the rows with the largest losses."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.tensors import TensorSet
from vectable.errors import is_whole, require
from vectable.models.losses import LossFunction, activation_of, compute_loss, row_by_row

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_table(classes: Sequence[Any], probabilities: Tensor, target: Tensor) -> pl.DataFrame:
    """Counts by class (rows of the table) and prediction (columns).

    Args:
        classes: names, in the order of their numbers.
        probabilities: (rows, classes).
        target: numbers of the classes, (rows,).
    """
    n = len(classes)
    counts = np.bincount(target.numpy() * n + probabilities.argmax(dim=1).numpy(), minlength=n * n).reshape(n, n)
    names = [str(name) for name in classes]
    return pl.DataFrame({"class": names} | {name: counts[:, at] for at, name in enumerate(names)})


def draw_confusion(table: pl.DataFrame, path: str | None = None) -> "Figure":
    """A `confusion_table` as a picture, the darker the more."""
    from sklearn.metrics import ConfusionMatrixDisplay

    from vectable.plotting import figure, save

    side = max(4.0, 0.6 * len(table) + 2)
    fig, ax = figure(size=(side, side))
    counts, names = table.drop("class").to_numpy(), table["class"].to_list()
    shown = ConfusionMatrixDisplay(counts, display_labels=names)
    shown.plot(ax=ax, cmap="Blues", colorbar=False, xticks_rotation="vertical")
    ax.grid(False)
    ax.set(xlabel="prediction", ylabel="class")
    return save(fig, path)


def worst_rows(
    rows: TensorSet, outputs_of: Callable[[TensorSet], Tensor], loss_func: LossFunction, n: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """The validation rows with the largest losses: their numbers, their losses, and the model's predictions for them.

    Args:
        rows: the validation rows.
        outputs_of: the model's outputs for rows, before the activation of the loss.
        loss_func: the loss; one from torch.
        n: number of rows.

    Returns:
        (n,), (n,) and (n, ...), the largest loss first.
    """
    require(is_whole(n, 1), f"n must be a positive integer; got {n!r}.")
    require(len(rows) > 0, "There are no validation rows to look for losses in; hold some out with valid_pct.")
    outputs = outputs_of(rows)
    each = compute_loss(row_by_row(loss_func), outputs, rows.target)
    each = each.flatten(1).mean(dim=1) if each.ndim > 1 else each
    worst = each.argsort(descending=True, stable=True)[:n]
    predicted = activation_of(loss_func)(outputs)[worst]
    return worst.numpy(), each[worst].numpy(), predicted.numpy()
