"""How the number columns of a table are encoded: patterns, of which every column gets a copy of its own."""

from dataclasses import dataclass, field

from vectable.data.encoders.bins import PiecewiseLinearBins
from vectable.data.encoders.fill_missing import FillMissing
from vectable.data.encoders.normalize import Normalize


@dataclass(frozen=True)
class Recipe:
    """Patterns with settings, not yet fitted.

    Attributes:
        fill: of missing values; None leaves the step out: a missing value is then the mean, 0 after normalizing.
        scale: brings numbers to mean 0 and standard deviation 1; None leaves them as they are.
        bins: piecewise-linear bins; None for none.
    """

    fill: FillMissing | None = field(default_factory=FillMissing)
    scale: Normalize | None = field(default_factory=Normalize)
    bins: PiecewiseLinearBins | None = None
