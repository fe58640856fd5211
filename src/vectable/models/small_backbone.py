"""The backbone "fashion-small": for gray images of 28 x 28 pixels, with weights that come with the package."""

import importlib.resources
from pathlib import Path

from torch import Tensor, nn

from vectable.models.image_backbone import FASHION_SMALL, load_weights

WEIGHTS = importlib.resources.files("vectable.data.sets") / "shipped" / "fashion" / "body.safetensors"


class SmallBackbone(nn.Module):
    """Five convolutions over gray images; colors are averaged first.

    The weights that come with it were trained on six of Fashion-MNIST's ten classes: T-shirt/top, Trouser, Dress,
    Sandal, Sneaker and Bag, by `tools/make_fashion.py` in the repository.

    Args:
        pretrained: whether to take those weights, unless `weights` is given.
        weights: file with others, .safetensors or .pth.

    Attributes:
        n_features: channels of the output.
        mean, std: of the colors, 0 to 1, that the weights were trained with.
    """

    n_features = 64
    mean, std = (0.2860,) * 3, (0.3530,) * 3

    def __init__(self, pretrained: bool = True, weights: str | Path | None = None) -> None:
        super().__init__()
        self.first = nn.Sequential(_step(1, 16, 5), nn.MaxPool2d(2), _step(16, 32, 3))
        self.last = nn.Sequential(_step(32, 32, 3), nn.MaxPool2d(2), _step(32, 64, 3), _step(64, 64, 3))
        if weights is not None:
            load_weights(self, weights, FASHION_SMALL)
        elif pretrained:
            from safetensors.torch import load

            self.load_state_dict(load(WEIGHTS.read_bytes()))

    def forward(self, x: Tensor) -> Tensor:
        """Normalized images, (batch, 3, height, width) -> (batch, 64, height // 4, width // 4)."""
        features: Tensor = self.last(self.first(x.mean(dim=1, keepdim=True)))
        return features

    def halves(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The parameters in two groups, first layers and last."""
        return list(self.first.parameters()), list(self.last.parameters())


def _step(n_in: int, n_out: int, width: int) -> nn.Sequential:
    """A convolution that keeps the size, initialized for ReLU (arXiv 1502.01852), batch norm and ReLU."""
    convolution = nn.Conv2d(n_in, n_out, width, padding=width // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True))
