"""Users, items and whatever else is known of a rating: a bias and a vector each, and every two multiplied."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from vectable.errors import is_whole, require
from vectable.folder_schema import boolean, list_of, number, record, whole
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.layers import embedding, sigmoid_range
from vectable.models.saved_model import RANGE
from vectable.models.tabular import PiecewiseLinear


class FactorisationMachine(nn.Module):
    """``y = range(bias + sum of x_a w_a + sum over pairs of x_a x_b <v_a, v_b>)`` (Rendle 2010, doi
    10.1109/ICDM.2010.127).

    A category is an x of 1, a number x itself (and each of its bins and their steps one more). On two categories alone
    this is `EmbeddingDotBias`.

    Args:
        embeddings: codes of each category column; the unknown is code 0, the missing the last.
        shows_missing: of each, whether training rows have missing values.
        n_numbers: number columns.
        n_factors: width of the vectors.
        y_range: (low, high) of a sigmoid around the sum; None for the plain sum.
        borders: for each number column the borders of its piecewise-linear bins, possibly none.
    """

    CONFIG = record(
        embeddings=list_of(whole(1)),
        shows_missing=list_of(boolean),
        n_numbers=whole(0),
        n_factors=whole(1),
        y_range=RANGE,
        borders=list_of(list_of(number())),
    )
    """The form of `config` in a saved folder."""

    def __init__(
        self,
        embeddings: Sequence[int],
        shows_missing: Sequence[bool],
        n_numbers: int = 0,
        n_factors: int = 40,
        y_range: Sequence[float] | None = None,
        borders: Sequence[Sequence[float]] = (),
    ):
        super().__init__()
        require(is_whole(n_factors, 1), f"n_factors must be a positive integer; got {n_factors!r}.")
        self.embeddings = nn.ModuleList(embedding(rows, n_factors) for rows in embeddings)
        self.biases = nn.ModuleList(embedding(rows, 1) for rows in embeddings)
        self.bins = PiecewiseLinear(borders) if any(len(one) > 1 for one in borders) else None
        width = n_numbers + (self.bins.width if self.bins else 0)
        self.number_vectors = nn.Parameter(embedding(width, n_factors).weight.detach())
        self.number_weights = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(1))
        self.shows_missing = list(shows_missing)
        self.y_range = None if y_range is None else (float(y_range[0]), float(y_range[1]))
        self._config: dict[str, Any] = {
            "embeddings": list(embeddings),
            "shows_missing": list(shows_missing),
            "n_numbers": n_numbers,
            "n_factors": n_factors,
            "y_range": None if y_range is None else list(y_range),
            "borders": [list(one) for one in borders],
        }

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Predictions, (rows, 1), of category codes, (rows, categories) int32, and numbers, (rows, n_numbers)."""
        x = numbers if self.bins is None else torch.cat([numbers, self.bins(numbers)], dim=1)
        vectors = [table(categories[:, at]) for at, table in enumerate(self.embeddings)]
        biases = [table(categories[:, at]).squeeze(1) for at, table in enumerate(self.biases)]
        total = x @ self.number_vectors + sum(vectors)
        squares = x.square() @ self.number_vectors.square() + sum(one.square() for one in vectors)
        pairs = (total.square() - squares).sum(dim=1) / 2
        sums: Tensor = (self.bias + x @ self.number_weights + sum(biases) + pairs)[:, None]
        return sums if self.y_range is None else sigmoid_range(sums, *self.y_range)

    def fill_unknown(self) -> None:
        """Code 0 of every category becomes the mean of the trained rows, and so does a missing never seen."""
        with torch.no_grad():
            tables = zip(_weights(self.embeddings), _weights(self.biases), self.shows_missing, strict=True)
            for factors, biases, shown in tables:
                for weight in (factors, biases):
                    mean = weight[1 : len(weight) - (not shown)].mean(dim=0)
                    if mean.isfinite().all():  # there is at least one trained row
                        weight[0] = mean
                        weight[-1] = weight[-1] if shown else mean

    def in_context(self, categories: Tensor, numbers: Tensor, user: int = 0, item: int = 1) -> EmbeddingDotBias:
        """The model of ratings that the machine is while everything but user and item stays as it is.

        With v the vectors, c the sum of the context's ``x_a v_a`` and k what the context adds by itself, the sum is
        ``<v_u, v_i> + (w_u + <v_u, c>) + (w_i + <v_i, c> + k)``: a dot product and two biases.

        Args:
            categories: codes of one row, (categories,) int32; those of `user` and `item` are not looked at.
            numbers: of the same row, (n_numbers,).
            user, item: which category columns are the user and the item.

        Returns:
            A copy: training one does not change the other.
        """
        rest = [at for at in range(len(self.embeddings)) if at not in (user, item)]
        vectors, weights = _weights(self.embeddings), _weights(self.biases)
        with torch.no_grad():
            x = numbers if self.bins is None else torch.cat([numbers, self.bins(numbers[None])[0]])
            parts = torch.cat([x[:, None] * self.number_vectors, *(vectors[at][categories[at]][None] for at in rest)])
            context = parts.sum(dim=0)
            pairs = (context.square() - parts.square().sum(dim=0)).sum() / 2
            alone = self.bias + x @ self.number_weights + pairs + sum(weights[at][categories[at]] for at in rest)
            model = EmbeddingDotBias(len(vectors[user]), len(vectors[item]), len(context), self.y_range)
            model.to(self.bias.device)
            model.user_factors.weight.copy_(vectors[user])
            model.item_factors.weight.copy_(vectors[item])
            model.user_bias.weight.copy_(weights[user] + (vectors[user] @ context)[:, None])
            model.item_bias.weight.copy_(weights[item] + (vectors[item] @ context)[:, None] + alone)
        return model

    def config(self) -> dict[str, Any]:
        """The arguments that make an empty copy."""
        return self._config


def _weights(tables: nn.ModuleList) -> list[Tensor]:
    """The rows of some embeddings, (codes, width) each."""
    return [cast(nn.Embedding, table).weight for table in tables]
