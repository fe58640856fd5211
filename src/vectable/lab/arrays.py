"""The two kinds of array of the lab: numbers, and whole numbers that stand for things."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.integer]
