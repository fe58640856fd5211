"""What a channel looks for: the patches of many photographs that activate it most."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.errors import is_whole, require
from vectable.insight.activations import check_channel
from vectable.insight.evaluating import evaluating
from vectable.insight.layers import find_layer
from vectable.insight.over_rows import activations_over
from vectable.insight.watch import watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vectable.data.images.image_decoding import Picture
    from vectable.data.images.image_rows import ImageRows

HELD = 0.9  # share of the gradient that a patch holds
SEVERAL = 3  # photographs that must activate a channel for it to be shown by default
CHANNELS = 6  # number shown by default


@dataclass(repr=False)
class TopPatches:
    """The patches that activate some channels of a layer most, at most one per photograph.

    Attributes:
        layer: its full name.
        table: channel, activation, row (of the photographs looked at), top, left, bottom, right (of the patch, in
            pixels of the photograph as the net saw it; the last two are the first beyond it), by channel and rank.
        patches: the patches, in the order of the table, each (height, width, 3) bytes.
    """

    layer: str
    table: pl.DataFrame
    patches: "list[Picture]"

    def plot(self, path: str | None = None) -> "Figure":
        """A row per channel, what activates it most on the left."""
        from vectable.plotting import photograph_grid

        columns = max(Counter(self.table["channel"]).values())
        blank = np.full((1, 1, 3), 255, dtype=np.uint8)
        pictures: list[Picture] = []
        titles: list[str] = []
        before = None
        for patch, (channel, value) in zip(
            self.patches, self.table.select("channel", "activation").iter_rows(), strict=True
        ):
            gap = -len(pictures) % columns if channel != before else 0  # every channel begins a row
            pictures += [blank] * gap + [patch]
            titles += [""] * gap + [f"{channel}: {value:.2g}"]
            before = channel
        return photograph_grid(pictures, titles, path, columns=columns, inches=1.1)

    def __repr__(self) -> str:
        """Layer and channels."""
        channels = self.table["channel"].unique(maintain_order=True).to_list()
        return f"TopPatches({self.layer}: {len(self.patches)} of channels {channels})"


def top_activating_patches(
    model: nn.Module, rows: "ImageRows", layer: str | int, channels: int | Sequence[int] | None = None, n: int = 9
) -> TopPatches:
    """The patches of photographs that activate channels of a layer most.

    Of each photograph the position counts where the channel is largest. The patch spans the rows and columns of pixels
    that hold the middle 90 % of the absolute gradient of that activation with respect to the pixels (the effective
    receptive field, Luo et al. 2016, arXiv 1701.04128).

    Args:
        model: in evaluation mode while it is asked.
        rows: the photographs.
        layer: its name or number; see `find_layer`. It makes maps or numbers: (batch, channels, rows, columns) or
            (batch, channels).
        channels: numbers; by default the six whose largest activation stands out most from their mean over the
            photographs, in standard deviations, among those that at least three photographs activate.
        n: patches per channel; fewer where fewer photographs activate it (with a value above 0).

    Raises:
        UnknownNameError: no such layer; with the closest names.
        VectableError: no photographs, no such channel, or a layer of another shape.
    """
    require(is_whole(n, 1), f"n must be a positive integer; got {n!r}.")
    require(len(rows) > 0, "There are no photographs to look for patches in; on='train' takes those for training.")
    name, _ = find_layer(model, layer)
    maps = [_flat(block, name).max(dim=2) for block in activations_over(model, rows, name)]
    peaks, places = (torch.cat(one).numpy() for one in zip(*maps, strict=True))
    if channels is None:
        stand_out = (peaks.max(axis=0) - peaks.mean(axis=0)) / np.maximum(peaks.std(axis=0), 1e-12)
        activated_by_few = (peaks > 0).sum(axis=0) < min(SEVERAL, len(peaks))
        chosen = [int(at) for at in np.lexsort((-stand_out, activated_by_few))[:CHANNELS]]
    else:
        chosen = np.atleast_1d(channels).tolist()
    require(len(chosen) > 0, "channels is empty: name some, or leave it out for those that stand out.")
    found, patches = [], []
    for channel in chosen:
        check_channel(channel, peaks.shape[1], name)
        best = np.argsort(-peaks[:, channel], kind="stable")[:n].astype(np.int32)
        active = best[peaks[best, channel] > 0]
        best = active if len(active) else best[:1]  # of a channel that nothing activates, its largest value
        pictures, boxes = _boxes(model, rows, name, channel, best, places[best, channel])
        for row, picture, (top, left, bottom, right) in zip(best, pictures, boxes, strict=True):
            place = {"top": top, "left": left, "bottom": bottom, "right": right}
            found.append({"channel": channel, "activation": float(peaks[row, channel]), "row": int(row), **place})
            patches.append(picture[top:bottom, left:right])
    return TopPatches(name, pl.DataFrame(found), patches)


def _flat(values: Tensor, layer: str) -> Tensor:
    """A layer's output as (batch, channels, positions)."""
    require(
        values.ndim in (2, 4),
        f"{layer!r} makes {tuple(values.shape)}; patches need maps, (batch, channels, rows, columns), or numbers, "
        "(batch, channels).",
    )
    return values.flatten(2) if values.ndim == 4 else values[:, :, None]


def _boxes(
    model: nn.Module, rows: "ImageRows", layer: str, channel: int, which: NDArray[np.int32], places: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], list[tuple[int, int, int, int]]]:
    """Some photographs, (rows, side, side, 3), and what the channel saw at a place: top, left, bottom, right."""
    with torch.no_grad():
        (pictures,), _ = rows.batch(which)
    pixels = pictures.to(next(model.parameters()).device).float().requires_grad_()
    with evaluating(model), torch.enable_grad(), watch(model, [layer], gradients=True) as seen:
        model(pixels)
    values = seen.activations[layer]
    at = _flat(values, layer)[np.arange(len(which)), channel, places]
    (slope,) = torch.autograd.grad(at.sum(), pixels)
    mass = slope.abs().sum(dim=1).cpu().double().numpy()
    grid = (values.shape[2], values.shape[3]) if values.ndim == 4 else (1, 1)
    boxes = []
    for one, place in zip(mass, places, strict=True):
        row, column = divmod(int(place), grid[1])
        (top, bottom), (left, right) = _middle(one.sum(axis=1), row, grid[0]), _middle(one.sum(axis=0), column, grid[1])
        boxes.append((top, left, bottom, right))
    return pictures.permute(0, 2, 3, 1).cpu().numpy(), boxes


def _middle(mass: NDArray[np.float64], place: int, places: int) -> tuple[int, int]:
    """First pixel and first beyond of the middle `HELD` of the mass; where there is none, the share of the place."""
    share = np.cumsum(mass)
    if share[-1] == 0:
        return place * len(mass) // places, -(-(place + 1) * len(mass) // places)
    spared = (1 - HELD) / 2 * share[-1]
    return int(np.searchsorted(share, spared, side="right")), int(np.searchsorted(share, share[-1] - spared)) + 1
