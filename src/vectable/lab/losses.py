"""Loss functions, means over the rows, each beside its gradient by the prediction.

Logarithms are natural, as in torch. The lesson's entropy sheet uses base 10: divide by `np.log(10)` to compare.
"""

import numpy as np

from vectable.lab.activations import log_softmax, softmax
from vectable.lab.arrays import Array, Codes
from vectable.lab.embeddings import one_hot


def mse(predicted: Array, target: Array) -> float:
    """Mean squared error, `mean((predicted - target)²)`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> float(lab.mse(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
        2.0
    """
    return float(np.mean((predicted - target) ** 2))


def mse_gradient(predicted: Array, target: Array) -> Array:
    """`2 (predicted - target) / n`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.mse_gradient(np.array([1.0, 3.0]), np.array([1.0, 1.0])).tolist()
        [0.0, 2.0]
    """
    return 2 * (predicted - target) / predicted.size


def rmse(predicted: Array, target: Array) -> float:
    """Root of the mean squared error: in the units of the target.

    The cells called `rmse` on the first two sheets of the lesson's descent workbook are the root of the *sum*, which
    is larger by the root of the number of rows.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(float(lab.rmse(np.array([1.0, 3.0]), np.array([1.0, 1.0]))), 4)
        1.4142
    """
    return float(np.sqrt(mse(predicted, target)))


def binary_cross_entropy(p: Array, target: Array) -> float:
    """`mean(-t log p - (1-t) log(1-p))` for probabilities `p` of a 1, and targets 0 or 1 (or between).

    torch's `binary_cross_entropy` caps each logarithm at -100, so a certain mistake costs 100 there, infinity here.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(lab.binary_cross_entropy(np.array([0.5, 0.98]), np.array([1.0, 1.0])), 4)
        0.3567
    """
    with np.errstate(divide="ignore"):
        yes = np.where(target > 0, target * np.log(np.where(target > 0, p, 1.0)), 0.0)
        no = np.where(target < 1, (1 - target) * np.log(np.where(target < 1, 1 - p, 1.0)), 0.0)
    return float(-np.mean(yes + no))


def binary_cross_entropy_as_lookup(p: Array, target: Codes) -> float:
    """The same for targets that are 0 or 1: the logarithm of the probability given to what was true, looked up.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(lab.binary_cross_entropy_as_lookup(np.array([0.5, 0.98]), np.array([1, 1])), 4)
        0.3567
    """
    with np.errstate(divide="ignore"):
        return float(-np.mean(np.log(np.where(target == 1, p, 1 - p))))


def binary_cross_entropy_from_logits(x: Array, target: Array) -> float:
    """The same from activations before the sigmoid, `mean(max(x, 0) - x t + log(1 + exp(-|x|)))`: never overflows.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(lab.binary_cross_entropy_from_logits(np.array([0.0, 1000.0]), np.array([1.0, 1.0])), 4)
        0.3466
    """
    return float(np.mean(np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x)))))


def nll(log_p: Array, target: Codes) -> float:
    """Negative log likelihood, (rows, classes) of log-probabilities and (rows,) of codes: a lookup, and a mean.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(float(lab.nll(np.log(np.array([[0.7, 0.3]])), np.array([0]))), 4)
        0.3567
    """
    return float(-np.mean(log_p[np.arange(len(target)), target]))


def cross_entropy(x: Array, target: Codes) -> float:
    """Softmax, logarithm and lookup in one, from activations (rows, classes) and codes (rows,).

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(lab.cross_entropy(np.array([[2.0, 1.0, -1.0]]), np.array([0])), 4)
        0.349
    """
    return nll(log_softmax(x), target)


def cross_entropy_as_sum(x: Array, target: Codes) -> float:
    """The same with one-hot targets: the sum over classes in which all terms but one are 0.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> round(lab.cross_entropy_as_sum(np.array([[2.0, 1.0, -1.0]]), np.array([0])), 4)
        0.349
    """
    return float(-np.mean((one_hot(target, x.shape[1]) * log_softmax(x)).sum(axis=1)))


def cross_entropy_gradient(x: Array, target: Codes) -> Array:
    """`(softmax(x) - one_hot(target)) / n`: what was predicted, less what was true.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.cross_entropy_gradient(np.array([[0.0, 0.0]]), np.array([1])).tolist()
        [[0.5, -0.5]]
    """
    return (softmax(x) - one_hot(target, x.shape[1])) / len(x)
