"""Where a net for a table starts: the bounds of its outputs, and a last bias that predicts the mean."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from vectable.data.tables.table_data import TableData
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.targets import ClassTarget, NumberTarget
from vectable.errors import VectableError, require
from vectable.models.tabular import TabularModel

SHRINKAGE = np.logspace(-3, 3, 13)
"""How much a ridge may shrink its weights, of which the best is taken."""


def bin_borders(encoder: TableEncoder) -> list[list[float]]:
    """Borders of each number's bins, in normalized units; none where there are none."""
    return [[] if one.bins is None else one.bins.borders.tolist() for one in encoder.numbers.values()]


def start_at_the_mean(model: TabularModel, data: TableData) -> None:
    """Let a net's last bias begin at the training rows' mean: of classes, each as often as it weighs; of a number in a
    y_range, the mean (of its logarithm) instead of the middle of the range."""
    last: Any = model.layers[-1]
    rows = data.train_rows
    if isinstance(data.target, ClassTarget):
        shares = np.bincount(rows.target, rows.weights, minlength=data.target.n_outputs)
        logs = np.log(np.maximum(shares / shares.sum(), 1e-12))
        start = torch.from_numpy(logs - logs.mean())
    elif model.y_range is not None:
        low, high = model.y_range
        share = (np.average(rows.target, weights=rows.weights) - low) / (high - low)
        start = torch.logit(torch.tensor([share]), eps=1e-6)  # a mean outside the range begins at its edge
    else:
        return
    with torch.no_grad():
        last.bias.copy_(start)


def start_at_ridge(model: TabularModel, data: TableData) -> None:
    """Let a net's linear part be the ridge regression of the target on the numbers, and its layers begin at the size of
    what that leaves.

    How much the ridge shrinks its weights is chosen by the error of each row without itself (Golub, Heath & Wahba 1979,
    doi 10.1080/00401706.1979.10489751).
    """
    from sklearn.linear_model import RidgeCV

    rows, linear = data.train_rows.to_keep(), model.linear
    last: Any = model.layers[-1]
    assert linear is not None, "the model was made with linear=True"
    numbers, target = rows.numbers.astype(np.float64), rows.target.astype(np.float64).reshape(len(rows), -1)
    ridge = RidgeCV(SHRINKAGE).fit(numbers, target, rows.weights)
    left = np.sqrt(
        np.average((target - ridge.predict(numbers).reshape(target.shape)) ** 2, axis=0, weights=rows.weights)
    )
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(ridge.coef_.reshape(linear.weight.shape)))
        linear.bias.copy_(torch.from_numpy(np.reshape(ridge.intercept_, -1)))
        for parameter in (last.weight, last.bias):
            shares = torch.from_numpy(left).to(parameter).reshape(-1, *[1] * (parameter.ndim - 1))
            parameter.mul_(shares)


def normalized_range(target: Any, y_range: Sequence[float] | None) -> list[float] | None:
    """The range in the units of the model's output."""
    if y_range is None:
        return None
    if not isinstance(target, NumberTarget):
        raise VectableError("y_range bounds numbers, and the target is classes; leave it out.")
    bounds = np.log1p(np.asarray(y_range, dtype=float)) if target.log else np.asarray(y_range, dtype=float)
    require(
        bounds.shape == (2,) and bounds[0] < bounds[1],
        f"y_range must be (low, high), low below high; got {y_range!r}.",
    )
    require(len(target.names) == 1, "y_range bounds one number, and there are several targets.")
    return [float(bound) for bound in (bounds - target.mean[0]) / target.std[0]]
