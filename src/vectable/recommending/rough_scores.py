"""Inner products in 16 bits, several times as fast where the processor has tiles for them (AMX), and their error.

What may belong into a list is then scored exactly, so that the lists are those of exact scores. For vectors u, v and
their roundings u', v' it is ``|<u, v> - <u', v'>| <= |u - u'| |v| + |u'| |v - v'|`` (Cauchy and Schwarz), with norms
that are known. An item's bias stands in three further factors, which together have all its digits.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float32]

BIAS_PARTS = 3  # of 8 bits each
SUMMED = 1e-4  # share by which sums in 32 bits may be off, and then some
WIDTH = 32  # factors that the processor takes at a time


@dataclass(frozen=True)
class RoughTiles:
    """Items in 16 bits, in tiles.

    Attributes:
        tiles: bias and vectors, (bias parts + factors, some items) each.
        lengths: the longest vector of each tile, (tiles,).
        offs: the farthest that a vector of each tile is from its rounding, (tiles,).
        biases: the largest bias of each tile by its size, (tiles,).
    """

    tiles: "Sequence[Tensor]"
    lengths: Floats
    offs: Floats
    biases: Floats

    @classmethod
    def of(cls, tiles: Sequence[Floats]) -> "RoughTiles":
        """From tiles of ``RankedItems``, the bias as first factor, (factors + 1, items) each."""
        made = [_tile_of(tile) for tile in tiles]
        lengths, offs, biases = np.array([one for _, *one in made], dtype=np.float32).reshape(-1, 3).T
        return cls([tile for tile, *_ in made], lengths, offs, biases)

    def users(self, vectors: Floats) -> "RoughUsers":
        """Some users' vectors, (users, factors), ready to be multiplied."""
        import torch

        rows = torch.zeros((len(vectors), _padded(vectors.shape[1])), dtype=torch.bfloat16)
        rows[:, :BIAS_PARTS] = 1.0
        rounded = torch.from_numpy(np.ascontiguousarray(vectors)).bfloat16()
        rows[:, BIAS_PARTS : BIAS_PARTS + vectors.shape[1]] = rounded
        near = rounded.float().numpy()
        return RoughUsers(rows, _norms(near), _norms(vectors - near))

    def scores(self, users: "RoughUsers", at: int, room: "Tensor") -> tuple[NDArray[np.int16], Floats]:
        """Rough scores of a tile, (users, items), and how far off they may be before they are rounded, (users,).

        They are the halves of 32-bit floats, as whole numbers.

        Args:
            room: that the scores are written to, flat.
        """
        import torch

        tile = self.tiles[at]
        table = room[: len(users.rows) * tile.shape[1]].view(len(users.rows), -1)
        torch.mm(users.rows, tile, out=table)
        reach = users.lengths * self.lengths[at]
        off = users.offs * self.lengths[at] + users.lengths * self.offs[at] + users.offs * self.offs[at]
        return table.view(torch.int16).numpy(), off + np.float32(SUMMED) * (reach + self.biases[at])


@dataclass(frozen=True)
class RoughUsers:
    """Users in 16 bits.

    Attributes:
        rows: ones for the bias and vectors, (users, bias parts + factors).
        lengths: of the rounded vectors, (users,).
        offs: how far each is from its rounding, (users,).
    """

    rows: "Tensor"
    lengths: Floats
    offs: Floats


@cache
def has_rough_scores() -> bool:
    """Whether the processor multiplies 16-bit matrices many times as fast, so that looking twice pays."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return False


def may_score_roughly() -> bool:
    """Whether the processor can, and torch, which does it, is there already: its import takes seconds."""
    return "torch" in sys.modules and has_rough_scores()


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch compute on the calling thread alone."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def room_for(n_scores: int) -> Any:
    """Memory for rough scores."""
    import torch

    return torch.empty(n_scores, dtype=torch.bfloat16)


def _tile_of(tile: Floats) -> tuple["Tensor", float, float, float]:
    import torch

    bias, vectors = tile[0], tile[1:]
    made = torch.zeros((_padded(len(vectors)), tile.shape[1]), dtype=torch.bfloat16)
    rest = torch.from_numpy(bias.copy())
    for at in range(BIAS_PARTS):
        made[at] = rest.bfloat16()
        rest = rest - made[at].float()
    rounded = torch.from_numpy(np.ascontiguousarray(vectors)).bfloat16()
    made[BIAS_PARTS : BIAS_PARTS + len(vectors)] = rounded
    off = _norms((vectors - rounded.float().numpy()).T)
    return made, float(_norms(vectors.T).max()), float(off.max()), float(np.abs(bias).max())


def _padded(n_factors: int) -> int:
    return -(-(n_factors + BIAS_PARTS) // WIDTH) * WIDTH


def _norms(rows: Floats) -> Floats:
    """Lengths of rows, a little above what they are."""
    return np.asarray(np.linalg.norm(rows, axis=1) * np.float32(1.00001), dtype=np.float32)
