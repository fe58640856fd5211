"""Activation functions, each beside its gradient: the non-linear steps between affine ones, and the last step.

A gradient here takes the gradient by the output and gives the one by the input.
"""

import numpy as np

from vectable.lab.arrays import Array


def relu(x: Array) -> Array:
    """`max(x, 0)` (Nair & Hinton 2010).

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.relu(np.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return np.maximum(x, 0.0)


def relu_gradient(x: Array, gradient: Array) -> Array:
    """Passed on where x was above 0, and 0 elsewhere; at 0 itself, where there is no slope, 0, as torch does.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.relu_gradient(np.array([-1.0, 2.0]), np.array([5.0, 5.0])).tolist()
        [0.0, 5.0]
    """
    return gradient * (x > 0)


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`, between 0 and 1; written with an exponential that never overflows.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.sigmoid(np.array([0.0, -1000.0])).tolist()
        [0.5, 0.0]
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def sigmoid_gradient(x: Array, gradient: Array) -> Array:
    """`s * (1 - s)` times the gradient, s being the sigmoid.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.sigmoid_gradient(np.array([0.0]), np.array([1.0])).tolist()
        [0.25]
    """
    s = sigmoid(x)
    return gradient * s * (1 - s)


def scaled_sigmoid(x: Array, low: float, high: float) -> Array:
    """`low + (high - low) * sigmoid(x)`: what `y_range` does. The limits are never quite reached.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.scaled_sigmoid(np.array([0.0, 100.0]), 0, 5.5).tolist()
        [2.75, 5.5]
    """
    return low + (high - low) * sigmoid(x)


def scaled_sigmoid_gradient(x: Array, gradient: Array, low: float, high: float) -> Array:
    """The sigmoid's, times `high - low`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.scaled_sigmoid_gradient(np.array([0.0]), np.array([1.0]), 0, 5.5).tolist()
        [1.375]
    """
    return sigmoid_gradient(x, gradient * (high - low))


def softmax(x: Array) -> Array:
    """`exp(x) / sum(exp(x))` along the last axis: positive numbers that add up to 1.

    The largest x is taken off first, which changes nothing but keeps the exponentials from overflowing.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.softmax(np.array([1000.0, 1000.0])).tolist()
        [0.5, 0.5]
    """
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def log_softmax(x: Array) -> Array:
    """The natural logarithm of the softmax, without the detour over numbers that may be 0.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.log_softmax(np.array([[1000.0, 1000.0]])).round(4).tolist()
        [[-0.6931, -0.6931]]
    """
    above = x - x.max(axis=-1, keepdims=True)
    return np.asarray(above - np.log(np.exp(above).sum(axis=-1, keepdims=True)))


def softmax_gradient(x: Array, gradient: Array) -> Array:
    """`s * (g - sum(s * g))`, s being the softmax: raising one output lowers all others.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.softmax_gradient(np.array([0.0, 0.0]), np.array([1.0, 0.0])).tolist()
        [0.25, -0.25]
    """
    s = softmax(x)
    return np.asarray(s * (gradient - (s * gradient).sum(axis=-1, keepdims=True)))
