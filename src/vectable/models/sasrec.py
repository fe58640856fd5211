"""Self-attention over what a user met, in order: SASRec, and the losses that it is trained with.

Kang & McAuley 2018 (doi 10.1109/ICDM.2018.00035), with sampled softmax (Klenitskiy & Vasilev 2023, doi
10.1145/3604915.3610644) or gBCE (Petrov & Macdonald 2023, doi 10.1145/3604915.3608783) instead of one negative an item.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SASRec(nn.Module):
    """From sequences of items to what comes after each of their places.

    A place sees itself and those before it. Sequences begin at the first place and are filled with 0 at their end, so
    that no place of theirs sees the filling.

    Args:
        n_items: items, the unknown (0) among them.
        width: numbers an item.
        n_blocks: layers of attention.
        n_heads: of each; they divide `width`.
        max_length: places.
        dropout: share of the activations that training leaves out.
    """

    def __init__(
        self, n_items: int, width: int, n_blocks: int, n_heads: int, max_length: int, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.items = nn.Embedding(n_items, width)
        self.places = nn.Embedding(max_length, width)
        self.blocks = nn.ModuleList(AttentionBlock(width, n_heads, dropout) for _ in range(n_blocks))
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)
        for embedding in (self.items, self.places):
            nn.init.normal_(embedding.weight, std=0.02)

    def forward(self, items: Tensor) -> Tensor:
        """What comes after each place, (sequences, places, width), of items (sequences, places)."""
        x = self.dropout(self.items(items) + self.places.weight[: items.shape[1]])
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out


class AttentionBlock(nn.Module):
    """Causal self-attention, then two layers on each place by itself; both are added to what came in."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.share = n_heads, dropout
        self.before_attention, self.before_layers = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.layers = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """What the places hold after the block, (sequences, places, width)."""
        n, length, width = x.shape
        parts = self.mixed(self.before_attention(x)).view(n, length, 3, self.n_heads, width // self.n_heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        share = self.share if self.training else 0.0
        met = F.scaled_dot_product_attention(query, key, value, dropout_p=share, is_causal=True)
        x = x + self.dropout(self.joined(met.transpose(1, 2).reshape(n, length, width)))
        out: Tensor = x + self.dropout(self.layers(self.before_layers(x)))
        return out


def sampled_scores(net: SASRec, after: Tensor, targets: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of what came, (places,), and of items that did not, (places, negatives).

    Args:
        after: what the net expects after each place, (places, width).
        targets: what came, (places,).
        negatives: items drawn for all places together, (negatives,); one that is a place's target does not count.
    """
    came = (after * net.items(targets)).sum(-1)
    others = after @ net.items(negatives).T
    return came, others.masked_fill(targets[:, None] == negatives, -1e4)


def sampled_softmax(came: Tensor, others: Tensor) -> Tensor:
    """Cross-entropy of what came among the items drawn."""
    return (torch.logsumexp(torch.cat([came[:, None], others], 1).float(), 1) - came.float()).mean()


def gbce(came: Tensor, others: Tensor, share: float, calibration: float = 0.75) -> Tensor:
    """Binary cross-entropy whose positive part has a power that undoes what drawing few negatives does.

    Args:
        share: of all items that are drawn, alpha.
        calibration: t; 0 is plain binary cross-entropy, 1 is unbiased.
    """
    power = share * (calibration * (1 - 1 / share) + 1 / share)
    return (F.softplus(-came.float()) * power + F.softplus(others.float()).sum(1)).mean()
