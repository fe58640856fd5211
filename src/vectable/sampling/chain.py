"""One chain of the sampler: all that is drawn, and one sweep over it.

``r = mean + scale * (b_u + b_i + <p_u, q_i> + g_(u,day)) + noise``: ratings are brought to mean 0 and deviation 1
first, so that the priors mean the same on every scale. A sweep draws the priors, the users' rows and the items', the
offsets, and the precisions of noise and offsets; with ordered categories, cuts and latents in the place of the noise.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.compiling import compile_module
from vectable.sampling.directions import Directions
from vectable.sampling.layout import Layout
from vectable.sampling.ordinal import CutWalk, first_cuts
from vectable.sampling.prior import RELAX, Prior

Floats = NDArray[np.float64]

LANES = 16  # rows are padded to whole vectors of the kernels
NOISE_SHAPE, NOISE_RATE = 1.0, 1.0  # Gamma prior of the precisions of noise and offsets, in units of the ratings' own
START = 0.1  # deviation of the rows that a chain starts from
USERS, ITEMS, OFFSETS, LATENTS, HYPER, BEGIN = range(6)  # what a random key is for


@cache
def kernels() -> dict[str, Callable[..., Any]]:
    """The compiled functions of `kernels.py`."""
    return compile_module("vectable.sampling.kernels")


class Chain:
    """The state of one chain.

    Args:
        layout: the training ratings, their values standardised or, with `n_levels`, the number of their category.
        n_users, n_items, n_factors: of the model.
        user_groups, item_groups: features.
        n_levels: categories, or None for the normal likelihood.
        seed, number: of the chain; what it draws depends on these and the number of the draw alone.
        threads: that draw rows; the result does not depend on it.

    Attributes:
        users, items: rows, (users + 1, width) and (items + 1, width) float32: factors, bias, zeros; entry 0 is the
            prior mean of one of whom nothing is known.
        done: sweeps done.
    """

    def __init__(
        self,
        layout: Layout,
        n_users: int,
        n_items: int,
        n_factors: int,
        user_groups: Sequence[Directions] = (),
        item_groups: Sequence[Directions] = (),
        *,
        n_levels: int | None = None,
        seed: int = 42,
        number: int = 0,
        threads: int = 1,
    ) -> None:
        self.layout, self.seed, self.number, self.threads = layout, seed, number, threads
        self.n_factors = n_factors
        self.width = (n_factors + 2 + LANES - 1) // LANES * LANES
        self.done = 0
        depth = n_factors + 1
        self.user_prior, self.item_prior = Prior(n_users, depth, user_groups), Prior(n_items, depth, item_groups)
        rng = self._rng(BEGIN)
        self.users, self.items = (self._start(n, rng) for n in (n_users, n_items))
        self.noise_precision = 1.0
        self.offset_precision = 10.0
        groups = 0 if layout.group_starts is None else len(layout.group_starts) - 1
        self.offsets = np.zeros(groups, dtype=np.float32)
        self.levels = None if n_levels is None else layout.value.astype(np.int32)
        self.walk = None if self.levels is None else CutWalk(first_cuts(self.levels, n_levels or 0))
        self.target = layout.value if self.walk is None else np.zeros(len(layout), dtype=np.float32)

    def sweep(self, burning_in: bool) -> None:
        """One draw of everything."""
        if self.walk is not None:
            self._draw_latents(self.walk, burning_in)
        shifted = self.target - self._spread_offsets() if len(self.offsets) else self.target
        depth, layout, rng = self.n_factors + 1, self.layout, self._rng(HYPER)
        self.user_prior.draw(self.users[1:, :depth], rng)
        self._draw_rows(USERS, layout.user_starts, layout.item, shifted)
        self.item_prior.draw(self.items[1:, :depth], rng)
        self._draw_rows(ITEMS, layout.item_starts, layout.users_by_item, shifted[layout.by_item])
        rest = self.target - self.scores(layout.user, layout.item)
        if len(self.offsets):
            rest = self._draw_offsets(rest, rng)
        if self.walk is None:
            self.noise_precision = _precision(rest, rng)
        self.done += 1

    def scores(self, user: NDArray[np.int32], item: NDArray[np.int32]) -> Floats:
        """``b_u + b_i + <p_u, q_i>`` of pairs of codes, (pairs,)."""
        scores = np.empty(len(user))
        self._in_parts(
            lambda first, last: kernels()["score_pairs"](
                first, last, user, item, self.users, self.items, self.n_factors, scores
            ),
            _even_parts(len(user), self.threads),
        )
        return scores

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The state, to be saved and gone on from."""
        depth = self.n_factors + 1
        arrays: dict[str, NDArray[Any]] = {
            "users": self.users[:, :depth],
            "items": self.items[:, :depth],
            "offsets": self.offsets,
            "precisions": np.array([self.noise_precision, self.offset_precision]),
            "done": np.array(self.done),
        }
        for side, prior in (("users", self.user_prior), ("items", self.item_prior)):
            arrays |= {f"{side}.{name}": one for name, one in prior.to_arrays().items()}
        if self.walk is not None:
            arrays |= {"cuts": self.walk.cuts, "cuts.root": self.walk.root, "cuts.reach": np.array(self.walk.reach)}
        return arrays

    def load_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `to_arrays` gave; the next sweep is the one that would have come."""
        depth = self.n_factors + 1
        self.users[:, :depth], self.items[:, :depth] = arrays["users"], arrays["items"]
        self.offsets = arrays["offsets"].copy()
        self.noise_precision, self.offset_precision = arrays["precisions"].tolist()
        self.done = int(arrays["done"].item())
        for side, prior in (("users", self.user_prior), ("items", self.item_prior)):
            start = f"{side}."
            prior.load_arrays({key[len(start) :]: one for key, one in arrays.items() if key.startswith(start)})
        if self.walk is not None:
            self.walk.cuts, self.walk.root = arrays["cuts"].copy(), arrays["cuts.root"].copy()
            self.walk.reach = float(arrays["cuts.reach"].item())

    # ---------------------------------------------------------------- the parts of a sweep

    def _draw_rows(
        self, what: int, starts: NDArray[np.int64], others: NDArray[np.int32], targets: NDArray[np.float32]
    ) -> None:
        rows, other, prior = (
            (self.users, self.items, self.user_prior) if what == USERS else (self.items, self.users, self.item_prior)
        )
        depth, key = self.n_factors + 1, self._key(what)
        rows[0, :depth] = prior.mean[0]
        given = (starts, others, targets, other, prior.mean, prior.precision, self.noise_precision, RELAX, key, rows)
        run = kernels()["draw_rows"]
        self._in_parts(lambda first, last: run(first, last, *given), _equal_work(starts, self.threads))

    def _draw_offsets(self, rest: Floats, rng: np.random.Generator) -> Floats:
        """Draw the offsets and their precision; what they leave of `rest`, (ratings,)."""
        assert self.layout.group_starts is not None
        args = (self.offset_precision, self.noise_precision, self._key(OFFSETS), self.offsets)
        kernels()["draw_offsets"](0, len(self.offsets), self.layout.group_starts, rest, *args)
        self.offset_precision = _precision(self.offsets.astype(np.float64), rng)
        return rest - self._spread_offsets()

    def _draw_latents(self, walk: CutWalk, burning_in: bool) -> None:
        assert self.levels is not None
        levels = self.levels
        scores = self.scores(self.layout.user, self.layout.item)
        if len(self.offsets):
            scores += self._spread_offsets()
        parts = _even_parts(len(levels), self.threads)

        def judge(cuts: Floats) -> Floats:
            sums = np.zeros((len(PIECES), len(cuts) - 1))
            pieces = _even_parts(len(levels), len(PIECES))  # the order of the sums does not depend on the threads
            with ThreadPoolExecutor(self.threads) as pool:
                run = kernels()["log_likelihoods"]
                list(pool.map(lambda at: run(*pieces[at], levels, scores, cuts, sums[at]), range(len(pieces))))
            return np.asarray(sums.sum(axis=0))

        walk.draw(judge, self._rng(LATENTS), burning_in)
        latents, key = np.empty(len(levels)), self._key(LATENTS)
        self._in_parts(
            lambda first, last: kernels()["draw_latents"](first, last, levels, scores, walk.cuts, key, latents), parts
        )
        self.target = latents.astype(np.float32)

    def _spread_offsets(self) -> NDArray[np.float32]:
        """The offset of each rating, (ratings,)."""
        assert self.layout.group_starts is not None
        return np.repeat(self.offsets, np.diff(self.layout.group_starts))

    # ---------------------------------------------------------------- random numbers and threads

    def _key(self, what: int) -> np.uint64:
        return np.uint64(
            np.random.SeedSequence([self.seed, self.number, self.done, what]).generate_state(1, np.uint64)[0]
        )

    def _rng(self, what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.number, self.done, what])

    def _start(self, n_rows: int, rng: np.random.Generator) -> NDArray[np.float32]:
        rows = np.zeros((n_rows + 1, self.width), dtype=np.float32)
        rows[1:, : self.n_factors] = START * rng.standard_normal((n_rows, self.n_factors))
        return rows

    def _in_parts(self, run: Callable[[int, int], Any], parts: Sequence[tuple[int, int]]) -> None:
        if len(parts) == 1:
            run(*parts[0])
            return
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(lambda part: run(*part), parts))


PIECES = range(8)


def _precision(rest: Floats, rng: np.random.Generator) -> float:
    return float(rng.gamma(NOISE_SHAPE + len(rest) / 2) / (NOISE_RATE + float(rest @ rest) / 2))


def _even_parts(n: int, parts: int) -> list[tuple[int, int]]:
    borders = np.linspace(0, n, parts + 1).astype(int).tolist()
    return list(pairwise(borders))


def _equal_work(starts: NDArray[np.int64], parts: int) -> list[tuple[int, int]]:
    """Ranges of rows, from 1 on, with about as many ratings each."""
    rows = len(starts) - 1
    inner = np.searchsorted(starts, starts[-1] * np.arange(1, parts) / parts)
    borders = [1, *np.clip(inner, 1, rows).tolist(), rows]
    return list(pairwise(borders))
