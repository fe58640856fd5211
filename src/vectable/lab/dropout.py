"""Dropout (Srivastava et al. 2014): throw activations away at random, so that none can be relied on alone."""

import numpy as np

from vectable.lab.arrays import Array


def dropout_mask(shape: tuple[int, ...], p: float, rng: np.random.Generator) -> Array:
    """0 with chance `p`, and otherwise `1 / (1 - p)`, so that the sum stays the same on average.

    The paper scaled down when predicting instead; torch scales up while training, as here. Another random generator
    than torch's drops other numbers.
    """
    return (rng.random(shape) >= p) / (1 - p)


def dropout(x: Array, p: float, rng: np.random.Generator, training: bool = True) -> Array:
    """`x` times a fresh mask while training; `x` itself otherwise. The gradient goes through the same mask."""
    return x * dropout_mask(x.shape, p, rng) if training else x
