"""Many draws of a dot-product model from its posterior: their mean predicts, their spread says how sure that is."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor, nn

from vectable.models.rating_model import Limits

SMALL = 40  # rows or fewer whose factors are found by the dense decomposition


class PosteriorDotBias(nn.Module):
    """``rating = centre + scale * (<p_u, q_i> + b_u + b_i)``, mean over draws; see `sampling/chain.py`.

    With ordered categories the sum is a latent, and the rating the mean of the categories' `values` weighted by the
    probability that ``latent + N(0, 1)`` lies between their cuts.

    It has more than a dozen methods because it keeps the contract of a `RatingModel` and answers per draw as well.

    Args:
        users, items: rows of every draw side by side, (users + 1, draws * (factors + 1)) and (items + 1, same), half
            or single precision: the factors, then the bias. Entry 0 is one of whom nothing is known.
        centre, scale: from the sampler's units to the rating scale.
        cuts: of each draw, (draws, categories + 1), or None.
        values: of the categories, (categories,), or None.
    """

    def __init__(
        self,
        users: Tensor,
        items: Tensor,
        n_draws: int,
        centre: float,
        scale: float,
        cuts: Tensor | None = None,
        values: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.users, self.items = (nn.Parameter(rows, requires_grad=False) for rows in (users, items))
        self.n_draws, self.centre, self.scale = n_draws, centre, scale
        self.cuts, self.values = cuts, values

    has_biases = True

    @property
    def n_factors(self) -> int:
        """Width of the vectors."""
        return self.users.shape[1] // self.n_draws - 1

    @property
    def limits(self) -> Limits | None:
        """Lowest and highest category; None where ratings are numbers."""
        return None if self.values is None else (float(self.values[0]), float(self.values[-1]))

    @cached_property
    def members(self) -> "list[Draw]":
        """The draws, each as a model of its own."""
        return [Draw(self, at) for at in range(self.n_draws)]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Mean predicted ratings, (rows,), of user codes (rows,) and item codes (rows,); not clipped to the scale."""
        return self.each(users, items).mean(dim=0)

    def each(self, users: Tensor, items: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Every draw's prediction, (draws, rows); `offsets`, (draws, rows), join the sum."""
        sums = self.sums(users, items)
        return self.to_ratings(sums if offsets is None else sums + offsets)

    def sums(self, users: Tensor, items: Tensor) -> Tensor:
        """Every draw's dot product and biases, (draws, rows), in the sampler's units."""
        shape = (len(users), self.n_draws, self.n_factors + 1)
        p, q = self.users[users].float().view(shape), self.items[items].float().view(shape)
        sums: Tensor = (p[..., :-1] * q[..., :-1]).sum(dim=2) + p[..., -1] + q[..., -1]
        return sums.T

    def to_ratings(self, sums: Tensor) -> Tensor:
        """From each draw's sum, (draws, ...), to its expected rating."""
        if self.cuts is None:
            return self.centre + self.scale * sums
        assert self.values is not None
        expected: Tensor = self.probabilities(sums) @ self.values
        return expected

    def probabilities(self, sums: Tensor) -> Tensor:
        """Of each category in each draw, (draws, ..., categories)."""
        assert self.cuts is not None
        cuts = self.cuts.view(self.n_draws, *[1] * (sums.dim() - 1), -1)
        below: Tensor = torch.special.ndtr(cuts - sums[..., None])
        return below.diff(dim=-1)

    # ---------------------------------------------------------------- rows of users

    def user_rows(self, users: Tensor) -> Tensor:
        """All that the draws know of some users, side by side, (users, draws * (factors + 1))."""
        return self.users[users].float()

    def score_rows(self, rows: Tensor) -> Tensor:
        """Mean predicted rating of every item, (users, items), clipped to the scale only where it is shown."""
        if self.cuts is None:
            sums = rows.float() @ self._designs.T
            return self.centre + self.scale * (sums.div_(self.n_draws) + self._item_bias.mean(dim=1))
        return torch.stack([self.member_scores(row).mean(dim=0) for row in rows])

    def member_scores(self, row: Tensor) -> Tensor:
        """Every draw's prediction of every item, (draws, items), for one user's row."""
        return self.to_ratings(self.sums_of_row(row))

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Mean predictions of some items, (items,), for one user's row, and their derivatives by the whole row."""
        pairs = zip(self.members, row.chunk(self.n_draws), strict=True)
        predicted, slopes = zip(*(draw.predict_with_jacobian(part, items) for draw, part in pairs), strict=True)
        return torch.stack(predicted).mean(dim=0), torch.cat(slopes, dim=1) / self.n_draws

    def sums_of_row(self, row: Tensor) -> Tensor:
        """Every draw's sum for every item, (draws, items), for one user's row, in the sampler's units."""
        designs = self._designs.view(len(self.items), self.n_draws, -1)
        return torch.einsum("isd,sd->si", designs, row.view(self.n_draws, -1)) + self._item_bias.T

    def designs_of(self, items: Tensor) -> Tensor:
        """``(q, 1)`` of some items in each draw, (draws, items, factors + 1)."""
        return self._designs[items.long()].view(len(items), self.n_draws, -1).transpose(0, 1)

    def slopes_of_row(self, row: Tensor) -> NDArray[np.float64]:
        """How fast every item's expected category grows with the latent, (draws, items), for one user's row."""
        assert self.cuts is not None
        assert self.values is not None
        return _slopes(self.cuts[:, None, :] - self.sums_of_row(row)[..., None], self.values).double().numpy()

    def vectors(self, of_items: bool) -> Tensor:
        """Factors of every item or user, (rows, factors): those whose dot products come closest to the draws' mean."""
        return self._factors[of_items]

    def biases(self, of_items: bool) -> Tensor:
        """Mean bias over the draws, in rating points (of a latent, with ordered categories), (rows,)."""
        rows = self.items if of_items else self.users
        depth = self.n_factors + 1
        return rows[:, depth - 1 :: depth].float().mean(dim=1) * self.scale

    def config(self) -> dict[str, Any]:
        """What the model is, in numbers."""
        return {"n_factors": self.n_factors, "n_draws": self.n_draws}

    @cached_property
    def _designs(self) -> Tensor:
        """Items as a user's row meets them, ``(q, 1)`` of each draw, (items, draws * (factors + 1)) float32."""
        designs = self.items.detach().float().clone()
        depth = self.n_factors + 1
        designs[:, depth - 1 :: depth] = 1.0
        return designs

    @cached_property
    def _item_bias(self) -> Tensor:
        """Of every item in every draw, (items, draws)."""
        depth = self.n_factors + 1
        return self.items.detach()[:, depth - 1 :: depth].float()

    @cached_property
    def _factors(self) -> Mapping[bool, Tensor]:
        """Best factors of the mean matrix of dot products, by singular value decomposition; row 0 is the mean row.

        Each draw may turn its factors as it likes, so a mean of vectors says nothing; the dot products do not turn.
        """
        users, items = (self._turned(rows) for rows in (self.users, self.items))
        k = self.n_factors
        if min(len(users), len(items)) <= max(SMALL, k + 1):
            left, sizes, right = np.linalg.svd(users @ items.T / self.n_draws, full_matrices=False)
            left, sizes, right = left[:, :k], sizes[:k], right[:k]
        else:
            shape = (len(users), len(items))
            matrix = LinearOperator(
                shape,
                matvec=lambda x: users @ (items.T @ x) / self.n_draws,
                rmatvec=lambda x: items @ (users.T @ x) / self.n_draws,
                dtype=np.float32,
            )
            left, sizes, right = svds(matrix, k=k, v0=np.ones(min(shape), dtype=np.float32))
            left, sizes, right = left[:, ::-1], sizes[::-1], right[::-1]
        roots = np.sqrt(self.scale * sizes)
        found = {}
        for of_items, rows in ((False, left * roots), (True, right.T * roots)):
            table = np.zeros((len(rows) + 1, k), dtype=np.float32)
            table[1:, : rows.shape[1]] = rows
            table[0] = table[1:].mean(axis=0)
            found[of_items] = torch.from_numpy(table)
        return found

    def _turned(self, rows: Tensor) -> NDArray[np.float32]:
        """The known rows' factors of all draws side by side, without biases."""
        shape = (len(rows) - 1, self.n_draws, self.n_factors + 1)
        return rows.detach()[1:].float().view(shape)[..., :-1].reshape(shape[0], -1).numpy()


class Draw:
    """One draw, as a model of its own.

    Args:
        of: all of them.
        at: which.
    """

    has_biases = True

    def __init__(self, of: PosteriorDotBias, at: int) -> None:
        self._of, depth = of, of.n_factors + 1
        self._part = slice(at * depth, (at + 1) * depth)
        self._cuts = None if of.cuts is None else of.cuts[at]

    def __call__(self, users: Tensor, items: Tensor) -> Tensor:
        """Predicted ratings, (rows,), of user codes (rows,) and item codes (rows,)."""
        p, q = self.user_rows(users), self._items(items)
        return self._to_ratings((p[:, :-1] * q[:, :-1]).sum(dim=1) + p[:, -1] + q[:, -1])

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
        return self._of.users[users, self._part].float()

    def score_rows(self, rows: Tensor) -> Tensor:
        """Predicted ratings of every item, (users, items)."""
        items = self._of.items[:, self._part].float()
        return self._to_ratings(rows[:, :-1] @ items[:, :-1].T + rows[:, -1:] + items[:, -1])

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions of some items, (items,), for one user row, (factors + 1,), and their derivatives by it."""
        designs = self._items(items)
        bias = designs[:, -1].clone()
        designs[:, -1] = 1.0
        sums = designs @ row + bias
        if self._cuts is None:
            return self._to_ratings(sums), self._of.scale * designs
        assert self._of.values is not None
        return self._to_ratings(sums), designs * _slopes(self._cuts - sums[:, None], self._of.values)[:, None]

    def vectors(self, of_items: bool) -> Tensor:
        """This draw's factors of every item or user, (rows, factors), in the sampler's units."""
        return (self._of.items if of_items else self._of.users)[:, self._part][:, :-1].float()

    def biases(self, of_items: bool) -> Tensor:
        """This draw's bias of every item or user, in rating points (of a latent, with ordered categories), (rows,)."""
        return (self._of.items if of_items else self._of.users)[:, self._part][:, -1].float() * self._of.scale

    def _items(self, items: Tensor) -> Tensor:
        """Factors and bias of items, (items, factors + 1)."""
        return self._of.items[items, self._part].float()

    def _to_ratings(self, sums: Tensor) -> Tensor:
        """From this draw's sums, any shape, to expected ratings."""
        if self._cuts is None:
            return self._of.centre + self._of.scale * sums
        assert self._of.values is not None
        expected: Tensor = torch.special.ndtr(self._cuts - sums[..., None]).diff(dim=-1) @ self._of.values
        return expected


def _slopes(edges: Tensor, values: Tensor) -> Tensor:
    """Derivative of the expected category by the latent, (...), from cuts less latent, (..., categories + 1)."""
    density = torch.exp(-0.5 * edges**2).div(np.sqrt(2 * np.pi))
    slopes: Tensor = -density.diff(dim=-1) @ values
    return slopes
