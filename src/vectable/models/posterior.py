"""Draws of a dot-product model from its posterior as a torch module that keeps the contract of a `RatingModel`."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.models.drawn_model import DrawnModel
from vectable.models.rating_model import Limits


class PosteriorDotBias(nn.Module):
    """The mean over draws.

    Args:
        drawn: the draws.
    """

    def __init__(self, drawn: DrawnModel) -> None:
        super().__init__()
        self.drawn = drawn
        self.users, self.items = (
            nn.Parameter(torch.from_numpy(rows), requires_grad=False) for rows in (drawn.users, drawn.items)
        )

    has_biases = True

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return self.drawn.n_draws

    @property
    def n_factors(self) -> int:
        """Width of the vectors."""
        return self.drawn.depth - 1

    @property
    def limits(self) -> Limits | None:
        """Lowest and highest category; None where ratings are numbers."""
        values = self.drawn.values
        return None if values is None else (float(values[0]), float(values[-1]))

    @cached_property
    def members(self) -> "list[Draw]":
        """The draws, each as a model of its own."""
        return [Draw(self, at) for at in range(self.n_draws)]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Mean predicted ratings, (rows,), of user codes (rows,) and item codes (rows,); not clipped to the scale."""
        sums = self.drawn.sums(users.numpy(), items.numpy())
        return torch.from_numpy(self.drawn.to_ratings(sums).mean(axis=0))

    def user_rows(self, users: Tensor) -> Tensor:
        """All that the draws know of some users, side by side, (users, draws * (factors + 1))."""
        return torch.from_numpy(self.drawn.users[users.numpy()].astype(np.float32))

    def score_rows(self, rows: Tensor) -> Tensor:
        """Mean predicted rating of every item, (users, items), clipped to the scale only where it is shown."""
        return torch.from_numpy(self.drawn.score_rows(rows.float().numpy()))

    def member_scores(self, row: Tensor) -> Tensor:
        """Every draw's prediction of every item, (draws, items), for one user's row."""
        return torch.from_numpy(self.drawn.member_scores(row.float().numpy()))

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Mean predictions of some items, (items,), for one user's row, and their derivatives by the whole row."""
        pairs = zip(self.members, row.chunk(self.n_draws), strict=True)
        predicted, slopes = zip(*(draw.predict_with_jacobian(part, items) for draw, part in pairs), strict=True)
        return torch.stack(predicted).mean(dim=0), torch.cat(slopes, dim=1) / self.n_draws

    def vectors(self, of_items: bool) -> Tensor:
        """Factors of every item or user, (rows, factors): those whose dot products come closest to the draws' mean."""
        return torch.from_numpy(self.drawn.vectors(of_items))

    def biases(self, of_items: bool) -> Tensor:
        """Mean bias over the draws, in rating points (of a latent, with ordered categories), (rows,)."""
        return torch.from_numpy(self.drawn.biases(of_items))

    def config(self) -> dict[str, Any]:
        """What the model is, in numbers."""
        return {"n_factors": self.n_factors, "n_draws": self.n_draws}


class Draw:
    """One draw, as a model of its own.

    Args:
        of: all of them.
        at: which.
    """

    has_biases = True

    def __init__(self, of: PosteriorDotBias, at: int) -> None:
        self._of, self._draw = of, of.drawn.draw(at)

    def __call__(self, users: Tensor, items: Tensor) -> Tensor:
        """Predicted ratings, (rows,), of user codes (rows,) and item codes (rows,)."""
        return torch.from_numpy(self._draw.predict(self.user_rows(users).numpy(), items.numpy()))

    @property
    def members(self) -> "list[Draw]":
        """Itself alone."""
        return [self]

    @property
    def limits(self) -> Limits | None:
        """Lowest and highest category; None where ratings are numbers."""
        return self._of.limits

    def parameters(self) -> Iterator[Tensor]:
        """The weights of all draws, which tell the device."""
        return self._of.parameters()

    def user_rows(self, users: Tensor) -> Tensor:
        """Factors and bias of users, (users, factors + 1)."""
        return torch.from_numpy(self._draw.users[users.numpy()].astype(np.float32))

    def score_rows(self, rows: Tensor) -> Tensor:
        """Predicted ratings of every item, (users, items)."""
        return torch.from_numpy(self._draw.score_rows(rows.float().numpy()))

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions of some items, (items,), for one user row, (factors + 1,), and their derivatives by it."""
        predicted, slopes = self._draw.predict_with_jacobian(row.float().numpy(), items.numpy())
        return torch.from_numpy(predicted), torch.from_numpy(slopes)

    def vectors(self, of_items: bool) -> Tensor:
        """This draw's factors of every item or user, (rows, factors), in the sampler's units."""
        return torch.from_numpy(self._rows(of_items)[:, :-1])

    def biases(self, of_items: bool) -> Tensor:
        """This draw's bias of every item or user, in rating points (of a latent, with ordered categories), (rows,)."""
        return torch.from_numpy(self._rows(of_items)[:, -1] * self._of.drawn.scale)

    def _rows(self, of_items: bool) -> NDArray[np.float32]:
        return (self._draw.items if of_items else self._draw.users).astype(np.float32)


def normal(values: NDArray[Any]) -> NDArray[Any]:
    """Distribution function of the standard normal, any shape, on all cores."""
    return np.asarray(torch.special.ndtr(torch.from_numpy(np.ascontiguousarray(values))).numpy())
