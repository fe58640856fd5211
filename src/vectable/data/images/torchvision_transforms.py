"""torchvision, imported also where its compiled operators do not fit torch, and the light augmentation made of it."""

from functools import cache
from typing import Any

import torch

from vectable.errors import VectableError

OPERATORS = ("nms", "qnms")


def import_torchvision() -> None:
    """Make torchvision importable.

    Where its compiled operators do not fit torch (a wheel for CUDA beside a torch for the CPU) its import fails,
    describing two operators that nobody has declared. They are declared then; nothing here calls them.

    Raises:
        VectableError: not installed.
    """
    try:
        try:
            import torchvision
        except RuntimeError as problem:
            if "torchvision::nms does not exist" not in str(problem):
                raise
            for name in OPERATORS:
                torch.library.define(
                    f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                )
            import torchvision  # noqa: F401
    except ImportError as problem:
        raise VectableError(f"Images need torchvision ({problem}): pip install 'vectable[vision]'.") from problem


@cache
def light_augmentation(size: int) -> Any:
    """A crop of 60 to 100 % of the picture, mirrored half the time, brightness and contrast within 20 %."""
    import_torchvision()
    from torchvision.transforms import v2

    return v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.6, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(brightness=0.2, contrast=0.2),
        ]
    )
