"""Ratings as ordered categories: the cuts between them on a latent's scale, drawn with the latents integrated out.

A rating is category k where its latent ``score + N(0, 1)`` lies between cuts k and k + 1 (ordered probit). Drawing
cuts given latents hardly moves them (Cowles 1996, doi 10.1007/BF00162520), so they are proposed and judged by the
ratings alone: a random walk shaped by the curvature of the likelihood, and latents drawn afterwards.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Judge = Callable[[Floats], Floats]  # from cuts to the log-likelihood of each category's ratings


def first_cuts(levels: NDArray[np.int32], n_levels: int) -> Floats:
    """Cuts that give every category its share among latents of variance 2, (levels + 1,), from -inf to inf."""
    shares = np.cumsum(np.bincount(levels, minlength=n_levels)) / len(levels)
    return np.concatenate([[-np.inf], ndtri(shares[:-1]) * np.sqrt(2.0), [np.inf]])


class CutWalk:
    """Draws cuts; the first inner one stays, since the scores can move as one.

    Attributes:
        cuts: (levels + 1,).
        reach: of a proposal, in units of the likelihood's own width; settled while burning in.
        root: Cholesky factor of the proposals' covariance, (inner cuts - 1, same), found while burning in.
    """

    def __init__(self, cuts: Floats) -> None:
        self.cuts = cuts
        inner = len(cuts) - 3
        self.reach = 2.4 / np.sqrt(max(inner, 1))
        self.root = np.zeros((max(inner, 0), max(inner, 0)))

    def draw(self, judge: Judge, rng: np.random.Generator, burning_in: bool) -> None:
        """One proposal, taken or not (Metropolis)."""
        if len(self.root) == 0:
            return
        if burning_in:
            self._look_around(judge)
        step = self.root @ rng.standard_normal(len(self.root))
        proposal = self.cuts.copy()
        proposal[2:-1] += self.reach * step
        chance = np.log(rng.random())
        taken = bool((np.diff(proposal) > 0).all()) and judge(proposal).sum() - judge(self.cuts).sum() > chance
        if taken:
            self.cuts = proposal
        if burning_in:
            self.reach *= np.exp(0.1 * (float(taken) - 0.3))

    def _look_around(self, judge: Judge) -> None:
        """The shape of the likelihood about the cuts, by differences: a category depends on its own two cuts alone."""
        inner = len(self.root)
        step = 1e-3 * float(np.diff(self.cuts[1:-1]).min())
        here = judge(self.cuts)
        moved = {}
        for at in range(inner):
            for sign in (1, -1):
                cuts = self.cuts.copy()
                cuts[2 + at] += sign * step
                moved[at, sign] = judge(cuts)
        curvature = np.zeros((inner, inner))
        for at in range(inner):
            curvature[at, at] = -(moved[at, 1] - 2 * here + moved[at, -1]).sum() / step**2
            if at + 1 < inner:
                both = self.cuts.copy()
                both[2 + at : 4 + at] += step
                mixed = judge(both) - moved[at, 1] - moved[at + 1, 1] + here
                curvature[at, at + 1] = curvature[at + 1, at] = -mixed.sum() / step**2
        values, vectors = np.linalg.eigh(curvature)
        values = np.maximum(values, 1e-3 * max(values.max(), 1.0))
        self.root = vectors / np.sqrt(values)
