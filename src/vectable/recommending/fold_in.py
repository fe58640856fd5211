"""A new user from a few ratings, in any model of ratings; the mathematics is `user_row.py`'s, in NumPy.

On matrices as small as a user's torch would only wait for its threads: it is asked for predictions alone.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.models.rating_model import RatingModel, device_of
from vectable.recommending.user_row import Codes, Floats, Predict, UserPrior, fit_row, prior_users, rating_contributions


def prior_of(model: RatingModel, n_users: int, noise: float) -> UserPrior:
    """What the rows of a model's trained users (codes 1 to `n_users`) say of any user.

    Args:
        noise: variance of a rating about its prediction.
    """
    codes = torch.from_numpy(prior_users(n_users)).to(device_of(model))
    with torch.no_grad():
        return UserPrior.of_rows(model.user_rows(codes).double().cpu().numpy(), noise)


def solve_row(model: RatingModel, prior: UserPrior, items: Codes, ratings: NDArray[np.float32]) -> Tensor:
    """The row of a user who gave `ratings` to `items`, (width,); see `user_row.fit_row`."""
    return torch.from_numpy(fit_row(_predict_with(model), prior, items, ratings)).float()


def contributions(
    model: RatingModel,
    prior: UserPrior,
    row: Tensor,
    items: Codes,
    ratings: NDArray[np.float32],
    target: int,
) -> Floats:
    """What each seen rating adds to the prediction for item `target`; see `user_row.rating_contributions`."""
    at = row.double().cpu().numpy()
    return rating_contributions(_predict_with(model), prior, at, items, ratings, target)


def _predict_with(model: RatingModel) -> Predict:
    """A function for predictions and Jacobian in double precision on the CPU, wherever the model is."""
    device = device_of(model)

    def predict(row: Floats, items: Codes) -> tuple[Floats, Floats]:
        codes = torch.from_numpy(items).to(device)
        with torch.no_grad():
            predicted, slopes = model.predict_with_jacobian(torch.from_numpy(row).float().to(device), codes)
        return predicted.double().cpu().numpy(), slopes.double().cpu().numpy()

    return predict
