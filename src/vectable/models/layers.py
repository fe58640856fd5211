"""The small pieces that several models share: batch norm, the scaled sigmoid, the start of an embedding."""

import torch
from torch import Tensor, nn

BATCH_SHARE = 0.1  # of a batch in the running statistics of batch norm


class BatchNorm(nn.BatchNorm1d):
    """Batch norm whose running statistics are right after few steps too.

    torch starts them at mean 0 and variance 1, of which a tenth of the weight is left after 22 steps: a net trained for
    that long on inputs of small variance predicts far too timidly. Here the first ten batches count alike, so that
    nothing is left of the start; from then on a batch counts a tenth, as in torch.
    """

    def forward(self, rows: Tensor) -> Tensor:
        """Normalized rows, (rows, columns)."""
        if self.training and self.num_batches_tracked is not None:
            self.momentum = max(BATCH_SHARE, 1 / (int(self.num_batches_tracked) + 1))
        return super().forward(rows)


def sigmoid_range(x: Tensor, low: float, high: float) -> Tensor:
    """``low + (high - low) * sigmoid(x)``: any number brought between two others, shape kept."""
    return low + (high - low) * torch.sigmoid(x)


def embedding(n_rows: int, width: int, std: float = 0.01) -> nn.Embedding:
    """An embedding table started as the lesson does: standard normal, beyond 2 wrapped by remainder, times `std`."""
    table = nn.Embedding(n_rows, width)
    with torch.no_grad():
        table.weight.normal_().fmod_(2).mul_(std)
    return table


def embedding_width(n_rows: int, preset: str = "modern") -> int:
    """Rule of thumb for the width of a category's vector; `n_rows` counts the unknown.

    modern: ``min(600, round(1.6 * n ** 0.56))``; lesson: ``min(50, n // 2 + 1)``.
    """
    return min(50, n_rows // 2 + 1) if preset == "lesson" else min(600, round(1.6 * n_rows**0.56))


def fill_unknown_rows(tables: list[nn.Embedding]) -> None:
    """Give code 0 the mean of the trained rows. It never gets a gradient, so it would otherwise be noise."""
    with torch.no_grad():
        for table in tables:
            if table.num_embeddings > 1:
                table.weight[0] = table.weight[1:].mean(dim=0)


def grow_rows(table: nn.Embedding, n_rows: int) -> None:
    """Append rows started at the mean of the trained ones (a new user is an average user until rated), in place."""
    new = n_rows - table.num_embeddings
    if new > 0:
        start = table.weight[0].detach() if table.num_embeddings == 1 else table.weight[1:].detach().mean(dim=0)
        rows = start + embedding(new, table.embedding_dim).weight.detach().to(start.device)
        table.weight = nn.Parameter(torch.cat([table.weight.detach(), rows]))
        table.num_embeddings = n_rows
