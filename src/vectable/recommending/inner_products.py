"""The best items for many users by inner products: scores are made in tiles that stay in the cache, and never kept.

Of a hundred thousand items a user's list takes ten: to write all scores to memory and read them again takes longer than
to compute them. Items come in the order of their lengths, so that a block of users is done with as soon as no item
left can reach a list (Cauchy-Schwarz). Where the processor has tiles for it, scores are first made in 16 bits, and
exactly for the few items that may then belong into a list; see `rough_scores.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.histories import Histories
from vectable.factorising.parallel import equal_work, in_parts, usable_threads
from vectable.one_blas_thread import one_blas_thread
from vectable.recommending.lists import kernels
from vectable.recommending.rough_scores import RoughTiles, may_score_roughly, one_torch_thread, room_for

USERS_A_TILE, ITEMS_A_TILE = 256, 1024  # 1 MB of scores
ROUGH_FROM = 20_000_000  # scores from which on rough ones come first
ROUNDING = 1e-4  # share of a bound by which a score in 32 bits may lie above it

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RankedItems:
    """Items to be ranked by ``<user vector, item vector> + item bias``, made ready once; safe to ask from threads.

    Attributes:
        tiles: vectors with the bias as first factor, the longest vectors first, (factors + 1, some items) each.
        biases: (items,).
        codes: of the items in that order, (items,).
        lengths: of their vectors without the bias; rests: largest bias from each item on, (items,) each.
        all_vectors, all_biases: of every item by code.
    """

    tiles: Sequence[Floats]
    codes: Codes
    lengths: Floats
    rests: Floats
    all_vectors: Floats
    all_biases: Floats

    @classmethod
    def of(
        cls, vectors: Floats, biases: Floats | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> "RankedItems":
        """Items by code, the unknown (code 0, never listed) among them.

        Args:
            vectors: (items + 1, factors).
            biases: (items + 1,); none by default.
            allowed: which items may be listed, (items + 1,); None for all.
        """
        biases = np.zeros(len(vectors), dtype=np.float32) if biases is None else biases.astype(np.float32)
        listed = np.arange(1, len(vectors)) if allowed is None else np.flatnonzero(allowed[1:]) + 1
        lengths = np.linalg.norm(vectors[listed], axis=1)
        order = np.argsort(-lengths, kind="stable")
        codes = listed[order].astype(np.int32)
        ready = np.concatenate([biases[codes, None], vectors[codes]], axis=1)
        rests = np.maximum.accumulate(biases[codes][::-1])[::-1]
        firsts = range(0, len(codes), ITEMS_A_TILE)
        tiles = [np.ascontiguousarray(ready[first : first + ITEMS_A_TILE].T) for first in firsts]
        return cls(tiles, codes, lengths[order], rests, vectors, biases)

    def best(self, users: Floats, seen: Histories | None, n: int, threads: int | None = None) -> tuple[Codes, Floats]:
        """For each user the `n` items with the highest scores, those that they have seen left out.

        Args:
            users: vectors, (users, factors).
            seen: of each user; None for nothing.
            threads: by default as many as there are processors and work for them.

        Returns:
            Item codes, (users, up to n), best first, of equal scores the lower code first, 0 where there are no more;
            and their scores, in 64 bits rounded to 32, minus infinity there.
        """
        n = max(0, min(n, len(self.all_vectors) - 1))
        lists = np.zeros((len(users), n), dtype=np.int32)
        scores = np.full((len(users), n), -np.inf, dtype=np.float32)
        if n == 0 or len(users) == 0:
            return lists, scores
        seen = Histories.of_lists([lists[0, :0]] * len(users)) if seen is None else seen
        tiles = np.arange(0, len(users) + USERS_A_TILE, USERS_A_TILE)
        parts = equal_work(np.arange(len(tiles)), usable_threads(len(users) * len(self.codes) // 64, threads))

        def run(first: int, last: int) -> None:
            for at in range(first, last):
                part = slice(at * USERS_A_TILE, min((at + 1) * USERS_A_TILE, len(users)))
                self._tile(users[part], _sorted(seen, part), lists[part], scores[part])

        if len(users) * len(self.codes) >= ROUGH_FROM and may_score_roughly():
            with one_torch_thread():
                ready = RoughTiles.of(self.tiles), [np.ascontiguousarray(tile.T) for tile in self.tiles]

            def run_roughly(first: int, last: int) -> None:
                with one_torch_thread():
                    for at in range(first, last):
                        part = slice(at * USERS_A_TILE, min((at + 1) * USERS_A_TILE, len(users)))
                        self._rough_tile(users[part], ready, _sorted(seen, part), lists[part], scores[part])

            in_parts(run_roughly, parts)
            return lists, scores
        with one_blas_thread():
            in_parts(run, parts)
        return lists, scores

    def _rough_tile(
        self,
        users: Floats,
        ready: tuple[RoughTiles, list[Floats]],
        seen: tuple[NDArray[np.int64], Codes],
        lists: Codes,
        scores: Floats,
    ) -> None:
        """As `_tile`, by rough scores first."""
        rough, vectors = ready
        users = np.ascontiguousarray(users)
        near, lengths = rough.users(users), np.linalg.norm(users, axis=1)
        counts = np.zeros(len(users), dtype=np.int64)
        room = room_for(len(users) * ITEMS_A_TILE)
        for at in range(len(vectors)):
            if self._is_done(at * ITEMS_A_TILE, lengths, scores, counts):
                break
            table, offs = rough.scores(near, at, room)
            codes = self.codes[at * ITEMS_A_TILE : (at + 1) * ITEMS_A_TILE]
            kernels()["offer_rough_items"](table, offs, users, vectors[at], codes, *seen, lists, scores, counts)
        self._settle(users, lists, scores)

    def _is_done(self, first: int, lengths: Floats, scores: Floats, counts: NDArray[np.int64]) -> bool:
        """Whether no item from the place `first` on can reach a list."""
        if counts.min() < scores.shape[1]:
            return False
        reach = lengths * self.lengths[first]
        bounds = reach + self.rests[first] + ROUNDING * (reach + abs(self.rests[first]))
        return bool((bounds < scores[:, 0]).all())

    def _tile(self, users: Floats, seen: tuple[NDArray[np.int64], Codes], lists: Codes, scores: Floats) -> None:
        """The lists of a few users, written to `lists` and `scores`."""
        rows = np.concatenate([np.ones((len(users), 1), dtype=np.float32), users], axis=1)
        lengths = np.linalg.norm(users, axis=1)
        counts = np.zeros(len(users), dtype=np.int64)
        room = np.empty(len(users) * ITEMS_A_TILE, dtype=np.float32)
        for at, tile in enumerate(self.tiles):
            first = at * ITEMS_A_TILE
            if self._is_done(first, lengths, scores, counts):
                break
            table = room[: len(users) * tile.shape[1]].reshape(len(users), -1)
            np.matmul(rows, tile, out=table)
            kernels()["offer_items"](table, self.codes[first : first + ITEMS_A_TILE], *seen, lists, scores, counts)
        self._settle(users, lists, scores)

    def _settle(self, users: Floats, lists: Codes, scores: Floats) -> None:
        """Exact scores of the lists, and their order."""
        exact = np.einsum("uf,unf->un", users, self.all_vectors[lists], dtype=np.float64) + self.all_biases[lists]
        found = np.where(lists > 0, exact, -np.inf).astype(np.float32)
        order = np.lexsort((np.where(lists > 0, lists, np.iinfo(np.int32).max), -found), axis=1)
        lists[:] = np.take_along_axis(lists, order, axis=1)
        scores[:] = np.take_along_axis(found, order, axis=1)


def _sorted(seen: Histories, part: slice) -> tuple[NDArray[np.int64], Codes]:
    """Where the items of each user of a part start, and the items, rising within each user."""
    starts = seen.starts[part.start : part.stop + 1]
    items = seen.items[starts[0] : starts[-1]]
    owners = np.repeat(np.arange(part.stop - part.start, dtype=np.int64), np.diff(starts))
    keys = np.sort(owners << 32 | items.astype(np.int64))
    return starts - starts[0], (keys & 0xFFFFFFFF).astype(np.int32)
