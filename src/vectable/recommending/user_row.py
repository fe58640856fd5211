"""The row of a user in a model of ratings: what is known before any rating, and what a few ratings make of it.

The row x of a user (factors and bias) is the maximum of ``log N(x; m, S) - sum (r - f(x))^2 / (2 v)``: m and S are
mean and covariance of the trained users' rows, v the mean squared error in training. A few damped Gauss-Newton steps,
each a solve of a (width x width) system. NumPy alone: what predicts, f, is handed in as a function.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Predict = Callable[[Floats, Codes], tuple[Floats, Floats]]
"""From a user's row, (width,), and item codes, (items,), to predictions, (items,), and Jacobian, (items, width)."""

STEPS = 8
HALVINGS = 30  # of a step that does not help
STILL = 1e-5  # largest change of a row that is as good as none
RIDGE = 1e-6  # joins the covariance: with fewer users than factors it is singular
PRIOR_USERS = 20_000  # rows that mean and covariance are taken from
NOISE_ROWS = 100_000  # training rows looked at to know a model's error


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
    def of_rows(cls, rows: Floats, noise: float) -> "UserPrior":
        """From the rows of trained users, (users, width); see `prior_users`."""
        mean = rows.mean(axis=0)
        spread = rows - mean
        covariance = spread.T @ spread / max(len(rows) - 1, 1) + RIDGE * np.eye(rows.shape[1])
        return cls(mean, np.linalg.inv(covariance), max(noise, RIDGE))


def prior_users(n_users: int) -> NDArray[np.int64]:
    """Codes of the users whose rows make the prior: all of them, of very many a fixed random sample."""
    if n_users <= PRIOR_USERS:
        return np.arange(1, n_users + 1)
    return np.sort(np.random.default_rng(0).choice(n_users, PRIOR_USERS, replace=False)) + 1


def noise_rows(n_rows: int) -> NDArray[np.int64]:
    """Training rows whose errors make the noise: all of them, of very many a fixed random sample."""
    if n_rows <= NOISE_ROWS:
        return np.arange(n_rows)
    return np.random.default_rng(0).choice(n_rows, NOISE_ROWS, replace=False)


def fit_row(predict: Predict, prior: UserPrior, items: Codes, ratings: NDArray[np.float32]) -> Floats:
    """The row of a user who gave `ratings` to `items`, (width,); the mean user where there are none."""
    row, target = prior.mean, ratings.astype(np.float64)
    if len(items) == 0:
        return row
    predicted, slopes = predict(row, items)
    loss = negative_log_posterior(prior, row, target - predicted)
    for _ in range(STEPS):
        matrix, pull = _normal_equations(prior, target - predicted, slopes)
        step = _solve(matrix, pull.sum(axis=1) - prior.precision @ (row - prior.mean))
        for halving in range(HALVINGS):
            candidate = row + step / 2**halving
            predicted, slopes = predict(candidate, items)
            new_loss = negative_log_posterior(prior, candidate, target - predicted)
            if new_loss <= loss:
                break
        else:
            break
        change = np.abs(candidate - row).max()
        row, loss = candidate, new_loss
        if change < STILL:
            break
    return row


def rating_contributions(
    predict: Predict, prior: UserPrior, row: Floats, items: Codes, ratings: NDArray[np.float32], target: int
) -> Floats:
    """How much each seen rating moves the prediction for item `target` away from what it does to the average item.

    The model is linearised at the user's row, where the normal equations make it a sum over the seen ratings (the
    reasoning of Hu, Koren & Volinsky 2008, section 5, doi 10.1109/ICDM.2008.22).

    Returns:
        In rating points, (seen items,).
    """
    predicted, slopes = predict(row, items)
    error = ratings.astype(np.float64) - predicted + slopes @ (row - prior.mean)
    matrix, pull = _normal_equations(prior, error, slopes)
    _, of_target = predict(row, np.array([target, 0], dtype=np.int32))
    return np.asarray((of_target[0] - of_target[1]) @ _solve(matrix, pull))


def negative_log_posterior(prior: UserPrior, row: Floats, errors: Floats) -> float:
    """Twice the negative logarithm of a row's posterior density, up to a constant: what `fit_row` minimizes.

    Args:
        errors: of the row's predictions, (ratings,).
    """
    off = row - prior.mean
    return float((errors**2).sum() / prior.noise + off @ prior.precision @ off)


def _normal_equations(prior: UserPrior, errors: Floats, slopes: Floats) -> tuple[Floats, Floats]:
    """The Gauss-Newton matrix, (width, width), and each rating's pull on the row, (width, ratings)."""
    return prior.precision + slopes.T @ slopes / prior.noise, slopes.T * errors / prior.noise


def _solve(matrix: Floats, right: Floats) -> Floats:
    """``matrix^-1 right``; of a matrix that rounding leaves singular, the shortest of the solutions."""
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right)[0], dtype=np.float64)
