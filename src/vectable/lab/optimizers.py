"""Optimizers: what to do with a gradient. Each changes the parameters, a list of arrays, in place.

What an optimizer remembers between steps is kept by the place of the parameter in the list, and starts at 0.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from vectable.lab.arrays import Array

Memory = dict[int, Array | float]


class Optimizer(Protocol):
    """Anything with a step and a learning rate that may be changed between steps."""

    lr: float

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Change the parameters in place by their gradients."""


class SGD:
    """Gradient descent, `p -= lr * g`: the same as torch's `SGD`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight = [np.array(1.0)]
        >>> lab.SGD(0.1).step(weight, [np.array(2.0)])
        >>> weight[0].round(6).item()
        0.8
    """

    def __init__(self, lr: float) -> None:
        self.lr = lr

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """One step down the gradients."""
        for p, g in zip(parameters, gradients, strict=True):
            p -= self.lr * g


class Momentum:
    """A ball that rolls: `v = mom * v + g; p -= lr * v` (Polyak 1964). torch's `SGD(momentum=mom)`.

    On a steady slope the step grows to `lr * g / (1 - mom)`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight, optimizer = [np.array(0.0)], lab.Momentum(0.1)
        >>> for _ in range(2):
        ...     optimizer.step(weight, [np.array(-1.0)])
        >>> weight[0].round(6).item()
        0.29
    """

    def __init__(self, lr: float, mom: float = 0.9) -> None:
        self.lr, self.mom = lr, mom
        self.velocity: Memory = {}

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """One step along the accumulated gradients."""
        for at, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            v = self.velocity[at] = self.mom * self.velocity.get(at, 0.0) + g
            p -= self.lr * v


class DampedMomentum:
    """The workbook's momentum: `v = mom * v + (1 - mom) * g; p -= lr * v`, an average of gradients.

    torch's `SGD(momentum=mom, dampening=mom)`, except in the very first step: torch begins with v = g, this with
    `(1 - mom) * g`. On a steady slope the step is `lr * g`, so at mom 0.9 it takes a rate ten times that of `Momentum`.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight, optimizer = [np.array(0.0)], lab.DampedMomentum(0.1)
        >>> for _ in range(2):
        ...     optimizer.step(weight, [np.array(-1.0)])
        >>> weight[0].round(6).item()
        0.029
    """

    def __init__(self, lr: float, mom: float = 0.9) -> None:
        self.lr, self.mom = lr, mom
        self.average: Memory = {}

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """One step along the average of the gradients."""
        for at, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            v = self.average[at] = self.mom * self.average.get(at, 0.0) + (1 - self.mom) * g
            p -= self.lr * v


class RMSProp:
    """Divide by the root of the average squared gradient: `s = beta s + (1 - beta) g²; p -= lr * g / (sqrt(s) + eps)`.

    Hinton, Coursera lecture 6e (2012). torch's `RMSprop(alpha=beta)`, where beta is 0.99 if not given; here 0.9.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight = [np.array(1.0)]
        >>> lab.RMSProp(0.1).step(weight, [np.array(250.0)])
        >>> weight[0].round(4).item()
        0.6838
    """

    def __init__(self, lr: float, beta: float = 0.9, eps: float = 1e-8) -> None:
        self.lr, self.beta, self.eps = lr, beta, eps
        self.squares: Memory = {}

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """One step, each number at a pace of its own."""
        for at, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            s = self.squares[at] = self.beta * self.squares.get(at, 0.0) + (1 - self.beta) * g**2
            p -= self.lr * g / (np.sqrt(s) + self.eps)


class WorkbookRMSProp:
    """The workbook's RMSProp: `p -= lr * g / sqrt(s)` with the *previous* row's average, which is brought up after.

    No eps, and the average before the first step has to be given, for it is divided by: `start`, one for all numbers
    or one per parameter.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight = [np.array(1.0)]
        >>> lab.WorkbookRMSProp(0.1).step(weight, [np.array(2.0)])  # the average of the row before is 1
        >>> weight[0].round(4).item()
        0.8
    """

    def __init__(self, lr: float, beta: float = 0.9, start: float | Sequence[Array | float] = 1.0) -> None:
        self.lr, self.beta, self.start = lr, beta, start
        self.squares: Memory = {}

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """One step at the pace that the gradients before it have set."""
        for at, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            before = self.squares.get(at, _start(self.start, at))
            p -= self.lr * g / np.sqrt(before)
            self.squares[at] = self.beta * before + (1 - self.beta) * g**2


class Adam:
    """Momentum and RMSProp together, both averages debiased (Kingma & Ba 2015): the same as torch's `Adam`.

    `m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g²;
    p -= lr * (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + eps)`, t counting the steps from 1.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight = [np.array(1.0)]
        >>> lab.Adam(0.1).step(weight, [np.array(250.0)])  # the first step is as long as the rate
        >>> weight[0].round(6).item()
        0.9
    """

    def __init__(self, lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> None:
        self.lr, self.betas, self.eps = lr, betas, eps
        self.average: Memory = {}
        self.squares: Memory = {}
        self.t = 0

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """One step along the average gradient, each number at a pace of its own."""
        b1, b2 = self.betas
        self.t += 1
        for at, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            m = self.average[at] = b1 * self.average.get(at, 0.0) + (1 - b1) * g
            s = self.squares[at] = b2 * self.squares.get(at, 0.0) + (1 - b2) * g**2
            p -= self.lr * (m / (1 - b1**self.t)) / (np.sqrt(s / (1 - b2**self.t)) + self.eps)


class WorkbookAdam:
    """The workbook's Adam: `p -= lr * m / sqrt(s)`, without debiasing and without eps.

    The lesson's sheet has both betas 0.9, and 0.95 for the squares where it anneals the rate; the averages before the
    first step have to be given: `start_average` and `start_squares`, one for all numbers or one per parameter.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight = [np.array(1.0)]
        >>> lab.WorkbookAdam(0.1).step(weight, [np.array(2.0)])
        >>> weight[0].round(4).item()
        0.9825
    """

    def __init__(
        self,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.9),
        start_average: float | Sequence[Array | float] = 0.0,
        start_squares: float | Sequence[Array | float] = 1.0,
    ) -> None:
        self.lr, self.betas = lr, betas
        self.start_average, self.start_squares = start_average, start_squares
        self.average: Memory = {}
        self.squares: Memory = {}

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """One step along the average gradient, each number at a pace of its own."""
        b1, b2 = self.betas
        for at, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            m = self.average[at] = b1 * self.average.get(at, _start(self.start_average, at)) + (1 - b1) * g
            s = self.squares[at] = b2 * self.squares.get(at, _start(self.start_squares, at)) + (1 - b2) * g**2
            p -= self.lr * m / np.sqrt(s)


class Forgetful:
    """A new optimizer at every step: what the lesson's MNIST notebook does with Adam, inside its `update`.

    Nothing accumulates. A debiased average of one gradient is that gradient, so a new Adam steps by `lr * sign(g)`:
    every number moves by the whole rate, however small its gradient. `make` takes a rate and gives an optimizer.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> weight, optimizer = [np.array(1.0)], lab.Forgetful(lab.Adam, 0.1)
        >>> for gradient in (250.0, 0.01):
        ...     optimizer.step(weight, [np.array(gradient)])
        >>> weight[0].round(4).item()  # each step is the rate by the gradient's sign
        0.8
    """

    def __init__(self, make: Callable[[float], Optimizer], lr: float) -> None:
        self.make, self.lr = make, lr

    def step(self, parameters: Sequence[Array], gradients: Sequence[Array]) -> None:
        """The first step of a new optimizer."""
        self.make(self.lr).step(parameters, gradients)


def _start(given: float | Sequence[Array | float], at: int) -> Array | float:
    return given[at] if isinstance(given, Sequence) else given
