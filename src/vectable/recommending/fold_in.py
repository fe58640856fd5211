"""A user the model never saw, from a few ratings and without training: the best row under the trained users' spread.

The row x of a user (factors and bias) is the maximum of ``log N(x; m, S) - sum (r - f(x))^2 / (2 v)``: m and S are
mean and covariance of the trained users' rows, v the mean squared error in training. A few Gauss-Newton steps, each a
solve of a (width x width) system; in NumPy, since on matrices so small torch would only wait for its threads.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

STEPS = 8
RIDGE = 1e-6  # joins the covariance: with fewer users than factors it is singular


@dataclass(frozen=True)
class UserPrior:
    """What is known of a user before any rating.

    Attributes:
        mean: (width,).
        precision: inverse covariance, (width, width).
        noise: variance of a rating about its prediction.
    """

    mean: Floats
    precision: Floats
    noise: float

    @classmethod
    def of(cls, model: Any, n_users: int, noise: float) -> "UserPrior":
        """From the rows of the trained users (codes 1 to `n_users`)."""
        with torch.no_grad():
            device = next(model.parameters()).device
            rows = model.user_rows(torch.arange(1, n_users + 1, device=device)).double().cpu().numpy()
        mean = rows.mean(axis=0)
        spread = rows - mean
        covariance = spread.T @ spread / max(n_users - 1, 1) + RIDGE * np.eye(rows.shape[1])
        return cls(mean, np.linalg.inv(covariance), max(noise, RIDGE))


def solve_row(model: Any, prior: UserPrior, items: NDArray[np.int32], ratings: NDArray[np.float32]) -> Tensor:
    """The row of a user who gave `ratings` to `items`, (width,); the mean user where there are none."""
    codes, target = torch.from_numpy(items), ratings.astype(np.float64)
    row = prior.mean
    if len(items) == 0:
        return torch.from_numpy(row).float()
    badness = _badness(model, prior, row, codes, target)
    for _ in range(STEPS):
        matrix, pull = _normal_equations(model, prior, row, codes, target)
        step = np.linalg.solve(matrix, pull.sum(axis=1) - prior.precision @ (row - prior.mean))
        while True:
            candidate = row + step
            now = _badness(model, prior, candidate, codes, target)
            if now <= badness or np.abs(step).max() < 1e-6:
                break
            step = step / 2
        done = np.abs(candidate - row).max() < 1e-5
        row, badness = candidate, now
        if done:
            break
    return torch.from_numpy(row).float()


def contributions(
    model: Any,
    prior: UserPrior,
    row: Tensor,
    items: NDArray[np.int32],
    ratings: NDArray[np.float32],
    target: int,
) -> NDArray[np.float64]:
    """How much each seen rating moves the prediction for item `target` away from what it does to the average item.

    The model is linearised at the user's row, where the normal equations make it a sum over the seen ratings (the
    reasoning of Hu, Koren & Volinsky 2008, section 5, doi 10.1109/ICDM.2008.22).

    Returns:
        In rating points, (seen items,).
    """
    codes = torch.from_numpy(items)
    at = row.double().cpu().numpy()
    matrix, pull = _normal_equations(model, prior, at, codes, ratings.astype(np.float64), about=prior.mean)
    _, slopes = _respond(model, at, torch.tensor([target, 0]))
    return np.asarray((slopes[0] - slopes[1]) @ np.linalg.solve(matrix, pull))


def _respond(model: Any, row: Floats, codes: Tensor) -> tuple[Floats, Floats]:
    """Predictions and Jacobian in double precision on the CPU, wherever the model is."""
    device = next(model.parameters()).device
    with torch.no_grad():
        predicted, slopes = model.predict_with_jacobian(torch.from_numpy(row).float().to(device), codes.to(device))
    return predicted.double().cpu().numpy(), slopes.double().cpu().numpy()


def _badness(model: Any, prior: UserPrior, row: Floats, codes: Tensor, target: Floats) -> float:
    predicted, _ = _respond(model, row, codes)
    off = row - prior.mean
    return float(((target - predicted) ** 2).sum() / prior.noise + off @ prior.precision @ off)


def _normal_equations(
    model: Any, prior: UserPrior, row: Floats, codes: Tensor, target: Floats, about: Floats | None = None
) -> tuple[Floats, Floats]:
    """The Gauss-Newton matrix, (width, width), and each rating's pull, (width, ratings), on ``row - about``."""
    predicted, slopes = _respond(model, row, codes)
    error = target - predicted
    if about is not None:
        error = error + slopes @ (row - about)
    return prior.precision + slopes.T @ slopes / prior.noise, slopes.T * error / prior.noise
