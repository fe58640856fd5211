"""Dropout (Srivastava et al. 2014): throw activations away at random, so that none can be relied on alone."""

import numpy as np

from vectable.lab.arrays import Array


def dropout_mask(shape: tuple[int, ...], p: float, rng: np.random.Generator) -> Array:
    """0 with chance `p`, and otherwise `1 / (1 - p)`, so that the sum stays the same on average.

    The paper scaled down when predicting instead; torch scales up while training, as here. Another random generator
    than torch's drops other numbers.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> sorted(set(lab.dropout_mask((100,), 0.5, np.random.default_rng(0)).tolist()))
        [0.0, 2.0]
    """
    return (rng.random(shape) >= p) / (1 - p)


def dropout(x: Array, p: float, rng: np.random.Generator, training: bool = True) -> Array:
    """`x` times a fresh mask while training; `x` itself otherwise. The gradient goes through the same mask.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> x = np.ones((1, 10_000))
        >>> round(float(lab.dropout(x, 0.5, np.random.default_rng(0)).mean()), 1)
        1.0
    """
    return x * dropout_mask(x.shape, p, rng) if training else x
