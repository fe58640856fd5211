"""The compiled CPU engine: AdamW on embedding tables at a cost independent of their size.

Importing this package is cheap; numba is imported when the first engine is built, or by `warm_up`.
"""

from vectable.compiling import EngineUnavailable
from vectable.training.engines.compiled.engine import LazyAdamW
from vectable.training.engines.compiled.ready import warm_up

__all__ = ["EngineUnavailable", "LazyAdamW", "warm_up"]
