"""Whether intervals mean what they say: of the 90 % ones, do nine in ten hold the rating that came?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.insight.calibration import wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class Coverage:
    """Shares of ratings inside their intervals.

    Attributes:
        table: a row a level: `level`, `covered` (share inside, ends included), `low` and `high` (95 % interval of that
            share, Wilson 1927), `width` (mean, in rating points), `rows`.
    """

    table: pl.DataFrame

    def plot(self, path: str | None = None) -> "Figure":
        """Covered against promised, with intervals; on the diagonal they are right."""
        from vectable.plotting import figure, save

        fig, ax = figure(size=(5.5, 5.0))
        columns: dict[str, NDArray[Any]] = {name: self.table[name].to_numpy() for name in self.table.columns}
        ax.plot([0, 1], [0, 1], color="0.7", lw=1)
        spread = [columns["covered"] - columns["low"], columns["high"] - columns["covered"]]
        ax.errorbar(columns["level"], columns["covered"], yerr=np.maximum(spread, 0), fmt="o-", ms=4, lw=1)
        ax.set(xlabel="level of the interval", ylabel="held-out ratings inside", xlim=(0, 1.02), ylim=(0, 1.02))
        return save(fig, path)


def coverage(ratings: NDArray[np.float32], intervals: Mapping[float, NDArray[np.float32]]) -> Coverage:
    """Count the ratings, (rows,), inside their intervals, (rows, 2), at each level."""
    rows = []
    for level, ends in intervals.items():
        inside = (ratings >= ends[:, 0]) & (ratings <= ends[:, 1])
        low, high = wilson(inside.mean(keepdims=True), np.array([len(ratings)]))
        width = float((ends[:, 1] - ends[:, 0]).mean())
        rows.append(
            {
                "level": level, "covered": float(inside.mean()), "low": float(low[0]), "high": float(high[0]),
                "width": width, "rows": len(ratings),
            }
        )  # fmt: skip
    return Coverage(pl.DataFrame(rows))
