"""Does a map mean anything? Trained from another seed, the same categories should lie the same way to one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from vectable.errors import DataError, is_whole, require
from vectable.insight.components import principal_components

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROUNDS = 20  # of bringing every map to the mean and taking the mean again
Points = NDArray[np.float64]


@dataclass
class MapStability:
    """How alike the maps of several seeds are, brought on top of one another.

    Attributes:
        agreement: mean over pairs of maps of the share of one's spread that the other explains, turned, mirrored,
            shifted and scaled to fit best (Procrustes), 0 to 1.
        chance: the same where the names of each map were shuffled: what fitting alone gives.
        p_value: share of such shufflings that agree as well (Jackson 1995, PROTEST).
        table: a row a name: its place in the mean map (x, y), and `spread`, how far the maps put it from there (root
            of the mean square, in units of the mean map's own).
        maps: the maps, fitted to the mean one, (maps, names, 2).
    """

    agreement: float
    chance: float
    p_value: float
    table: pl.DataFrame
    maps: Points

    def __str__(self) -> str:
        return (
            f"{len(self.maps)} maps agree by {self.agreement:.0%}; shuffled, they would by {self.chance:.0%} "
            f"(p = {self.p_value:.3g})"
        )

    def plot(self, path: str | None = None) -> "Figure":
        """The mean map with its names, and around each name where every seed puts it."""
        from vectable.insight.factor_map import labelled_map
        from vectable.plotting import save

        mean = self.table.select("x", "y").to_numpy()
        fig = labelled_map(mean, self.table["name"].to_list(), ("", ""), None, title=str(self))
        for one in self.maps:
            fig.axes[0].scatter(one[:, 0], one[:, 1], s=5, alpha=0.5, color="C1", zorder=2)
            for place, centre in zip(one, mean, strict=True):
                fig.axes[0].plot(*np.stack([place, centre]).T, lw=0.4, alpha=0.4, color="C1", zorder=1)
        return save(fig, path)


def map_stability(
    vectors: Sequence[ArrayLike], names: Sequence[object], n_permutations: int = 999, seed: int = 0
) -> MapStability:
    """Compare the maps (first two principal components) of vectors that were learned from several seeds.

    Args:
        vectors: of each seed, (names, width), the same names in the same order.
        names: of the rows.
        n_permutations: shufflings of the names.
        seed: of the shufflings.

    Raises:
        DataError: fewer than two sets of vectors or three names, or rows that do not match the names.

    Examples:
        >>> import numpy as np
        >>> from vectable import insight
        >>> vectors = np.random.default_rng(0).normal(size=(20, 3))
        >>> print(insight.map_stability([vectors, vectors], [f"row {n}" for n in range(20)]))
        2 maps agree by 100%; shuffled, they would by 8% (p = 0.001)
    """
    require(is_whole(n_permutations, 1), f"n_permutations must be a positive integer; got {n_permutations!r}.")
    tables = [np.asarray(one, dtype=np.float64) for one in vectors]
    if len(tables) < 2 or len(names) < 3:
        raise DataError(
            f"Stability compares two maps or more of three names or more; here are {len(tables)} of {len(names)}."
        )
    for one in tables:
        if one.ndim != 2 or len(one) != len(names) or one.shape[1] < 2:
            raise DataError(f"Vectors of shape {one.shape} make no map of {len(names)} names: give (names, 2 or more).")
    maps = [_centred(principal_components(one, 2)[0]) for one in tables]
    agreement = _agreement(maps)
    rng = np.random.default_rng(seed)
    shuffled = np.array([_agreement([rng.permutation(one) for one in maps]) for _ in range(n_permutations)])
    mean = maps[0]
    for _ in range(ROUNDS):
        fitted = np.stack([_fitted(one, mean) for one in maps])
        mean = _centred(fitted.mean(axis=0))
    fitted = np.stack([_fitted(one, mean) for one in maps])
    middle = fitted.mean(axis=0)
    spread = np.sqrt(((fitted - middle) ** 2).sum(axis=2).mean(axis=0) / (middle**2).sum(axis=1).mean())
    table = pl.DataFrame(
        {"name": [str(name) for name in names], "x": middle[:, 0], "y": middle[:, 1], "spread": spread}
    )
    p_value = (1 + int((shuffled >= agreement - 1e-12).sum())) / (1 + n_permutations)
    return MapStability(agreement, float(shuffled.mean()), p_value, table, fitted)


def _centred(points: Points) -> Points:
    """Around 0, of length 1."""
    around = points - points.mean(axis=0)
    length = float(np.linalg.norm(around))
    if length == 0:
        raise DataError("All vectors of a map are the same: there is nothing to compare.")
    return np.asarray(around / length)


def _agreement(maps: Sequence[Points]) -> float:
    """Mean over pairs of the squared sum of singular values: 1 less the squared distance after the best fit."""
    pairs = combinations(maps, 2)
    return float(np.mean([np.linalg.svd(a.T @ b, compute_uv=False).sum() ** 2 for a, b in pairs]))


def _fitted(points: Points, goal: Points) -> Points:
    """Centred points turned, mirrored and scaled to lie nearest to the centred `goal` (Schoenemann 1966)."""
    left, values, right = np.linalg.svd(points.T @ goal)
    return np.asarray(points @ left @ right * values.sum())
