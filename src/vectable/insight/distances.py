"""Do vectors that lie close together belong to things that lie close together? Mantel's test (1967), and with a third
matrix of distances the partial one (Smouse, Long and Sokal 1986, doi 10.2307/2413122)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vectable.errors import DataError, is_whole, require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EARTH_RADIUS_KM = 6371.0088  # mean radius (IUGG)
FEWEST = 4  # with three things there are three distances, and six ways to name them
ALTERNATIVES = ("greater", "two-sided")

Matrix = NDArray[np.float64]


@dataclass
class DistanceTest:
    """What `distance_test` found.

    Attributes:
        r: Pearson correlation of the two kinds of distances over all pairs, -1 to 1; with a third kind the partial
            correlation, what they still have in common when both are compared at equal distances of that kind.
        p_value: share of the shufflings, the real naming among them, that give an r as large; the smallest possible is
            1 over the number of shufflings plus one.
        n_points, n_permutations: things compared, and shufflings.
        between_vectors, in_the_world: the distances, a pair an entry, (pairs,); with a third kind what a line through
            that kind leaves of them.
        of: what the world's distances are of.
        given: what the third kind is of, or None.
    """

    r: float
    p_value: float
    n_points: int
    n_permutations: int
    between_vectors: Matrix
    in_the_world: Matrix
    of: str = "distance in the world"
    given: str | None = None

    def __str__(self) -> str:
        name = f"Mantel r {self.r:.3f}" if self.given is None else f"partial Mantel r {self.r:.3f}, given {self.given}"
        return f"{name} (p = {self.p_value:.4g}, {self.n_points} points, {self.n_permutations:,} shuffles)"

    def plot(self, path: str | None = None) -> "Figure":
        """A dot a pair: distance between the vectors against distance in the world, with the line through them."""
        from vectable.plotting import figure, save

        fig, ax = figure(size=(6.5, 5.0))
        rest = "" if self.given is None else ": what is left of it"
        dots = min(1.0, 40 / np.sqrt(len(self.in_the_world)) / 4)
        ax.scatter(self.in_the_world, self.between_vectors, s=10, alpha=max(dots, 0.08), lw=0)
        slope, start = np.polyfit(self.in_the_world, self.between_vectors, 1)
        ends = np.array([self.in_the_world.min(), self.in_the_world.max()])
        ax.plot(ends, start + slope * ends, color="0.2", lw=1)
        ax.set(xlabel=f"{self.of}{rest}", ylabel=f"distance between vectors{rest}")
        ax.set_title(str(self).replace(", given", "\ngiven").replace(" (", "\n("), fontsize=9)
        return save(fig, path)


def distance_test(
    vectors: ArrayLike,
    distances: ArrayLike,
    given: ArrayLike | None = None,
    *,
    n_permutations: int = 9999,
    alternative: str = "greater",
    seed: int = 0,
    of: str = "distance in the world",
    given_of: str = "the third distance",
) -> DistanceTest:
    """Whether distances between vectors go with distances in the world.

    Pairs are not independent of one another (each thing is in many), so the p-value comes from shuffling which vector
    belongs to which thing.

    Args:
        vectors: (things, width), as `learn.weight(column)` gives them.
        distances: between the same things, (things, things): symmetric, 0 on the diagonal; see `great_circle` and
            `distances_between`.
        given: a third matrix of distances, (things, things), whose part is taken out of both (partial test).
        n_permutations: shufflings.
        alternative: "greater": is r larger than by chance? "two-sided": is it further from 0?
        seed: of the shufflings.
        of, given_of: what the distances are of, for the plot.

    Raises:
        DataError: fewer than four things, matrices that are not distances between them, or distances all alike.

    Examples:
        >>> import numpy as np
        >>> from vectable import insight
        >>> places = np.random.default_rng(0).normal(size=(20, 2))
        >>> test = insight.distance_test(places, insight.distances_between(places), n_permutations=99)
        >>> print(test)
        Mantel r 1.000 (p = 0.01, 20 points, 99 shuffles)
    """
    require(is_whole(n_permutations, 1), f"n_permutations must be a positive integer; got {n_permutations!r}.")
    require(alternative in ALTERNATIVES, f"alternative must be one of {list(ALTERNATIVES)}; got {alternative!r}.")
    between = distances_between(vectors)
    n = len(between)
    if n < FEWEST:
        raise DataError(f"There are {n} vectors; a test of distances needs at least {FEWEST}.")
    matrices = [between, _checked(distances, "distances", n)]
    if given is not None:
        matrices.append(_checked(given, "given", n))
    pairs = np.triu_indices(n, 1)
    names = ("vectors", "distances", "given")
    sides = [_standardised(one[pairs], name) for one, name in zip(matrices, names, strict=False)]
    rng = np.random.default_rng(seed)
    full = np.zeros((n, n))
    full[pairs] = sides[0]
    full += full.T
    r = _correlation(*sides)
    found = np.empty(n_permutations)
    for at in range(n_permutations):
        order = rng.permutation(n)
        found[at] = _correlation(full[order[pairs[0]], order[pairs[1]]], *sides[1:])
    as_large = np.abs(found) >= abs(r) - 1e-12 if alternative == "two-sided" else found >= r - 1e-12
    p_value = (1 + int(as_large.sum())) / (1 + n_permutations)
    shown = [one[pairs] for one in matrices[:2]]
    if given is not None:
        shown = [values - _line(sides[2], values) for values in shown]
    return DistanceTest(r, p_value, n, n_permutations, shown[0], shown[1], of, given_of if given is not None else None)


def distances_between(points: ArrayLike) -> Matrix:
    """Straight-line distances between points, (points, points), of (points, width) or of plain numbers, (points,).

    Examples:
        >>> from vectable import insight
        >>> insight.distances_between([[0, 0], [3, 4]]).tolist()
        [[0.0, 5.0], [5.0, 0.0]]
    """
    values = np.asarray(points, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    require(values.ndim == 2, f"points has {values.ndim} dimensions; it is a matrix, (points, width).")
    if not np.isfinite(values).all():
        raise DataError("Points without a finite number in every place have no distances.")
    return np.asarray(np.linalg.norm(values[:, None] - values[None], axis=2))


def great_circle(latitude: ArrayLike, longitude: ArrayLike) -> Matrix:
    """Distances over the ground between places, in kilometres on a sphere, (places, places) (the haversine formula).

    Args:
        latitude, longitude: in degrees, (places,), north and east positive.

    Raises:
        DataError: a place is not on the globe.

    Examples:
        >>> from vectable import insight
        >>> insight.great_circle([48.86, 51.51], [2.35, -0.13]).round().tolist()  # Paris, London
        [[0.0, 343.0], [343.0, 0.0]]
    """
    north, east = (np.asarray(one, dtype=np.float64) for one in (latitude, longitude))
    if north.ndim != 1 or north.shape != east.shape:
        raise DataError(f"Latitudes and longitudes come in pairs; there are {north.shape} and {east.shape}.")
    lost = ~((np.abs(north) <= 90) & (np.abs(east) <= 360))
    if lost.any():
        at = int(lost.argmax())
        raise DataError(
            f"Place {at + 1} has latitude {north[at]:g} and longitude {east[at]:g}: it is not on the globe."
        )
    phi, theta = np.radians(north), np.radians(east)
    of_latitude = np.sin((phi[:, None] - phi[None]) / 2) ** 2
    of_longitude = np.sin((theta[:, None] - theta[None]) / 2) ** 2
    half = of_latitude + np.cos(phi)[:, None] * np.cos(phi)[None] * of_longitude
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def _checked(distances: ArrayLike, name: str, n: int) -> Matrix:
    """A symmetric matrix of distances between `n` things."""
    matrix = np.asarray(distances, dtype=np.float64)
    if matrix.shape != (n, n):
        raise DataError(f"{name} has the shape {matrix.shape}; for {n} vectors it is a matrix of distances, {(n, n)}.")
    if not np.isfinite(matrix).all():
        at = np.argwhere(~np.isfinite(matrix))[0]
        raise DataError(f"{name} holds {matrix[at[0], at[1]]} between things {at[0] + 1} and {at[1] + 1}.")
    if not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 0):
        raise DataError(
            f"{name} is not a matrix of distances: these are the same both ways, and 0 from a thing to itself."
        )
    return matrix


def _standardised(values: Matrix, name: str) -> Matrix:
    """Of mean 0 and length 1, so that the product of two is their correlation."""
    centred = values - values.mean()
    length = float(np.linalg.norm(centred))
    if length <= 1e-12 * max(float(np.abs(values).max()), 1e-300):
        raise DataError(f"The distances in {name} are all alike: nothing can go with them.")
    return np.asarray(centred / length)


def _correlation(x: Matrix, y: Matrix, z: Matrix | None = None) -> float:
    """Correlation of standardised distances, or given `z` their partial one."""
    xy = float(x @ y)
    if z is None:
        return xy
    xz, yz = float(x @ z), float(y @ z)
    left = (1 - xz**2) * (1 - yz**2)
    return (xy - xz * yz) / np.sqrt(left) if left > 1e-12 else 0.0


def _line(z: Matrix, values: Matrix) -> Matrix:
    """What a line through the standardised `z` makes of `values`, less their mean."""
    return np.asarray(z * (z @ values))
