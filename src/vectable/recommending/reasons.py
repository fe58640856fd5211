"""Why a model of ratings predicts what it does: terms that add up to it, and the seen items behind the last of them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.models.rating_model import RatingModel, device_of
from vectable.recommending.fold_in import contributions
from vectable.recommending.terms import Term, terms_of
from vectable.recommending.user_row import UserPrior

Member = tuple[RatingModel, UserPrior, Tensor]  # a model, what it knows of users, the user's row in it


def explain_row(
    members: Sequence[Member],
    seen: NDArray[np.int32],
    ratings: NDArray[np.float32],
    item: int,
    n: int,
    scale: tuple[float, float] | None = None,
) -> list[Term]:
    """Terms of the prediction for one user row and one item, means over an ensemble's members; see `terms.terms_of`.

    Args:
        seen, ratings: item codes and ratings of the user's training rows.
        n: number of seen items to name.
        scale: to which the prediction is clipped.
    """
    corners = np.mean([_corners(model, row, item) for model, _, row in members], axis=0)
    points = np.zeros(0)
    if len(seen):
        points = np.mean([contributions(m, prior, row, seen, ratings, item) for m, prior, row in members], axis=0)
    return terms_of(corners.tolist(), seen, ratings, points, item, n, scale)


def _corners(model: RatingModel, row: Tensor, item: int) -> list[float]:
    """f(0, 0), f(u, 0), f(0, i) and f(u, i)."""
    with torch.no_grad():
        codes = torch.tensor([0, item], device=device_of(model))
        average = model.user_rows(codes[:1])[0]
        both = [model.predict_with_jacobian(one, codes)[0] for one in (average, row.to(codes.device))]
    return [float(both[0][0]), float(both[1][0]), float(both[0][1]), float(both[1][1])]
