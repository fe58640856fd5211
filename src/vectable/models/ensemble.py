"""Several models of one kind, trained from different seeds: their mean is better, their spread says how sure."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """The mean of its members' predictions.

    Args:
        members: models of one kind and size.
        logits: whether outputs are logits of classes: then the mean is of the probabilities, and the output its
            logarithm, from which softmax gives that mean again.
    """

    def __init__(self, members: Sequence[nn.Module], logits: bool = False):
        super().__init__()
        self.members = nn.ModuleList(members)
        self.logits = logits

    def forward(self, *inputs: Tensor) -> Tensor:
        """Mean prediction of the members, shaped like one member's."""
        each = self.each(*inputs)
        if not self.logits:
            return each.mean(dim=0)
        return torch.logsumexp(torch.log_softmax(each, dim=-1), dim=0) - math.log(len(self.members))

    def each(self, *inputs: Tensor) -> Tensor:
        """Every member's prediction, (members, ...)."""
        return torch.stack([member(*inputs) for member in self.members])

    def user_rows(self, users: Tensor) -> Tensor:
        """The members' rows side by side, (users, members * width)."""
        return torch.cat([member.user_rows(users) for member in self._raters], dim=1)

    def score_rows(self, rows: Tensor) -> Tensor:
        """Mean predicted rating of every item, (users, items)."""
        parts = rows.chunk(len(self.members), dim=1)
        total = self._raters[0].score_rows(parts[0])
        for member, part in zip(self._raters[1:], parts[1:], strict=True):
            total += member.score_rows(part)
        return torch.div(total, len(self.members))

    def vectors(self, of_items: bool) -> Tensor:
        """The members' vectors side by side: a dot product of two is the sum of the members'."""
        return torch.cat([member.vectors(of_items) for member in self._raters], dim=1)

    def biases(self, of_items: bool) -> Tensor:
        """Mean bias of every item or user over the members, (rows,)."""
        return torch.stack([member.biases(of_items) for member in self._raters]).mean(dim=0)

    def grow(self, n_users: int, n_items: int) -> None:
        """Append rows in every member."""
        for member in self._raters:
            member.grow(n_users, n_items)

    def fill_unknown(self) -> None:
        """Code 0 becomes the mean row in every member."""
        for member in self._raters:
            member.fill_unknown()

    def config(self) -> dict[str, Any]:
        """One member's arguments; the number of members is kept beside it."""
        return dict(self._raters[0].config())

    @property
    def _raters(self) -> list[Any]:
        return list(self.members)
