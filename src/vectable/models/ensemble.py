"""Several models of one kind, trained from different seeds: their mean is better, their spread says how sure it is."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from vectable.errors import is_whole, require
from vectable.models.rating_model import Limits, RatingNet

Net = TypeVar("Net", bound=nn.Module)

SEEDS_APART = 1000  # between members


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


def seeded_members(make: Callable[[], Net], n_models: int, seed: int) -> list[Net]:
    """Models of one kind, each started from a seed of its own; torch's random state is as before, afterwards.

    Args:
        make: makes one.
        n_models: the number of models that are averaged at prediction time.
        seed: random seed of the first.
    """
    require(is_whole(n_models, 1), f"n_models must be a positive integer; got {n_models!r}.")
    members = []
    with torch.random.fork_rng(devices=[]):
        for member in range(n_models):
            torch.manual_seed(seed + SEEDS_APART * member)
            members.append(make())
    return members


class RatingEnsemble(Ensemble):
    """The mean of several models of ratings; a user's row is the members' rows side by side.

    Args:
        members: models of one kind and size.
    """

    members: Sequence[RatingNet]  # type: ignore[assignment]  # torch's own list, seen by what its entries can do

    def __init__(self, members: Sequence[nn.Module]):
        super().__init__(members)

    @property
    def has_biases(self) -> bool:
        """Whether the members have biases."""
        return self.members[0].has_biases

    @property
    def limits(self) -> Limits | None:
        """Those of the members, which are of one kind."""
        return self.members[0].limits

    def user_rows(self, users: Tensor) -> Tensor:
        """The members' rows side by side, (users, members * width)."""
        return torch.cat([member.user_rows(users) for member in self.members], dim=1)

    def score_rows(self, rows: Tensor) -> Tensor:
        """Mean predicted rating of every item, (users, items)."""
        first, *others = zip(self.members, rows.chunk(len(self.members), dim=1), strict=True)
        total = first[0].score_rows(first[1])
        for member, part in others:
            total += member.score_rows(part)
        return torch.div(total, len(self.members))

    def member_scores(self, row: Tensor) -> Tensor:
        """Every member's prediction of every item, (members, items), for one user row, (members * width,)."""
        parts = row[None].chunk(len(self.members), dim=1)
        return torch.cat([member.score_rows(part) for member, part in zip(self.members, parts, strict=True)])

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Mean predictions of some items, (items,), for one user row, and their derivatives by the whole row."""
        pairs = zip(self.members, row.chunk(len(self.members)), strict=True)
        predicted, slopes = zip(*(member.predict_with_jacobian(part, items) for member, part in pairs), strict=True)
        return torch.stack(predicted).mean(dim=0), torch.cat(slopes, dim=1) / len(self.members)

    def vectors(self, of_items: bool) -> Tensor:
        """The members' vectors side by side: a dot product of two is the sum of the members'."""
        return torch.cat([member.vectors(of_items) for member in self.members], dim=1)

    def biases(self, of_items: bool) -> Tensor:
        """Mean bias of every item or user over the members, (rows,)."""
        return torch.stack([member.biases(of_items) for member in self.members]).mean(dim=0)

    def grow(self, n_users: int, n_items: int) -> None:
        """Append rows in every member."""
        for member in self.members:
            member.grow(n_users, n_items)

    def fill_unknown(self) -> None:
        """Code 0 becomes the mean row in every member."""
        for member in self.members:
            member.fill_unknown()

    def config(self) -> dict[str, Any]:
        """One member's arguments; the number of members is kept beside it."""
        return self.members[0].config()
