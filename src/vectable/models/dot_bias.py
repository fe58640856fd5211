"""A user's vector times an item's vector, plus a bias for each: the model of collaborative filtering."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vectable.errors import is_whole, require
from vectable.folder_schema import record, whole
from vectable.models.layers import embedding, fill_unknown_rows, grow_rows, sigmoid_range
from vectable.models.rating_model import SingleModel
from vectable.models.saved_model import RANGE


class EmbeddingDotBias(SingleModel, nn.Module):
    """``rating = range(<user factors, item factors> + user bias + item bias)``.

    Args:
        n_users, n_items: rows of the tables, the unknown (code 0) among them.
        n_factors: width of the vectors.
        y_range: (low, high) of a sigmoid around the sum, a little outside the scale; None for the plain sum.

    Examples:
        >>> import torch, vectable as vt
        >>> model = vt.EmbeddingDotBias(n_users=3, n_items=5, n_factors=2, y_range=(0, 5.5))
        >>> tuple(model(torch.tensor([1, 2]), torch.tensor([4, 0])).shape)
        (2,)
    """

    CONFIG = record(n_users=whole(1), n_items=whole(1), n_factors=whole(1), y_range=RANGE)
    """The form of `config` in a saved folder."""

    def __init__(self, n_users: int, n_items: int, n_factors: int = 40, y_range: Sequence[float] | None = None):
        super().__init__()
        require(is_whole(n_factors, 1), f"n_factors must be a positive integer; got {n_factors!r}.")
        self.user_factors, self.item_factors = embedding(n_users, n_factors), embedding(n_items, n_factors)
        self.user_bias, self.item_bias = embedding(n_users, 1), embedding(n_items, 1)
        self.y_range = None if y_range is None else (float(y_range[0]), float(y_range[1]))

    @property
    def n_factors(self) -> int:
        """Width of the vectors."""
        return self.user_factors.embedding_dim

    has_biases = True

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Predicted ratings, (rows,), of user codes (rows,) and item codes (rows,)."""
        dot = (self.user_factors(users) * self.item_factors(items)).sum(dim=1)
        return self.squash(dot + self.user_bias(users).squeeze(1) + self.item_bias(items).squeeze(1))

    def squash(self, sums: Tensor) -> Tensor:
        """From the sum of dot product and biases to the rating scale, any shape."""
        return sums if self.y_range is None else sigmoid_range(sums, *self.y_range)

    def user_rows(self, users: Tensor) -> Tensor:
        """All that the model knows of some users: factors, then bias, (users, n_factors + 1)."""
        return torch.cat([self.user_factors(users), self.user_bias(users)], dim=1)

    def score_rows(self, rows: Tensor) -> Tensor:
        """Predicted ratings of every item, (users, items), for rows like those of `user_rows`: one matrix product."""
        dots = rows[:, :-1] @ self.item_factors.weight.T
        sums = dots.add_(rows[:, -1:]).add_(self.item_bias.weight.T)
        if self.y_range is None:
            return sums
        low, high = self.y_range
        return sums.sigmoid_().mul_(high - low).add_(low)  # in place: the table of all scores is large

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions of some items, (items,), for one user row, (n_factors + 1,), and their derivatives by it."""
        with torch.no_grad():
            vectors = torch.cat([self.item_factors(items), torch.ones(len(items), 1, device=row.device)], dim=1)
            predicted = self.squash(vectors @ row + self.item_bias(items).squeeze(1))
        if self.y_range is None:
            return predicted, vectors
        low, high = self.y_range
        slope = (predicted - low) * (high - predicted) / (high - low)
        return predicted, vectors * slope[:, None]

    def vectors(self, of_items: bool) -> Tensor:
        """Factors of every item or user, (rows, n_factors): what neighbours and maps are made of."""
        return (self.item_factors if of_items else self.user_factors).weight.detach()

    def biases(self, of_items: bool) -> Tensor:
        """Bias of every item or user, (rows,)."""
        return (self.item_bias if of_items else self.user_bias).weight.detach().squeeze(1)

    def grow(self, n_users: int, n_items: int) -> None:
        """Append rows for new users and items, in place."""
        for table, n_rows in ((self.user_factors, n_users), (self.user_bias, n_users),
                              (self.item_factors, n_items), (self.item_bias, n_items)):  # fmt: skip
            grow_rows(table, n_rows)

    def fill_unknown(self) -> None:
        """Code 0 becomes the mean user and the mean item."""
        fill_unknown_rows([self.user_factors, self.item_factors, self.user_bias, self.item_bias])

    def config(self) -> dict[str, Any]:
        """The arguments that make an empty copy."""
        return {
            "n_users": self.user_factors.num_embeddings,
            "n_items": self.item_factors.num_embeddings,
            "n_factors": self.n_factors,
            "y_range": None if self.y_range is None else list(self.y_range),
        }
