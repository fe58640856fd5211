"""The draws that are kept: thinned to a bounded memory, however many are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.sampling.chain import Chain

Arrays = dict[str, NDArray[Any]]


@dataclass
class KeptDraws:
    """Every `every`-th draw of one chain; when the room is full, every other one goes and `every` doubles.

    Args:
        room: bytes.
        dtype: of rows, coefficients and offsets, "float16" or "float32".

    Attributes:
        every: draws between two that are kept.
        kept: the draws, the oldest first, each by name.
    """

    room: int
    dtype: str
    every: int = 1

    def __post_init__(self) -> None:
        self.kept: list[Arrays] = []

    def add(self, chain: Chain, number: int) -> None:
        """Look at draw `number` of a chain, from 0 on, and keep it if it is its turn."""
        if number % self.every:
            return
        draw = self._take(chain)
        if len(self.kept) >= max(self.room // sum(one.nbytes for one in draw.values()), 8):
            self.kept = self.kept[::2]
            self.every *= 2
            if number % self.every:
                return
        self.kept.append(draw)

    def _take(self, chain: Chain) -> Arrays:
        depth = chain.n_factors + 1
        draw: Arrays = {"users": chain.users[:, :depth], "items": chain.items[:, :depth], "offsets": chain.offsets}
        for side, prior in (("user", chain.user_prior), ("item", chain.item_prior)):
            draw |= {f"{side}.{at}": one for at, one in enumerate(prior.coefficients)}
        draw = {name: one.astype(self.dtype) for name, one in draw.items()}
        for side, prior in (("user", chain.user_prior), ("item", chain.item_prior)):
            draw |= {f"{side}.centre": prior.centre.copy(), f"{side}.precision": prior.precision.copy()}
        draw["precisions"] = np.array([chain.noise_precision, chain.offset_precision])
        if chain.walk is not None:
            draw["cuts"] = chain.walk.cuts.copy()
        return draw


def stacked(kept: list[Arrays]) -> Arrays:
    """Draws as arrays with the draw as first dimension."""
    return {name: np.stack([one[name] for one in kept]) for name in kept[0]}


def unstacked(arrays: Mapping[str, NDArray[Any]]) -> list[Arrays]:
    """The other way round."""
    return [{name: one[at] for name, one in arrays.items()} for at in range(len(next(iter(arrays.values()))))]
