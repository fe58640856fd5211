"""What the rows of one side have in common, drawn given the rows: a centre, a precision, and a regression on features.

Row x of a side with features f has the prior ``N(m + B' f, Lambda^-1)``. (m, Lambda) is Normal-Wishart with beta0 = 2,
nu0 = D, W0 = I (Salakhutdinov & Mnih 2008, doi 10.1145/1390156.1390267), and the coefficients of each group of features
have the prior ``N(0, (lambda Lambda)^-1)`` with lambda Gamma(1, 1) (Simm et al. 2017, doi 10.1109/MLSP.2017.8168143).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vectable.sampling.directions import Directions

Floats = NDArray[np.float64]

BETA, SHAPE, RATE = 2.0, 1.0, 1.0

RELAX = 0.8
"""How far rows and coefficients are drawn to the other side of their mean from where they were; see `kernels.py`."""


class Prior:
    """The prior of one side, as the latest draw has it.

    Args:
        n_rows: of the side.
        width: D, factors and bias.
        groups: of features, each with a row per row of the side.

    Attributes:
        centre: m, (D,).
        precision: Lambda, (D, D).
        coefficients: of each group, (directions, D): ``G`` of `directions.py`.
        strengths: lambda of each group.
        mean: of every row's prior, (rows + 1, D); entry 0 is that of a row of which nothing is known.
    """

    def __init__(self, n_rows: int, width: int, groups: Sequence[Directions]) -> None:
        self.groups = list(groups)
        self.centre, self.precision = np.zeros(width), np.eye(width)
        self.coefficients = [np.zeros((len(group), width)) for group in self.groups]
        self.strengths = [1.0 for _ in self.groups]
        self._fitted = [np.zeros((n_rows, width), dtype=np.float32) for _ in self.groups]
        self.mean = np.zeros((n_rows + 1, width))

    def draw(self, rows: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Draw everything given the side's rows, (rows, D)."""
        root = np.linalg.cholesky(self.precision)
        for at, group in enumerate(self.groups):
            others = sum((one for other, one in enumerate(self._fitted) if other != at), np.float32(0))
            rest = rows - self.centre.astype(np.float32) - others
            known = group.sizes**2 + self.strengths[at]
            middle = (group.sizes / known)[:, None] * (group.rows.T @ rest)
            noise = rng.standard_normal(middle.shape) / np.sqrt(known)[:, None]
            fresh = np.sqrt(1 - RELAX**2) * np.linalg.solve(root.T, noise.T).T
            drawn = (1 + RELAX) * middle - RELAX * self.coefficients[at] + fresh
            size = float(((drawn @ root) ** 2).sum())
            self.coefficients[at] = drawn
            self.strengths[at] = float(rng.gamma(SHAPE + drawn.size / 2) / (RATE + size / 2))
            self._fit(at)
        self._draw_centre(rows - sum(self._fitted, np.float32(0)), rng)
        self._settle()

    def to_arrays(self) -> dict[str, Floats]:
        """The state, to be saved."""
        arrays = {"centre": self.centre, "precision": self.precision, "strengths": np.array(self.strengths)}
        return arrays | {f"coefficients.{at}": one for at, one in enumerate(self.coefficients)}

    def load_arrays(self, arrays: Mapping[str, Floats]) -> None:
        """Take up what `to_arrays` gave."""
        self.centre, self.precision = arrays["centre"], arrays["precision"]
        self.strengths = arrays["strengths"].tolist()
        for at in range(len(self.groups)):
            self.coefficients[at] = arrays[f"coefficients.{at}"]
            self._fit(at)
        self._settle()

    def _fit(self, at: int) -> None:
        group = self.groups[at]
        self._fitted[at] = group.rows @ (group.sizes[:, None] * self.coefficients[at]).astype(np.float32)

    def _settle(self) -> None:
        self.mean[:] = self.centre
        for group, fitted, drawn in zip(self.groups, self._fitted, self.coefficients, strict=True):
            self.mean[0] += group.average @ drawn
            self.mean[1:] += fitted

    def _draw_centre(self, rest: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Centre and precision given what the features leave of the rows."""
        n, width = rest.shape
        rest = rest.astype(np.float64)
        average = rest.mean(axis=0)
        off = rest - average
        scatter = np.eye(width) + off.T @ off + n * BETA / (n + BETA) * np.outer(average, average)
        for strength, drawn in zip(self.strengths, self.coefficients, strict=True):
            scatter += strength * drawn.T @ drawn
        freedom = width + n + sum(len(group) for group in self.groups)
        self.precision = wishart(np.linalg.inv(scatter), freedom, rng)
        spread = np.linalg.cholesky(self.precision * (n + BETA))
        self.centre = n / (n + BETA) * average + np.linalg.solve(spread.T, rng.standard_normal(width))


def wishart(scale: Floats, freedom: float, rng: np.random.Generator) -> Floats:
    """One draw with mean ``freedom * scale``, by the decomposition of Bartlett (1933)."""
    width = len(scale)
    lower = np.tril(rng.standard_normal((width, width)), -1)
    lower[np.diag_indices(width)] = np.sqrt(rng.chisquare(freedom - np.arange(width)))
    root = np.linalg.cholesky((scale + scale.T) / 2) @ lower
    return np.ascontiguousarray(root @ root.T)
