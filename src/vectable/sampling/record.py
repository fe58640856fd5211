"""What a sampling run leaves: the draws that are kept, sums over all draws, and the traces of a few quantities."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.sampling.chain import Chain
from vectable.sampling.draws import KeptDraws, stacked, unstacked
from vectable.sampling.options import SamplingOptions

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]


class DrawRecord:
    """The draws of all chains, after their burn-in.

    Attributes:
        kept: the draws that are kept, of each chain.
        sums: over all draws: "valid" (predictions of the held-out ratings), "user_bias", "item_bias".
        summed: number of draws in the sums.
        traces: of each chain a row per draw: noise, then a few predictions.
    """

    def __init__(self, options: SamplingOptions) -> None:
        room = options.draw_memory // options.n_chains
        self.kept = [KeptDraws(room, options.draw_dtype) for _ in range(options.n_chains)]
        self.sums: dict[str, Floats] = {}
        self.summed = 0
        self.traces: list[list[list[float]]] = [[] for _ in self.kept]

    @property
    def n_draws(self) -> int:
        """Draws in all chains; those kept may be fewer."""
        return sum(len(trace) for trace in self.traces)

    @property
    def n_kept(self) -> int:
        """Draws that are kept."""
        return sum(len(kept.kept) for kept in self.kept)

    @property
    def n_bytes(self) -> int:
        """Memory that the kept draws take."""
        return sum(array.nbytes for kept in self.kept for one in kept.kept for array in one.values())

    def add(self, at: int, chain: Chain, held_out: Floats, watched: list[float]) -> None:
        """Take in the state of chain number `at`.

        Args:
            held_out: predictions of the held-out ratings, (rows,).
            watched: the quantities of the trace.
        """
        found: dict[str, NDArray[Any]] = {"valid": held_out}
        found |= {"user_bias": chain.users[:, chain.n_factors], "item_bias": chain.items[:, chain.n_factors]}
        for name, values in found.items():
            self.sums[name] = self.sums.get(name, 0.0) + values.astype(np.float64)
        self.summed += 1
        self.kept[at].add(chain, len(self.traces[at]))
        self.traces[at].append(watched)

    def held_out_mean(self) -> Floats:
        """Predictions of the held-out ratings, the mean over all draws, not clipped, (rows,)."""
        return self.sums["valid"] / self.summed

    def trace(self) -> Floats:
        """The traces, as long as the shortest of them, (chains, draws, quantities)."""
        length = min(len(trace) for trace in self.traces)
        return np.array([trace[:length] for trace in self.traces])

    def draws(self) -> Arrays:
        """The kept draws of all chains, the draw as first dimension."""
        return stacked([one for kept in self.kept for one in kept.kept])

    # ---------------------------------------------------------------- saving

    def to_arrays(self) -> dict[str, Arrays]:
        """Everything, by name of the file."""
        drawn = ((at, stacked(kept.kept)) for at, kept in enumerate(self.kept) if kept.kept)
        return {
            "draws": {f"{at}.{name}": one for at, arrays in drawn for name, one in arrays.items()},
            "traces": {str(at): np.array(trace) for at, trace in enumerate(self.traces)},
            "sums": dict(self.sums),
        }

    def load_arrays(self, arrays: Mapping[str, Arrays], every: Sequence[int], summed: int) -> None:
        """Take up what `to_arrays` gave.

        Args:
            every: draws between two that are kept, of each chain.
            summed: draws in the sums.
        """
        self.sums, self.summed = dict(arrays["sums"]), summed
        self.traces = [arrays["traces"][str(at)].tolist() for at in range(len(self.kept))]
        for at, kept in enumerate(self.kept):
            draws = part_of(arrays["draws"], f"{at}.")
            kept.kept, kept.every = unstacked(draws) if draws else [], every[at]


def part_of(arrays: Mapping[str, NDArray[Any]], start: str) -> Arrays:
    """Those whose names begin with `start`, without it."""
    return {name[len(start) :]: one for name, one in arrays.items() if name.startswith(start)}
