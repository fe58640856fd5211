"""New rows under a posterior: a user (or item) known by ratings, by features, or by both, in one solve per draw.

Given the draws of the other side, the row of a new user is normal: precision ``Lambda + alpha W'W``, and as its mean
``Lambda m + alpha W'y`` solved by it, with W the rated items' ``(q, 1)`` and y what is left of the ratings. With
ordered categories the latents are replaced by their expectation, again and again until they agree with the row.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS = 20  # of latents and row in turn
SMALLEST_SHARE = 1e-12


@dataclass(frozen=True)
class NewRow:
    """The posterior of one new row in each draw.

    Attributes:
        mean: (draws, D).
        precision: (draws, D, D).
    """

    mean: Floats
    precision: Floats

    @cached_property
    def covariance(self) -> Floats:
        """(draws, D, D)."""
        return np.asarray(np.linalg.inv(self.precision), dtype=np.float64)

    def drawn(self, rng: np.random.Generator) -> Floats:
        """One row per draw, (draws, D): normals whose mean and deviation over the draws are made exact."""
        normals = rng.standard_normal(self.mean.shape)
        if len(normals) > 1:
            normals = (normals - normals.mean(axis=0)) / normals.std(axis=0)
        return np.asarray(self.mean + np.einsum("sde,se->sd", np.linalg.cholesky(self.covariance), normals))


def new_row(
    prior_mean: Floats,
    prior_precision: Floats,
    noise_precision: Floats,
    designs: Floats,
    rests: Floats,
    cuts: Floats | None = None,
    levels: NDArray[np.int32] | None = None,
) -> NewRow:
    """Solve for a row.

    Args:
        prior_mean, prior_precision: (draws, D) and (draws, D, D).
        noise_precision: (draws,).
        designs: ``(q, 1)`` of the rated ones, (draws, ratings, D).
        rests: rating less the rated one's bias, in the sampler's units, (draws, ratings); with categories less the
            bias alone.
        cuts, levels: with ordered categories, (draws, categories + 1), and of each rating, (ratings,).
    """
    if designs.shape[1] == 0:
        return NewRow(prior_mean, prior_precision)
    weighted = designs.transpose(0, 2, 1) * noise_precision[:, None, None]
    precision = prior_precision + weighted @ designs
    pull = np.einsum("sde,se->sd", prior_precision, prior_mean)
    if cuts is None or levels is None:
        mean = np.linalg.solve(precision, (pull + np.einsum("sdn,sn->sd", weighted, rests))[..., None])[..., 0]
        return NewRow(mean, precision)
    inverse = np.linalg.inv(precision)
    low, high = cuts[:, levels], cuts[:, levels + 1]
    mean = prior_mean
    for _ in range(ROUNDS):
        scores = np.einsum("snd,sd->sn", designs, mean) - rests
        latents = scores + _truncated_mean(low - scores, high - scores)
        mean = np.einsum("sde,se->sd", inverse, pull + np.einsum("sdn,sn->sd", weighted, latents + rests))
    return NewRow(mean, precision)


def _truncated_mean(low: Floats, high: Floats) -> Floats:
    """Mean of a standard normal between `low` and `high`."""
    from scipy.special import ndtr

    share = np.maximum(ndtr(high) - ndtr(low), SMALLEST_SHARE)
    return np.asarray((np.exp(-0.5 * low**2) - np.exp(-0.5 * high**2)) / np.sqrt(2 * np.pi) / share)
