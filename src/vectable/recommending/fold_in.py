"""A new user from a few ratings: the best row under the distribution of the trained users' rows.

The row x of a user (factors and bias) is the maximum of ``log N(x; m, S) - sum (r - f(x))^2 / (2 v)``: m and S are
mean and covariance of the trained users' rows, v the mean squared error in training. A few damped Gauss-Newton steps,
each a solve of a (width x width) system; in NumPy, since on matrices so small torch would only wait for its threads.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.models.rating_model import RatingModel, device_of

Floats = NDArray[np.float64]

STEPS = 8
HALVINGS = 30  # of a step that does not help
STILL = 1e-5  # largest change of a row that is as good as none
RIDGE = 1e-6  # joins the covariance: with fewer users than factors it is singular
PRIOR_USERS = 20_000  # rows that mean and covariance are taken from


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
    def of(cls, model: RatingModel, n_users: int, noise: float) -> "UserPrior":
        """From the rows of the trained users (codes 1 to `n_users`); of very many from a fixed random sample."""
        codes = np.arange(1, n_users + 1)
        if n_users > PRIOR_USERS:
            codes = np.sort(np.random.default_rng(0).choice(n_users, PRIOR_USERS, replace=False)) + 1
        with torch.no_grad():
            rows = model.user_rows(torch.from_numpy(codes).to(device_of(model))).double().cpu().numpy()
        mean = rows.mean(axis=0)
        spread = rows - mean
        covariance = spread.T @ spread / max(len(rows) - 1, 1) + RIDGE * np.eye(rows.shape[1])
        return cls(mean, np.linalg.inv(covariance), max(noise, RIDGE))


def solve_row(model: RatingModel, prior: UserPrior, items: NDArray[np.int32], ratings: NDArray[np.float32]) -> Tensor:
    """The row of a user who gave `ratings` to `items`, (width,); the mean user where there are none."""
    codes, target = torch.from_numpy(items), ratings.astype(np.float64)
    row = prior.mean
    if len(items) == 0:
        return torch.from_numpy(row).float()
    predicted, slopes = _predict(model, row, codes)
    loss = negative_log_posterior(prior, row, target - predicted)
    for _ in range(STEPS):
        matrix, pull = _normal_equations(prior, target - predicted, slopes)
        step = _solve(matrix, pull.sum(axis=1) - prior.precision @ (row - prior.mean))
        for halving in range(HALVINGS):
            candidate = row + step / 2**halving
            predicted, slopes = _predict(model, candidate, codes)
            new_loss = negative_log_posterior(prior, candidate, target - predicted)
            if new_loss <= loss:
                break
        else:
            break
        change = np.abs(candidate - row).max()
        row, loss = candidate, new_loss
        if change < STILL:
            break
    return torch.from_numpy(row).float()


def contributions(
    model: RatingModel,
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
    at = row.double().cpu().numpy()
    predicted, slopes = _predict(model, at, torch.from_numpy(items))
    error = ratings.astype(np.float64) - predicted + slopes @ (at - prior.mean)
    matrix, pull = _normal_equations(prior, error, slopes)
    _, of_target = _predict(model, at, torch.tensor([target, 0]))
    return np.asarray((of_target[0] - of_target[1]) @ _solve(matrix, pull))


def negative_log_posterior(prior: UserPrior, row: Floats, errors: Floats) -> float:
    """Twice the negative logarithm of a row's posterior density, up to a constant: what `solve_row` minimizes.

    Args:
        errors: of the row's predictions, (ratings,).
    """
    off = row - prior.mean
    return float((errors**2).sum() / prior.noise + off @ prior.precision @ off)


def _predict(model: RatingModel, row: Floats, codes: Tensor) -> tuple[Floats, Floats]:
    """Predictions and Jacobian in double precision on the CPU, wherever the model is."""
    device = device_of(model)
    with torch.no_grad():
        predicted, slopes = model.predict_with_jacobian(torch.from_numpy(row).float().to(device), codes.to(device))
    return predicted.double().cpu().numpy(), slopes.double().cpu().numpy()


def _normal_equations(prior: UserPrior, errors: Floats, slopes: Floats) -> tuple[Floats, Floats]:
    """The Gauss-Newton matrix, (width, width), and each rating's pull on the row, (width, ratings)."""
    return prior.precision + slopes.T @ slopes / prior.noise, slopes.T * errors / prior.noise


def _solve(matrix: Floats, right: Floats) -> Floats:
    """``matrix^-1 right``; of a matrix that rounding leaves singular, the shortest of the solutions."""
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right)[0], dtype=np.float64)
