"""A net for images: bytes normalized, a backbone, a head."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@runtime_checkable
class Halved(Protocol):
    """A backbone that knows where it splits in two."""

    def halves(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The parameters of its first layers and of its last."""


class ImageNet(nn.Module):
    """A backbone and a head, from bytes to outputs.

    Args:
        body: the backbone, from normalized images to maps of channels, e.g. a `TimmBackbone`.
        head: from those to outputs, as `image_head` makes it.
        mean, std: of the colors, 0 to 1.
        train_bn: whether batch norm in the backbone trains and updates its statistics. With few images it is better
            left as it came.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        body: nn.Module,
        head: nn.Module,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        std: tuple[float, ...] = (0.229, 0.224, 0.225),
        train_bn: bool = True,
    ) -> None:
        super().__init__()
        self.body, self.head, self.train_bn = body, head, train_bn
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from torch's signatures

    def forward(self, images: Tensor) -> Tensor:
        """Bytes, (batch, 3, height, width) -> (batch, outputs)."""
        images = images.contiguous(memory_format=torch.channels_last)
        colors = (images.float() / 255 - self.mean) / self.std
        outputs: Tensor = self.head(self.body(colors))
        return outputs

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """First layers of the backbone, its last, and the head; fewer where the backbone cannot be split."""
        halves = self.body.halves() if isinstance(self.body, Halved) else [list(self.body.parameters())]
        return [group for group in (*halves, list(self.head.parameters())) if group]

    def train(self, mode: bool = True) -> "ImageNet":
        """Set the mode; with ``train_bn=False`` the backbone's batch norm keeps its statistics either way."""
        super().train(mode)
        if not self.train_bn:
            for module in self.body.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self
