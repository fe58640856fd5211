"""Which columns matter: how much worse the model gets when one is shuffled."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch

from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tensors import TensorSet
from vectable.errors import VectableError, require

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def permutation_importance(
    rows: TensorSet, encoder: TableEncoder, loss_of: Callable[[TensorSet], float], repeats: int = 3, seed: int = 0
) -> pl.DataFrame:
    """Growth of the validation loss when a column's values change rows; all parts of a date go together.

    Args:
        rows: validation rows: codes, (rows, categories), and numbers, (rows, numbers).
        encoder: names their columns.
        loss_of: the model's loss on such rows.
        repeats: shuffles per column.
        seed: random seed of the shuffles.

    Returns:
        column, importance (mean over the repeats), spread (standard deviation), the largest first.
    """
    if len(rows) < 2:
        raise VectableError("Importance is measured on validation rows, and there are fewer than two.")
    require(repeats >= 1, f"repeats must be a positive integer; got {repeats!r}.")
    rng = np.random.default_rng(seed)
    base = loss_of(rows)
    found = []
    for name in encoder.raw_columns:
        places = encoder.places(name)
        growth = []
        for _ in range(repeats):
            order = torch.from_numpy(rng.permutation(len(rows)))
            inputs = [block.clone() for block in rows.inputs]
            for block, original, columns in zip(inputs, rows.inputs, (places.codes, places.numbers), strict=True):
                block[:, columns] = original[order][:, columns]
            growth.append(loss_of(TensorSet(tuple(inputs), rows.target)) - base)
        found.append({"column": name, "importance": float(np.mean(growth)), "spread": float(np.std(growth))})
    return pl.DataFrame(found).sort("importance", descending=True)


def plot_importance(importance: pl.DataFrame, path: str | None = None) -> "Figure":
    """A bar a column of what `permutation_importance` found, with the spread over the repeats."""
    from vectable.plotting import figure, save

    fig, ax = figure(size=(7.0, 1.0 + 0.28 * len(importance)))
    rows = importance.reverse()
    ax.barh(rows["column"].to_list(), rows["importance"].to_numpy(), xerr=rows["spread"].to_numpy(), height=0.7)
    ax.set(xlabel="growth of the loss when the column is shuffled")
    ax.grid(visible=False, axis="y")
    return save(fig, path)
