"""How good predictions are, compared with what a model must beat: the mean of all ratings, and biases alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.encoded_ratings import Ratings
from vectable.data.ratings.ratings_data import RatingsData
from vectable.recommending.baselines import BiasBaseline
from vectable.training.metrics import mae, rmse

NAMES = {"global mean": "the mean of all ratings has", "biases": "the biases of users and items alone have"}


def errors_of(held_out: Ratings, guess: NDArray[Any]) -> dict[str, float]:
    """Mean squared error (as valid_loss), rmse and mae of guesses for held-out ratings."""
    if len(held_out) == 0:
        return dict.fromkeys(("valid_loss", "rmse", "mae"), float("nan"))
    error = rmse(guess, held_out.rating)
    return {"valid_loss": error**2, "rmse": error, "mae": mae(guess, held_out.rating)}


def baseline_errors(data: RatingsData, biases: BiasBaseline) -> dict[str, dict[str, float]]:
    """Errors on the validation ratings of their mean alone, and of that mean plus biases of user and item."""
    held_out = data.valid_ratings
    guesses = {
        "global mean": np.full(len(held_out), data.mean_rating),
        "biases": biases.predict(held_out.user, held_out.item),
    }
    return {name: errors_of(held_out, guess) for name, guess in guesses.items()}


def verdict(measured: Mapping[str, Any]) -> str | None:
    """What `validate` found, in a sentence, where the model does not beat its baselines; None where it does.

    Args:
        measured: errors of the model by name, and under "baselines" those of each baseline.
    """
    names = [name for name in ("rmse", "mae") if name in measured]
    if not names:
        return None
    (error, *_) = names
    best = min(measured["baselines"], key=lambda name: float(measured["baselines"][name][error]))
    least = measured["baselines"][best][error]
    if not measured[error] >= least:
        return None
    return (
        f"This model does not beat its baselines: its {error} on the held-out ratings is {measured[error]:.4f}, and "
        f"{NAMES[best]} {least:.4f}. Do not rely on it. Check that the column of ratings holds ratings, not "
        "quantities, prices or times; then train longer."
    )
