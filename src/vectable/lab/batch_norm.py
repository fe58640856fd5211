"""Batch normalisation (Ioffe & Szegedy 2015): two numbers a column that say where it should lie and how wide.

The mean and the spread of the batch are taken off, and learned ones put back, so that shifting all activations of a
column takes changing one number instead of a whole layer of weights.
"""

import numpy as np

from vectable.lab.arrays import Array


class BatchNorm:
    """`scale * (x - mean) / sqrt(variance + eps) + shift`, a column at a time: the same as torch's `BatchNorm1d`.

    The batch is divided by its variance with n; the running variance is kept with n - 1, as torch does. torch's
    momentum 0.1 is the share of the new: `running = 0.9 * running + 0.1 * batch`.

    Attributes:
        parameters: [scale (columns,), shift (columns,)].
        gradients: of the same shapes, filled by `backward`.
        mean, variance: the running averages, (columns,), used when not training.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> norm = lab.BatchNorm(1)
        >>> norm(np.array([[1.0], [3.0]])).round(3).tolist()
        [[-1.0], [1.0]]
    """

    def __init__(self, columns: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.momentum, self.eps = momentum, eps
        self.parameters = [np.ones(columns), np.zeros(columns)]
        self.gradients = [np.zeros(columns), np.zeros(columns)]
        self.mean, self.variance = np.zeros(columns), np.ones(columns)

    def __call__(self, x: Array, training: bool = True) -> Array:
        """Normalised rows, (rows, columns); while training by the batch (2 rows or more), else by the averages."""
        mean, variance = (x.mean(axis=0), x.var(axis=0)) if training else (self.mean, self.variance)
        if training:
            new, n = self.momentum, len(x)
            self.mean = (1 - new) * self.mean + new * mean
            self.variance = (1 - new) * self.variance + new * variance * n / (n - 1)
        self._spread = np.sqrt(variance + self.eps)
        self._normal = (x - mean) / self._spread
        scale, shift = self.parameters
        return scale * self._normal + shift

    def backward(self, gradient: Array) -> Array:
        """The gradient by the latest training batch; those by scale and shift are kept.

        A row moves the mean and the spread of all rows: hence the two means taken off.
        """
        self.gradients = [(gradient * self._normal).sum(axis=0), gradient.sum(axis=0)]
        inner = gradient * self.parameters[0]
        along = self._normal * (inner * self._normal).mean(axis=0)
        centered: Array = inner - inner.mean(axis=0) - along
        return centered / self._spread
