"""A net for photographs: bytes normalised, a body, a head."""

import torch
from torch import Tensor, nn


class ImageNet(nn.Module):
    """A body and a head, from bytes to outputs.

    Args:
        body: normalised pictures to maps of channels, as an `ImageBody`.
        head: those to outputs, as `image_head` makes it.
        mean, std: of the colours, 0 to 1.
        train_bn: whether batch norm in the body learns and takes statistics. With few photographs they are better left
            as they came.
    """

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
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        """Bytes, (batch, 3, height, width) -> (batch, outputs)."""
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        colours = (pictures.float() / 255 - self.mean) / self.std  # type: ignore[operator]
        outputs: Tensor = self.head(self.body(colours))
        return outputs

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """First layers of the body, its last, and the head; fewer where the body cannot be split."""
        halves = self.body.halves() if hasattr(self.body, "halves") else [list(self.body.parameters())]  # type: ignore[operator]
        return [group for group in (*halves, list(self.head.parameters())) if group]

    def train(self, mode: bool = True) -> "ImageNet":
        """Training or not; with ``train_bn=False`` the body's batch norm keeps its statistics either way."""
        super().train(mode)
        if not self.train_bn:
            for module in self.body.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self
