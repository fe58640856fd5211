"""Images as the rows of a set: decoded, cropped to the square that the model sees, augmented for training."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.batches import Rows
from vectable.data.images.image_decoding import Picture, center_crop, decode_image
from vectable.data.images.torchvision_transforms import light_augmentation
from vectable.data.tensors import Inputs, TensorSet

PREDICT_ROWS = 16  # activations of more leave the processor's cache


class ImageInputs(Inputs):
    """Images to predict, which have no targets.

    Args:
        paths: of the files; empty paths for images that came as arrays.
        kept: the decoded images, None for those that are decoded when asked for.
        size: side of the square that the model sees, in pixels.
    """

    predict_rows = PREDICT_ROWS

    def __init__(self, paths: Sequence[Path], kept: Sequence[Picture | None], size: int) -> None:
        super().__init__(())
        self.paths, self.kept, self.size = list(paths), list(kept), size

    def __len__(self) -> int:
        return len(self.paths)

    def inputs_of(self, rows: Rows | slice) -> tuple[Tensor, ...]:
        """The middle squares of some images, (images, 3, size, size) bytes."""
        return (_stacked(_decoded(self.paths, self.kept, _numbers(rows, len(self)), self.size), self.size),)


class ImageRows(TensorSet):
    """Images as rows; those that fit are kept decoded, the others are decoded whenever they are asked for.

    Augmented only where gradients are taken, so that measuring on the training rows sees them unchanged. The random
    choices come from torch's generator, which the Learner seeds.

    Attributes:
        paths: of the files; empty paths for images that came as arrays.
        kept: the decoded images, None for those that are decoded when asked for.
        size: side of the square that the model sees, in pixels.
        augment: whether training crops, mirrors and changes brightness and contrast at random.
    """

    predict_rows = PREDICT_ROWS

    def __init__(
        self, paths: Sequence[Path], kept: Sequence[Picture | None], target: Tensor, size: int, augment: bool = False
    ) -> None:
        super().__init__((), target)
        self.paths, self.kept, self.size, self.augment = list(paths), list(kept), size, augment

    def batch(self, rows: Rows | slice) -> tuple[tuple[Tensor, ...], Tensor]:
        """Images, (batch, 3, size, size) bytes, and the numbers of their classes."""
        pictures = _decoded(self.paths, self.kept, _numbers(rows, len(self)), self.size)
        if self.augment and torch.is_grad_enabled():
            stacked = torch.stack([_augmented(one, self.size) for one in pictures])
        else:
            stacked = _stacked(pictures, self.size)
        return (stacked.to(self.target.device),), self.target[self._at(rows)]

    def to(self, device: torch.device) -> "ImageRows":
        """The same rows, whose batches come on `device`."""
        return ImageRows(self.paths, self.kept, self.target.to(device), self.size, self.augment)

    def take(self, at: Sequence[int] | NDArray[np.integer], augment: bool) -> "ImageRows":
        """Some of the rows, by number."""
        chosen = [int(one) for one in at]
        paths, kept = [self.paths[one] for one in chosen], [self.kept[one] for one in chosen]
        return ImageRows(paths, kept, self.target[chosen], self.size, augment)

    def picture(self, at: int) -> Picture:
        """One image at its working size, (height, width, 3), 0 to 255."""
        return _decoded(self.paths, self.kept, [at], self.size)[0]


def _numbers(rows: Rows | slice, n_rows: int) -> list[int]:
    return [int(at) for at in (range(n_rows)[rows] if isinstance(rows, slice) else rows)]


def _decoded(paths: Sequence[Path], kept: Sequence[Picture | None], numbers: Sequence[int], size: int) -> list[Picture]:
    """Some images at their working size; several that are not kept are decoded at once."""

    def picture(at: int) -> Picture:
        found = kept[at]
        return decode_image(paths[at], size) if found is None else found

    if len(numbers) == 1 or all(kept[at] is not None for at in numbers):
        return [picture(at) for at in numbers]
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return list(threads.map(picture, numbers))


def _stacked(pictures: Sequence[Picture], size: int) -> Tensor:
    """Their middle squares, (images, 3, size, size) bytes."""
    middles = [center_crop(one, size) for one in pictures]
    empty = np.empty((0, size, size, 3), dtype=np.uint8)
    return torch.from_numpy(np.stack(middles) if middles else empty).permute(0, 3, 1, 2)


def _augmented(picture: Picture, size: int) -> Tensor:
    """A random crop of at least 60 % of an image, perhaps mirrored, a little lighter or darker; (3, size, size)."""
    augmented: Tensor = light_augmentation(size)(torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1))
    return augmented
