"""A custom module as a backbone: its first children, and where they split."""

import torch
from torch import Tensor, nn

from vectable.errors import VectableError, is_whole


class CustomBackbone(nn.Module):
    """The first children of a module, one after the other; or all of it, as it is.

    Args:
        module: takes normalized images, (batch, 3, height, width).
        cut: number of its children to keep, counted from the end where negative (-2 leaves out a pooling and a linear
            layer); None keeps the module as it is.
        size: side of the images, in pixels.

    Attributes:
        n_features: channels of the output.

    Raises:
        VectableError: what is kept does not turn images into maps of channels.
    """

    def __init__(self, module: nn.Module, cut: int | None, size: int) -> None:
        super().__init__()
        children = list(module.children())
        if cut is not None and (not is_whole(cut, -len(children) + 1) or not 0 != cut <= len(children)):
            raise VectableError(
                f"cut is {cut!r}, and {type(module).__name__} has {len(children)} children: cut is the number of them "
                "to keep, or is counted from the end, e.g. -2 for all but the last two."
            )
        self.net = module if cut is None else nn.Sequential(*children[:cut])
        self.n_features = channels_of(self, size, f"{type(module).__name__} cut at {cut}")

    def forward(self, x: Tensor) -> Tensor:
        """Normalized images, (batch, 3, height, width) -> (batch, n_features, rows, columns)."""
        features: Tensor = self.net(x)
        return features

    def halves(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The parameters in two groups, first layers and last, with half of the children that have any in each."""
        net = self.net
        while len(children := [one for one in net.children() if any(True for _ in one.parameters())]) == 1:
            net = children[0]
        cut = (len(children) + 1) // 2
        first = {id(one) for child in children[:cut] for one in child.parameters()}
        every = list(self.net.parameters())
        return [one for one in every if id(one) in first], [one for one in every if id(one) not in first]


def module_to_cut(backbone: CustomBackbone, cut: int | None) -> nn.Module:
    """A module from which the same backbone can be cut again: with children where the cut takes some away.

    Args:
        backbone: the backbone.
        cut: number of children that it keeps, as it was given.
    """
    net = backbone.net
    return net if cut is None or cut > 0 else nn.Sequential(*net.children(), *(nn.Identity() for _ in range(-cut)))


def channels_of(backbone: nn.Module, size: int, what: str) -> int:
    """Channels of the maps that a backbone makes of images of `size`.

    Raises:
        VectableError: it does not take such images, or makes no maps of them; `what` names it.
    """
    training = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            shape = tuple(backbone(torch.zeros(1, 3, size, size)).shape)
    except (RuntimeError, AssertionError, ValueError, TypeError) as problem:
        raise VectableError(
            f"{what} does not take images of {size} x {size} pixels in three colors: {problem!s:.200}"
        ) from problem
    finally:
        backbone.train(training)
    if len(shape) != 4:
        raise VectableError(
            f"{what} makes {shape} of an image; a backbone makes maps, (batch, channels, rows, columns). Cut it before "
            "its pooling, e.g. with cut=-2."
        )
    return int(shape[1])
