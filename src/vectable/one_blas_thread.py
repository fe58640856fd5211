"""BLAS on one thread: on matrices of a few dozen rows more threads only wait for each other, at many times the cost."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _libraries() -> Any:
    """The BLAS libraries of the process, looked for once: finding them takes longer than what they are asked."""
    import scipy.linalg  # noqa: F401 - brings a BLAS of its own, which must be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def one_blas_thread() -> AbstractContextManager[Any]:
    """Within it BLAS keeps to one thread, whatever it was allowed before and is again after it."""
    limit: AbstractContextManager[Any] = _libraries().limit(limits=1)
    return limit
