"""What it takes, besides weights, to read a photograph and to build the net again."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from vectable.models.custom_backbone import CustomBackbone, channels_of
from vectable.models.image_backbone import FASHION_SMALL, TimmBackbone
from vectable.models.image_head import image_head
from vectable.models.image_net import ImageNet
from vectable.models.small_backbone import SmallBackbone

Stats = tuple[tuple[float, ...], tuple[float, ...]]
IMAGENET: Stats = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
Backbone = TimmBackbone | SmallBackbone | CustomBackbone


@dataclass(frozen=True)
class Recipe:
    """What it takes, besides weights, to read a photograph and to build the net again.

    Attributes:
        arch: name of the backbone's architecture; None for a custom module.
        cut: number of children kept of such a module.
        classes: names, in the order of their numbers.
        size: side of the square that the model sees, in pixels.
        stats: (mean, std) of the colors, 0 to 1.
        width, ps, bias: of the head.
    """

    arch: str | None
    cut: int | None
    classes: tuple[str, ...]
    size: int
    stats: Stats
    width: int
    ps: float
    bias: bool

    def net(self, backbone: Backbone, train_bn: bool) -> ImageNet:
        """The backbone with a new head."""
        head = image_head(backbone.n_features, len(self.classes), self.width, self.ps, self.bias)
        return ImageNet(backbone, head, *self.stats, train_bn=train_bn)


def make_backbone(
    arch: str | nn.Module, cut: int | None, size: int, pretrained: bool, weights: str | Path | None = None
) -> Backbone:
    """The backbone by its name, or of a custom module.

    Args:
        arch: a name that timm knows, "fashion-small", or a module.
        cut: number of children to keep of a module.
        size: side of the images, in pixels.
        pretrained, weights: as for `vision_learner`.

    Raises:
        UnknownNameError: no such architecture; with the closest names.
        ArtifactError: the weights are not there, or belong to another architecture.
        VectableError: it does not turn images of that size into maps of channels.
    """
    if isinstance(arch, nn.Module):
        return CustomBackbone(arch, cut, size)
    named = SmallBackbone(pretrained, weights) if arch == FASHION_SMALL else TimmBackbone(arch, pretrained, weights)
    channels_of(named, size, f"{arch!r}")
    return named
