"""The lesson's two nets for digits, and the plain loop that trains them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vectable.errors import require
from vectable.lab.activations import relu, relu_gradient
from vectable.lab.affine import MyLinear
from vectable.lab.arrays import Array, Codes
from vectable.lab.decay import l2_penalty, l2_penalty_gradients
from vectable.lab.losses import cross_entropy, cross_entropy_gradient
from vectable.lab.optimizers import Optimizer


class Net:
    """Affine layers with ReLU between them: `sizes` are the numbers of inputs, of hidden activations, of classes.

    `Net([784, 10])` is the lesson's logistic regression, `Net([784, 50, 10])` its net with one hidden layer. The
    weights start as torch's `Linear` does (see `MyLinear`).

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> net = lab.Net([64, 50, 10])
        >>> net(np.ones((2, 64))).shape, sum(p.size for p in net.parameters)
        ((2, 10), 3760)
    """

    def __init__(self, sizes: Sequence[int], seed: int = 0) -> None:
        require(len(sizes) > 1, f"A net needs inputs and outputs; {list(sizes)} is only one size.")
        self.layers = [MyLinear(n_in, n_out, seed + at) for at, (n_in, n_out) in enumerate(pairwise(sizes))]

    @property
    def parameters(self) -> list[Array]:
        """Weights and biases of every layer."""
        return [p for layer in self.layers for p in layer.parameters]

    def __call__(self, x: Array) -> Array:
        """Activations of the last layer, (rows, classes), before the softmax."""
        self._before_relu = []
        for layer in self.layers[:-1]:
            hidden = layer(x)
            self._before_relu.append(hidden)
            x = relu(hidden)
        return self.layers[-1](x)

    def backward(self, gradient: Array) -> list[Array]:
        """Gradients of all parameters, from the one by the latest output: back through the layers."""
        gradient = self.layers[-1].backward(gradient)
        for layer, hidden in zip(self.layers[-2::-1], self._before_relu[::-1], strict=True):
            gradient = layer.backward(relu_gradient(hidden, gradient))
        return [g for layer in self.layers for g in layer.gradients]


def update(net: Net, x: Array, y: Codes, optimizer: Optimizer, wd: float = 0.0) -> float:
    """One step on one batch: predict, loss, gradients, step. The loss before the step, with `wd * sum(w²)` in it.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> net, x, y = lab.Net([2, 2]), np.eye(2), np.array([0, 1])
        >>> before = lab.update(net, x, y, lab.SGD(0.5))
        >>> lab.update(net, x, y, lab.SGD(0.5)) < before
        True
    """
    output = net(x)
    loss = cross_entropy(output, y) + l2_penalty(net.parameters, wd)
    gradients = net.backward(cross_entropy_gradient(output, y))
    decays = l2_penalty_gradients(net.parameters, wd)
    optimizer.step(net.parameters, [g + d for g, d in zip(gradients, decays, strict=True)])
    return loss


def train_epoch(
    net: Net, x: Array, y: Codes, optimizer: Optimizer, batch: int = 64, wd: float = 0.0, seed: int = 0
) -> Array:
    """`update` on every batch of the shuffled rows, (batches,) losses; the last batch may be smaller.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> net, x, y = lab.Net([2, 2]), np.eye(2), np.array([0, 1])
        >>> losses = [lab.train_epoch(net, x, y, lab.SGD(0.5)).mean() for _ in range(20)]
        >>> bool(losses[-1] < losses[0])
        True
    """
    order = np.random.default_rng(seed).permutation(len(x))
    batches = (order[at : at + batch] for at in range(0, len(x), batch))
    return np.array([update(net, x[rows], y[rows], optimizer, wd) for rows in batches])


def accuracy(net: Net, x: Array, y: Codes) -> float:
    """Share of rows whose largest activation is the right one.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> net = lab.Net([2, 2])
        >>> 0 <= lab.accuracy(net, np.eye(2), np.array([0, 1])) <= 1
        True
    """
    return float(np.mean(net(x).argmax(axis=1) == y))
