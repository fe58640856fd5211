"""A layer's activations for many photographs, a block at a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from vectable.errors import require
from vectable.insight.evaluating import evaluating
from vectable.insight.watch import watch

if TYPE_CHECKING:
    from vectable.data.images.image_rows import ImageRows


def activations_over(model: nn.Module, rows: "ImageRows", layer: str) -> Iterator[Tensor]:
    """What a layer, named in full, puts out for every photograph, in order: blocks of (photographs, ...), on the CPU.

    `model` is in evaluation mode in between, and no gradients are kept.
    """
    device = next(model.parameters()).device
    for first in range(0, len(rows), rows.predict_rows):
        with evaluating(model), torch.no_grad(), watch(model, [layer]) as seen:
            (pictures,), _ = rows.batch(slice(first, first + rows.predict_rows))
            model(pictures.to(device))
        require(layer in seen.activations, f"The layer {layer!r} was not called as a module, or puts out no tensor.")
        yield seen.activations[layer].float().cpu()
