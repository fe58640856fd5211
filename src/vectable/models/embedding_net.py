"""The same two embeddings, joined and put through layers instead of a dot product."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vectable.errors import VectableError, is_finite, require
from vectable.folder_schema import fraction, list_of, one_of, record, whole
from vectable.models.layers import embedding, embedding_width, fill_unknown_rows, grow_rows, sigmoid_range
from vectable.models.rating_model import SingleModel
from vectable.models.saved_model import RANGE


class EmbeddingNet(SingleModel, nn.Module):
    """Embeddings of user and item, concatenated, then [Linear, ReLU, batch norm, dropout] a layer, Linear, range.

    Args:
        n_users, n_items: rows of the tables, the unknown (code 0) among them.
        widths: of the two embeddings; by default the preset's rule of thumb.
        layers: width of each hidden layer.
        y_range: (low, high) of the sigmoid at the end; None for the plain number.
        dropout: share of a hidden layer's activations dropped in training, 0 to 1.
        preset: "modern" (a Linear under batch norm has no bias of its own) or "lesson".

    Examples:
        >>> import torch, vectable as vt
        >>> model = vt.EmbeddingNet(n_users=3, n_items=5, widths=(2, 2), layers=[8])
        >>> tuple(model(torch.tensor([1, 2]), torch.tensor([4, 0])).shape)
        (2,)
    """

    CONFIG = record(
        n_users=whole(1),
        n_items=whole(1),
        widths=list_of(whole(1), 2, 2),
        layers=list_of(whole(1), 1),
        y_range=RANGE,
        dropout=fraction,
        preset=one_of("modern", "lesson"),
    )
    """The form of `config` in a saved folder."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        widths: tuple[int, int] | None = None,
        layers: Sequence[int] = (100,),
        y_range: Sequence[float] | None = None,
        dropout: float = 0.0,
        preset: str = "modern",
    ):
        super().__init__()
        require(
            len(layers) >= 1 and min(layers) >= 1,
            f"layers is {list(layers)}; give at least one width of 1 or more.",
        )
        require(
            is_finite(dropout) and 0 <= dropout < 1,
            f"dropout must be in [0, 1); got {dropout!r}.",
        )
        user_width, item_width = widths or (
            embedding_width(n_users, preset),
            embedding_width(n_items, preset),
        )
        require(
            min(user_width, item_width) >= 1,
            f"The embedding widths are {(user_width, item_width)}; at least 1 each.",
        )
        self.users, self.items = embedding(n_users, user_width), embedding(n_items, item_width)
        blocks: list[nn.Module] = []
        width = user_width + item_width
        for hidden in layers:
            blocks += [nn.Linear(width, hidden, bias=preset == "lesson"), nn.ReLU(), nn.BatchNorm1d(hidden)]
            blocks += [nn.Dropout(dropout)] if dropout else []
            width = hidden
        self.layers = nn.Sequential(*blocks, nn.Linear(width, 1))
        self.y_range = None if y_range is None else (float(y_range[0]), float(y_range[1]))
        self._config = {"layers": list(layers), "dropout": dropout, "preset": preset}

    has_biases = False

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Predicted ratings, (rows,), of user codes (rows,) and item codes (rows,)."""
        return self._through(self.users(users), self.items(items))

    def user_rows(self, users: Tensor) -> Tensor:
        """All that the model knows of some users: their vectors, (users, width)."""
        vectors: Tensor = self.users(users)
        return vectors

    def score_rows(self, rows: Tensor) -> Tensor:
        """Predicted ratings of every item, (users, items), for rows like those of `user_rows`: a pass a user."""
        items = self.items.weight
        return torch.stack([self._through(row.expand(len(items), -1), items) for row in rows])

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions of some items, (items,), for one user row, (width,), and their derivatives by it."""
        vectors = self.items(items).detach()

        def predict(row: Tensor) -> Tensor:
            return self._through(row.expand(len(vectors), -1), vectors)

        with torch.enable_grad():
            jacobian = torch.func.jacrev(predict)(row)
        return predict(row).detach(), jacobian.detach()

    def vectors(self, of_items: bool) -> Tensor:
        """Vector of every item or user, (rows, width)."""
        return (self.items if of_items else self.users).weight.detach()

    def biases(self, of_items: bool) -> Tensor:
        """A net has no bias per row, and raises a sentence."""
        raise VectableError(
            "A multi-layer net has no biases by item or user; the dot-product model (use_nn=False) has."
        )

    def grow(self, n_users: int, n_items: int) -> None:
        """Append rows for new users and items, in place."""
        grow_rows(self.users, n_users)
        grow_rows(self.items, n_items)

    def _through(self, users: Tensor, items: Tensor) -> Tensor:
        sums = self.layers(torch.cat([users, items], dim=1)).squeeze(1)
        return sums if self.y_range is None else sigmoid_range(sums, *self.y_range)

    def fill_unknown(self) -> None:
        """Code 0 becomes the mean user and the mean item."""
        fill_unknown_rows([self.users, self.items])

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """Embeddings, then the layers on top of them."""
        return [[*self.users.parameters(), *self.items.parameters()], list(self.layers.parameters())]

    def config(self) -> dict[str, Any]:
        """The arguments that make an empty copy."""
        return {
            "n_users": self.users.num_embeddings,
            "n_items": self.items.num_embeddings,
            "widths": [self.users.embedding_dim, self.items.embedding_dim],
            "y_range": None if self.y_range is None else list(self.y_range),
            **self._config,
        }
