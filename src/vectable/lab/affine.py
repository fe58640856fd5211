"""The affine function: multiply by a matrix, add a bias. Every layer with weights is one of these.

Rows are examples throughout the lab, as in torch; the weights are (inputs, outputs), so that the formula reads
`x @ w + b`. torch's `Linear` keeps its weights the other way round, (outputs, inputs), and computes the same.
"""

import math

import numpy as np

from vectable.lab.arrays import Array


def affine(x: Array, w: Array, b: Array) -> Array:
    """`x @ w + b`: (rows, inputs), (inputs, outputs) and (outputs,) give (rows, outputs).

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.affine(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.5])).tolist()
        [[11.5]]
    """
    return x @ w + b


def affine_gradients(x: Array, w: Array, gradient: Array) -> tuple[Array, Array, Array]:
    """Gradients of a loss by x, w and b, from its `gradient` by the output, (rows, outputs): the chain rule.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
        >>> [one.tolist() for one in lab.affine_gradients(x, w, np.array([[1.0]]))]
        [[[3.0, 4.0]], [[1.0], [2.0]], [1.0]]
    """
    return gradient @ w.T, x.T @ gradient, gradient.sum(axis=0)


def append_ones(x: Array) -> Array:
    """A column of ones to the right: with the bias as the last row of the weights, a matrix product is affine.

    `append_ones(x) @ np.vstack([w, b])` equals `affine(x, w, b)`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.append_ones(np.array([[5.0], [6.0]])).tolist()
        [[5.0, 1.0], [6.0, 1.0]]
    """
    return np.hstack([x, np.ones((len(x), 1))])


def compose_affine(w1: Array, b1: Array, w2: Array, b2: Array) -> tuple[Array, Array]:
    """The one affine function that does what two do in a row: why layers need something non-linear between them.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> layers = [[2.0]], [1.0], [[3.0]], [4.0]
        >>> w, b = lab.compose_affine(*map(np.array, layers))
        >>> w.tolist(), b.tolist()
        ([[6.0]], [7.0])
    """
    return w1 @ w2, b1 @ w2 + b2


class MyLinear:
    """The exercise of the lesson: the affine layer as a thing with parameters.

    Weights and biases start uniform within one over the root of `n_in`, the interval of `Linear` in torch; the random
    generator is NumPy's, so a seed gives other numbers than there.

    Attributes:
        parameters: [weights (n_in, n_out), biases (n_out,)].
        gradients: of the same shapes, filled by `backward`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> layer = lab.MyLinear(3, 2)
        >>> layer(np.ones((4, 3))).shape
        (4, 2)
    """

    def __init__(self, n_in: int, n_out: int, seed: int = 0) -> None:
        rng, limit = np.random.default_rng(seed), 1 / math.sqrt(n_in)
        self.parameters = [rng.uniform(-limit, limit, (n_in, n_out)), rng.uniform(-limit, limit, n_out)]
        self.gradients = [np.zeros_like(p) for p in self.parameters]

    def __call__(self, x: Array) -> Array:
        """The activations, (rows, n_out)."""
        self._x = x
        return affine(x, *self.parameters)

    def backward(self, gradient: Array) -> Array:
        """The gradient by the latest input, from the one by its output; those of the parameters are kept."""
        by_x, *self.gradients = affine_gradients(self._x, self.parameters[0], gradient)
        return by_x
