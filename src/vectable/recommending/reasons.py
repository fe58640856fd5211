"""Why a prediction is what it is: terms that add up to it, and the seen items behind the last of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.models.rating_model import RatingModel, device_of
from vectable.recommending.fold_in import UserPrior, contributions

Member = tuple[RatingModel, UserPrior, Tensor]  # a model, what it knows of users, the user's row in it

BEYOND_SCALE = 1e-6  # rating points that rounding may add


@dataclass(frozen=True)
class Term:
    """A part of a prediction.

    Attributes:
        name: "prediction", "mean", "user", "item", "taste", "because", "everything else", "end of scale".
        points: in rating points.
        item: code of the seen item of a "because"; else 0.
        rating: what the user gave it.
    """

    name: str
    points: float
    item: int = 0
    rating: float | None = None


def explain_row(
    members: Sequence[Member],
    seen: NDArray[np.int32],
    ratings: NDArray[np.float32],
    item: int,
    n: int,
    scale: tuple[float, float] | None = None,
) -> list[Term]:
    """Terms of the prediction for one user row and one item, in rating points, means over an ensemble's members.

    With f(u, i) the prediction and 0 the average: mean = f(0, 0), user = f(u, 0) - mean, item = f(0, i) - mean, and
    taste is the rest. Of the taste, the seen items that contribute most follow; see `fold_in.contributions`. The item
    itself is never among them: what the user gave it is the thing to be explained.

    Args:
        seen, ratings: item codes and ratings of the user's training rows.
        n: number of seen items to name.
        scale: to which the prediction is clipped; what that takes away is the term "end of scale".

    Returns:
        "prediction", which is the sum of "mean", "user", "item", "taste" and, if there is one, "end of scale"; the
        terms "because" and "everything else" sum to "taste".
    """
    corners = np.mean([_corners(model, row, item) for model, _, row in members], axis=0)
    average, of_user, of_item, prediction = corners.tolist()
    taste = prediction - of_user - of_item + average
    shown = prediction if scale is None else min(max(prediction, scale[0]), scale[1])
    terms = [
        Term("prediction", shown),
        Term("mean", average),
        Term("user", of_user - average),
        Term("item", of_item - average),
    ]
    if abs(shown - prediction) > BEYOND_SCALE:
        terms.append(Term("end of scale", shown - prediction))
    terms.append(Term("taste", taste))
    if len(seen):
        points = np.mean([contributions(m, prior, row, seen, ratings, item) for m, prior, row in members], axis=0)
        strongest = _strongest(np.where(seen == item, 0.0, points) * np.sign(taste or 1), n)
        terms += [Term("because", float(points[at]), int(seen[at]), float(ratings[at])) for at in strongest]
        terms.append(Term("everything else", taste - float(points[strongest].sum())))
    return terms


def _strongest(points: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Places of the up to `n` largest points above 0, the largest first."""
    best = np.argsort(-points, kind="stable")[:n]
    return best[points[best] > 0]


def _corners(model: RatingModel, row: Tensor, item: int) -> list[float]:
    """f(0, 0), f(u, 0), f(0, i) and f(u, i)."""
    with torch.no_grad():
        codes = torch.tensor([0, item], device=device_of(model))
        average = model.user_rows(codes[:1])[0]
        both = [model.predict_with_jacobian(one, codes)[0] for one in (average, row.to(codes.device))]
    return [float(both[0][0]), float(both[1][0]), float(both[0][1]), float(both[1][1])]
