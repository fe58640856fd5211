"""Many draws of a dot-product model from its posterior, as NumPy arrays: their mean predicts, their spread says how
sure that is. `posterior.py` makes a torch module of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from vectable.models.mean_factors import mean_factors
from vectable.models.one_draw import OneDraw, RatingScale

Codes = NDArray[Any]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class DrawnModel:
    """``rating = centre + scale * (<p_u, q_i> + b_u + b_i)``, mean over draws; see `sampling/chain.py`.

    With ordered categories the sum is a latent, and the rating the mean of the categories' `values` weighted by the
    probability that ``latent + N(0, 1)`` lies between their cuts. A user's *row* has all draws side by side, (draws *
    (factors + 1),).

    Attributes:
        users, items: rows of every draw side by side, (users + 1, draws * (factors + 1)) and (items + 1, same), half
            or single precision: the factors, then the bias. Entry 0 is one of whom nothing is known.
        n_draws: number of draws.
        centre, scale: from the sampler's units to the rating scale.
        cuts: of each draw, (draws, categories + 1), or None.
        values: of the categories, (categories,), or None.
        normal: distribution function of the standard normal, any shape.
    """

    users: NDArray[Any]
    items: NDArray[Any]
    n_draws: int
    centre: float
    scale: float
    cuts: Floats | None = None
    values: Floats | None = None
    normal: Callable[[NDArray[Any]], NDArray[Any]] = ndtr

    @property
    def depth(self) -> int:
        """Width of one draw's row: the factors and the bias."""
        return int(self.users.shape[1]) // self.n_draws

    # ---------------------------------------------------------------- pairs

    def sums(self, users: Codes, items: Codes) -> Floats:
        """Every draw's dot product and biases, (draws, rows), in the sampler's units."""
        shape = (len(users), self.n_draws, self.depth)
        p, q = (rows.reshape(shape) for rows in (_rows(self.users, users), _rows(self.items, items)))
        dots = np.einsum("rsd,rsd->rs", p[..., :-1], q[..., :-1])
        return np.asarray((dots + p[..., -1] + q[..., -1]).T)

    def to_ratings(self, sums: Floats) -> Floats:
        """From each draw's sum, (draws, ...), to its expected rating."""
        cuts = self.cuts
        if cuts is not None:
            cuts = cuts.reshape(len(cuts), *[1] * (sums.ndim - 1), -1)
        return self._of_ratings.expected(sums, cuts)

    def category_shares(self, sums: Floats, extra: Doubles) -> Doubles:
        """The chance of each category, (rows, categories): mean over the draws.

        Args:
            sums: of each draw, (draws, rows).
            extra: variance that comes to each sum, (draws, rows).
        """
        assert self.cuts is not None
        wider = np.sqrt(1 + extra).astype(np.float32)
        edges = (self.cuts[:, None, :] - sums[..., None]) / wider[..., None]
        return np.asarray(np.diff(self.normal(edges), axis=-1).astype(np.float64).mean(axis=0))

    # ---------------------------------------------------------------- rows of users

    def score_rows(self, rows: Floats) -> Floats:
        """Mean predicted rating of every item, (users, items), clipped to the scale only where it is shown."""
        if self.cuts is None:
            sums = rows @ self._designs.T
            sums /= self.n_draws
            sums += self._item_bias.mean(axis=1)
            return np.asarray(self.centre + self.scale * sums, dtype=np.float32)
        return np.stack([self.member_scores(row).mean(axis=0) for row in rows])

    def member_scores(self, row: Floats) -> Floats:
        """Every draw's prediction of every item, (draws, items), for one user's row."""
        return self.to_ratings(self.sums_of_row(row))

    def sums_of_row(self, row: Floats) -> Floats:
        """Every draw's sum for every item, (draws, items), for one user's row, in the sampler's units."""
        designs = self._designs.reshape(len(self.items), self.n_draws, self.depth).transpose(1, 0, 2)
        return np.asarray((designs @ row.reshape(self.n_draws, self.depth, 1))[..., 0] + self._item_bias.T)

    def designs_of(self, items: Codes) -> Floats:
        """``(q, 1)`` of some items in each draw, (draws, items, factors + 1)."""
        return self._designs[items].reshape(len(items), self.n_draws, self.depth).transpose(1, 0, 2)

    def slopes_of_row(self, row: Floats) -> Doubles:
        """How fast every item's expected category grows with the latent, (draws, items), for one user's row."""
        assert self.cuts is not None
        sums = self.sums_of_row(row)
        return self._of_ratings.slopes(sums, self.cuts[:, None, :]).astype(np.float64)

    def draw(self, at: int) -> OneDraw:
        """One draw by its number."""
        part = slice(at * self.depth, (at + 1) * self.depth)
        cuts = None if self.cuts is None else self.cuts[at]
        return OneDraw(self.users[:, part], self.items[:, part], cuts, self._of_ratings)

    # ---------------------------------------------------------------- vectors and biases

    def vectors(self, of_items: bool) -> Floats:
        """Factors of every item or user, (rows, factors): those whose dot products come closest to the draws' mean."""
        return self._factors[of_items]

    def biases(self, of_items: bool) -> Floats:
        """Mean bias over the draws, in rating points (of a latent, with ordered categories), (rows,)."""
        rows = self.items if of_items else self.users
        return np.asarray(rows[:, self.depth - 1 :: self.depth].astype(np.float32).mean(axis=1) * self.scale)

    # ---------------------------------------------------------------- inside

    @property
    def _of_ratings(self) -> RatingScale:
        return RatingScale(self.centre, self.scale, self.values, self.normal)

    @cached_property
    def _designs(self) -> Floats:
        """Items as a user's row meets them, ``(q, 1)`` of each draw, (items, draws * (factors + 1)) float32."""
        designs = self.items.astype(np.float32)
        designs[:, self.depth - 1 :: self.depth] = 1.0
        return designs

    @cached_property
    def _item_bias(self) -> Floats:
        """Of every item in every draw, (items, draws)."""
        return self.items[:, self.depth - 1 :: self.depth].astype(np.float32)

    @cached_property
    def _factors(self) -> tuple[Floats, Floats]:
        return mean_factors(self.users, self.items, self.n_draws, self.scale)


def _rows(table: NDArray[Any], codes: Codes) -> Floats:
    """Rows of a table in single precision; the whole table is converted where they are more than it has."""
    return table[codes].astype(np.float32) if len(codes) < len(table) else table.astype(np.float32)[codes]
