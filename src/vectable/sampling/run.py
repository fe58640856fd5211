"""A sampling run: chains, the draws that are kept, and what is summed over all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.sampling.chain import Chain
from vectable.sampling.day_biases import offset_keys, places_of
from vectable.sampling.directions import Directions
from vectable.sampling.layout import Layout, days
from vectable.sampling.options import SamplingOptions
from vectable.sampling.record import Arrays, DrawRecord, part_of
from vectable.sampling.units import Units

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Groups = tuple[Sequence[Directions], Sequence[Directions]]

WATCHED = 4  # predictions whose draws are written down, to judge convergence


@dataclass(frozen=True)
class Pairs:
    """Rows of user and item.

    Attributes:
        user, item: codes, (rows,).
        rating: (rows,) float32.
        time: (rows,) float64, or None.
    """

    user: Codes
    item: Codes
    rating: NDArray[np.float32]
    time: Floats | None = None


@dataclass(frozen=True)
class Draw:
    """What one sweep of one chain left.

    Attributes:
        chain, number: which chain, and how many sweeps it has done.
        step, steps: of this call, for this chain.
        noise: standard deviation of a rating about its expectation.
    """

    chain: int
    number: int
    step: int
    steps: int
    noise: float


class SamplingRun:
    """Chains from different starts on the same ratings. Interrupted between two draws, it can be continued.

    Args:
        record: to which every draw after the burn-in goes.
        train, held_out: ratings to learn from, and those whose predictions are summed.
        n_users, n_items: known ones.
        groups: features of users and of items.
    """

    def __init__(
        self,
        options: SamplingOptions,
        units: Units,
        record: DrawRecord,
        *,
        train: Pairs,
        held_out: Pairs,
        n_users: int,
        n_items: int,
        groups: Groups,
    ) -> None:
        self.options, self.units, self.record, self.held_out = options, units, record, held_out
        with_days = options.user_day_bias and train.time is not None
        day = days(train.time) if with_days and train.time is not None else None
        layout = Layout.of(train.user, train.item, units.to_values(train.rating), n_users, n_items, day)
        self.chains = [
            Chain(
                layout,
                n_users,
                n_items,
                options.n_factors,
                *groups,
                n_levels=units.n_levels,
                seed=options.seed,
                number=number,
                threads=options.threads,
            )
            for number in range(options.n_chains)
        ]
        keys = offset_keys(train.user, train.time) if with_days and train.time is not None else None
        self._places = places_of(keys, held_out.user, held_out.time)
        rows = np.linspace(0, len(train.rating) - 1, WATCHED).astype(int)
        self._watched = train.user[rows], train.item[rows]

    def steps(self, n_draws: int) -> int:
        """Sweeps that `draw` makes in all chains."""
        return sum(max(self.options.burn_in - chain.done, 0) + n_draws for chain in self.chains)

    def draw(self, n_draws: int) -> Iterator[Draw]:
        """Draw `n_draws` in each chain, after what is left of its burn-in: the loop."""
        for at, chain in enumerate(self.chains):
            burn_in = max(self.options.burn_in - chain.done, 0)
            for step in range(1, burn_in + n_draws + 1):
                chain.sweep(step <= burn_in)
                if step > burn_in:
                    self._take(at)
                yield Draw(at, chain.done, step, burn_in + n_draws, self._noise(chain))

    def _take(self, at: int) -> None:
        """Give a chain's state to the record."""
        chain = self.chains[at]
        seen = self._expected(chain, self.held_out.user, self.held_out.item, self._places)
        self.record.add(at, chain, seen, [self._noise(chain), *self._expected(chain, *self._watched).tolist()])

    def _expected(self, chain: Chain, users: Codes, items: Codes, places: NDArray[np.int64] | None = None) -> Floats:
        """Expected ratings of pairs in a chain's latest draw, (pairs,)."""
        sums = chain.scores(users, items)
        if places is not None and len(places):
            sums += np.append(chain.offsets, np.float32(0))[places]
        return self.units.to_ratings(sums, None if chain.walk is None else chain.walk.cuts)

    def _noise(self, chain: Chain) -> float:
        return float(self.units.scale / np.sqrt(chain.noise_precision))

    # ---------------------------------------------------------------- saving

    def to_arrays(self) -> Arrays:
        """The chains' state, to be saved."""
        pairs = ((at, chain.to_arrays()) for at, chain in enumerate(self.chains))
        return {f"{at}.{name}": one for at, arrays in pairs for name, one in arrays.items()}

    def load_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `to_arrays` gave; the next draw is the one that would have come."""
        for at, chain in enumerate(self.chains):
            chain.load_arrays(part_of(arrays, f"{at}."))
