"""The rows of a dot-product model that one of several processes has."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from vectable.models.dot_bias import EmbeddingDotBias

START_STD = 0.01


class ShardedDotBias(EmbeddingDotBias):
    """An `EmbeddingDotBias` of some users and some items; row 0 of each table is nobody's.

    Its rows start from the seed and their lane alone, so they are the same for any number of processes.

    Args:
        user_lanes: number and length of each lane whose users are here.
        item_lanes: number and length of every lane of items.
        items: the first item here and the one behind the last, counted from 0.
        n_factors, y_range: as of `EmbeddingDotBias`.
        seed: of the start.
    """

    def __init__(
        self,
        user_lanes: Sequence[tuple[int, int]],
        item_lanes: Sequence[tuple[int, int]],
        items: tuple[int, int],
        n_factors: int,
        y_range: Sequence[float] | None,
        seed: int,
    ) -> None:
        first, last = items
        super().__init__(sum(length for _, length in user_lanes) + 1, last - first + 1, n_factors, y_range)
        with torch.no_grad():
            for table in (self.user_factors, self.user_bias, self.item_factors, self.item_bias):
                table.weight[0] = 0.0
            done = 1
            for lane, length in user_lanes:
                self._start(True, slice(done, done + length), _rows(seed, 0, lane, length, n_factors))
                done += length
            for lane, begin, length in _with_starts(item_lanes):
                low, high = max(begin, first), min(begin + length, last)
                if low < high:
                    rows = _rows(seed, 1, lane, length, n_factors)[low - begin : high - begin]
                    self._start(False, slice(low - first + 1, high - first + 1), rows)

    def fill_unknown(self) -> None:
        """Leave row 0: the mean of all users and items takes all processes."""

    def _start(self, of_users: bool, place: slice, rows: Tensor) -> None:
        factors, bias = (self.user_factors, self.user_bias) if of_users else (self.item_factors, self.item_bias)
        factors.weight[place], bias.weight[place] = rows[:, :-1], rows[:, -1:]


def _rows(seed: int, table: int, lane: int, length: int, n_factors: int) -> Tensor:
    """The start of a lane's rows, (length, n_factors + 1), as `models.layers.embedding` starts them."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + 2 * lane + table)
    return torch.empty(length, n_factors + 1).normal_(generator=generator).fmod_(2).mul_(START_STD)


def _with_starts(lanes: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int, int]]:
    begin = 0
    for lane, length in lanes:
        yield lane, begin, length
        begin += length
