"""What it takes, besides weights, to read a photograph and to build the net again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vectable.data.images.image_decoding import MAX_SIZE
from vectable.errors import ArtifactError, DataError, VectableError, quote_some
from vectable.folder_schema import LARGEST, boolean, fraction, list_of, number, optional, record, text, whole, wrong
from vectable.models.custom_backbone import CustomBackbone, channels_of
from vectable.models.image_backbone import FASHION_SMALL, TimmBackbone
from vectable.models.image_head import image_head
from vectable.models.image_net import ImageNet
from vectable.models.saved_model import check_weights
from vectable.models.small_backbone import SmallBackbone

SMALLEST_SIDE, LARGEST_TRIED = 224, 1024
Stats = tuple[tuple[float, ...], tuple[float, ...]]
IMAGENET: Stats = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
FORM = record(
    arch=optional(text),
    cut=optional(whole(-LARGEST)),
    classes=list_of(text, 1),
    size=whole(1, MAX_SIZE),
    stats=list_of(list_of(number(), 3, 3), 2, 2),
    width=whole(1),
    ps=fraction,
    bias=boolean,
)  # as it is saved
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

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain JSON values, as a saved folder gives them back."""
        return {**vars(self), "classes": list(self.classes), "stats": [list(one) for one in self.stats]}

    @classmethod
    def from_json(cls, form: Any) -> "Recipe":
        """The recipe of a saved folder.

        Raises:
            PartError: it has another form.
        """
        form = FORM(form, "settings.recipe")
        if len(set(form["classes"])) < len(form["classes"]):
            wrong("settings.recipe.classes", form["classes"], "different names")
        mean, std = form["stats"]
        return cls(**form | {"classes": tuple(form["classes"]), "stats": (tuple(mean), tuple(std))})

    def check(self, classes: Sequence[str], size: int) -> None:
        """Raise a `DataError` for photographs of other classes or of another size."""
        if (tuple(classes), size) != (self.classes, self.size):
            raise DataError(
                f"The model has the classes {quote_some(self.classes)} in images of {self.size} pixels; these are "
                f"{quote_some(classes)} in {size}."
            )

    def net(self, backbone: Backbone, train_bn: bool) -> ImageNet:
        """The backbone with a new head."""
        head = image_head(backbone.n_features, len(self.classes), self.width, self.ps, self.bias)
        return ImageNet(backbone, head, *self.stats, train_bn=train_bn)

    def saved_net(self, arch: str | nn.Module, train_bn: bool, weights: Mapping[str, Tensor]) -> ImageNet:
        """The net of a saved folder, not yet with its weights; they are known to fit before any memory is taken.

        Args:
            arch: name of the architecture, or the caller's module.
            weights: of the folder.

        Raises:
            PartError: the weights are of another net, or the backbone does not take images of that size.
        """
        tried: int | None = self.size
        if isinstance(arch, str):
            try:
                with torch.device("meta"):
                    trial = self.net(make_backbone(arch, self.cut, self.size, pretrained=False), train_bn)
                check_weights(trial.state_dict(), weights)
                tried = None
            except (VectableError, RuntimeError) as problem:  # not every architecture can be built without memory
                if isinstance(problem, ArtifactError):
                    raise
                if self.size > LARGEST_TRIED:
                    wrong("settings.recipe.size", self.size, f"a size that {arch!r} takes")
        return self.net(make_backbone(arch, self.cut, tried, pretrained=False), train_bn)


def make_backbone(
    arch: str | nn.Module, cut: int | None, size: int | None, pretrained: bool, weights: str | Path | None = None
) -> Backbone:
    """The backbone by its name, or of a custom module.

    Args:
        arch: a name that timm knows, "fashion-small", or a module.
        cut: number of children to keep of a module.
        size: side of the images, in pixels; None leaves untried whether a named architecture takes them.
        pretrained, weights: as for `vision_learner`.

    Raises:
        UnknownNameError: no such architecture; with the closest names.
        ArtifactError: the weights are not there, or belong to another architecture.
        VectableError: it does not turn images of that size into maps of channels.
    """
    if isinstance(arch, nn.Module):
        return CustomBackbone(arch, cut, size or SMALLEST_SIDE)
    named = SmallBackbone(pretrained, weights) if arch == FASHION_SMALL else TimmBackbone(arch, pretrained, weights)
    if size is not None:
        channels_of(named, size, f"{arch!r}")
    return named
