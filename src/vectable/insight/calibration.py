"""Whether probabilities mean what they say: of the rows given 70 %, do seven in ten come true?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from vectable.errors import DataError, require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Z = 1.96  # standard deviations of a 95 % interval


@dataclass
class Calibration:
    """How often predictions of about the same probability came true.

    Attributes:
        table: a row for each group of predictions: `predicted` (their mean), `observed` (the share that came true),
            `low` and `high` (95 % interval of that share, Wilson 1927), `rows`.
        error: mean distance between predicted and observed, weighted by rows (expected calibration error, Naeini et
            al. 2015), 0 to 1.
        of: what the probabilities are of.
    """

    table: pl.DataFrame
    error: float
    of: str

    def plot(self, path: str | None = None) -> "Figure":
        """Observed against predicted, with intervals; on the diagonal the probabilities are right."""
        from vectable.plotting import figure, save

        fig, ax = figure(size=(5.5, 5.0))
        columns: dict[str, NDArray[Any]] = {name: self.table[name].to_numpy() for name in self.table.columns}
        ax.plot([0, 1], [0, 1], color="0.7", lw=1)
        spread = [columns["observed"] - columns["low"], columns["high"] - columns["observed"]]
        ax.errorbar(columns["predicted"], columns["observed"], yerr=np.maximum(spread, 0), fmt="o-", ms=4, lw=1)
        ax.set(
            xlabel=f"predicted: {self.of}",
            ylabel="share that came true",
            title=f"expected calibration error {self.error:.3f}",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
        )
        return save(fig, path)


def calibration(
    probabilities: ArrayLike, came_true: ArrayLike, n_bins: int = 10, of: str = "probability"
) -> Calibration:
    """Group predictions by their probability, about equally many rows per group, and count what came true.

    Args:
        probabilities: (rows,), 0 to 1.
        came_true: (rows,), whether each came true.
        n_bins: most groups; equal probabilities stay together.
        of: what the probabilities are of, for the plot.

    Raises:
        DataError: no rows, lengths that differ, or values that are not probabilities.
    """
    require(n_bins >= 1, f"n_bins must be a positive integer; got {n_bins!r}.")
    given, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(came_true, dtype=np.float64)
    if given.ndim != 1 or given.shape != truth.shape or len(given) == 0:
        raise DataError(
            f"Calibration compares one probability per row with what came true; got {given.shape} and {truth.shape}."
        )
    if not ((given >= 0) & (given <= 1)).all():
        raise DataError(f"Probabilities lie between 0 and 1; these go from {given.min():g} to {given.max():g}.")
    borders = np.unique(np.quantile(given, np.linspace(0, 1, n_bins + 1)[1:-1], method="higher"))
    group = np.searchsorted(borders, given, side="right")
    rows = np.bincount(group)
    used = rows > 0
    rows = rows[used]
    predicted = np.bincount(group, given)[used] / rows
    observed = np.bincount(group, truth)[used] / rows
    low, high = wilson(observed, rows)
    table = pl.DataFrame({"predicted": predicted, "observed": observed, "low": low, "high": high, "rows": rows})
    return Calibration(table, float(np.abs(predicted - observed) @ rows / rows.sum()), of)


def wilson(share: NDArray[np.float64], rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of a share of so many rows (Wilson 1927)."""
    middle = (share + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
    half = Z / (1 + Z**2 / rows) * np.sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
