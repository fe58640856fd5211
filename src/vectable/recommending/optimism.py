"""Ranking by more than the mean: what might be good, or what is surely not bad."""

from typing import Any

import torch
from torch import Tensor


class Optimistic:
    """A model of many draws whose scores are their mean plus so many standard deviations.

    Args:
        model: with `each_of_row`, every draw's prediction of every item for one user's row.
        deviations: above 0 to try what is uncertain, below 0 to play safe.
    """

    def __init__(self, model: Any, deviations: float) -> None:
        self._model, self._deviations = model, deviations

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def eval(self) -> "Optimistic":
        """It never trains."""
        return self

    def score_rows(self, rows: Tensor) -> Tensor:
        """Scores of every item, (users, items)."""
        each = (self._model.each_of_row(row) for row in rows)
        return torch.stack([one.mean(dim=0) + self._deviations * one.std(dim=0, correction=0) for one in each])
