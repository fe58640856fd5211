"""The compiled CPU engine: AdamW on embedding tables at a cost independent of their size.

Importing this package is cheap; numba is imported when the first engine is built, or by `warm_up`.
"""

from vectable.training.compiled.compiling import EngineUnavailable, warm_up
from vectable.training.compiled.engine import LazyAdamW

__all__ = ["EngineUnavailable", "LazyAdamW", "warm_up"]
