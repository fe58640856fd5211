"""Ranking by more than the expected rating: what might be good, or what is surely not bad."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.errors import VectableError
from vectable.models.rating_model import MemberScores, RatingModel
from vectable.recommending.request import NEEDS_SPREAD

Floats = NDArray[np.float64]
MeanAndStd = Callable[[Tensor], tuple[Floats, Floats]]


def member_mean_and_std(model: RatingModel) -> MeanAndStd:
    """A function from a user's row to expected ratings of all items and their standard deviations, (items,) each.

    Raises:
        VectableError: the model is a single one, which does not know how sure it is.
    """
    if not isinstance(model, MemberScores):
        raise VectableError(NEEDS_SPREAD)
    several: MemberScores = model

    def mean_and_std(row: Tensor) -> tuple[Floats, Floats]:
        with torch.no_grad():
            each = several.member_scores(row).double().cpu().numpy()
        return each.mean(axis=0), each.std(axis=0)

    return mean_and_std


class UpperConfidenceBound:
    """Scores of items: expected rating plus a number of standard deviations (UCB; Auer 2002, JMLR 3).

    Args:
        mean_and_std: of every item for a user's row; not clipped to the scale, or all that may be good would be equal.
        scale: number of standard deviations; above 0 tries what is uncertain, below 0 plays safe.
    """

    def __init__(self, mean_and_std: MeanAndStd, scale: float) -> None:
        self.mean_and_std, self.scale = mean_and_std, scale

    def score_rows(self, rows: Tensor) -> Tensor:
        """Scores of every item, (users, items), for user rows, (users, width)."""
        both = (self.mean_and_std(row) for row in rows)
        return torch.from_numpy(np.stack([mean + self.scale * std for mean, std in both])).float()
