"""What goes on top of a pretrained backbone: both poolings, two linear layers, batch norm and dropout."""

import torch
from torch import Tensor, nn


class ConcatPool(nn.Module):
    """The largest and the mean activation of every channel side by side."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, 2 * channels), the largest first."""
        return torch.cat([x.amax(dim=(2, 3)), x.mean(dim=(2, 3))], dim=1)


def image_head(n_features: int, n_classes: int, width: int = 512, ps: float = 0.5, bias: bool = False) -> nn.Sequential:
    """The head of the lesson: pool, BN, dropout ps / 2, Linear, ReLU, BN, dropout ps, Linear.

    The linear layers are initialized from Kaiming's normal distribution for ReLU (arXiv 1502.01852), biases with 0.

    Args:
        n_features: channels of the backbone's output.
        n_classes: outputs.
        width: of the layer between.
        ps: dropout before the last layer; half as much before the first.
        bias: whether the linear layers have one (the lesson's have, the modern dialect's not).

    Returns:
        (batch, n_features, height, width) -> (batch, n_classes).
    """
    head = nn.Sequential(
        ConcatPool(),
        nn.BatchNorm1d(2 * n_features),
        nn.Dropout(ps / 2),
        nn.Linear(2 * n_features, width, bias=bias),
        nn.ReLU(inplace=True),
        nn.BatchNorm1d(width),
        nn.Dropout(ps),
        nn.Linear(width, n_classes, bias=bias),
    )
    for layer in head:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if bias:
                nn.init.zeros_(layer.bias)
    return head
