"""What a raw column becomes: category outputs and number outputs, each under a name."""

from dataclasses import dataclass, field

import numpy as np

from vectable.data.encoders.bins import PiecewiseLinearBins
from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.fill_missing import FillMissing
from vectable.data.encoders.normalize import Normalize


@dataclass(frozen=True)
class NumberOutput:
    """How a number is encoded.

    Attributes:
        fill, scale: the fitted encoders.
        bins: of the normalized numbers, which the net cuts; None for none.
        low, high: the range that training showed, missing values filled.
    """

    fill: FillMissing
    scale: Normalize
    bins: PiecewiseLinearBins | None = None
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Outputs:
    """What a raw column becomes.

    Attributes:
        categories: the vocabulary of each category output by its name, in the order of the codes.
        numbers: the encoders of each number output by its name, in the order of the numbers.
        memories: those of `categories` that say which values of a number were missing; they stand last.
    """

    categories: dict[str, Categorify] = field(default_factory=dict)
    numbers: dict[str, NumberOutput] = field(default_factory=dict)
    memories: frozenset[str] = frozenset()
