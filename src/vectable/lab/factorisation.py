"""Ratings as dot products: a table of users by items filled in from two small tables of factors.

Koren, Bell & Volinsky, "Matrix factorization techniques for recommender systems", 2009. Ratings are a matrix, (users,
items), NaN where nobody rated. The library's own models train in batches of listed ratings; here all go at once.
"""

from dataclasses import dataclass

import numpy as np

from vectable.errors import is_whole, require
from vectable.lab.activations import scaled_sigmoid, scaled_sigmoid_gradient
from vectable.lab.arrays import Array
from vectable.lab.optimizers import Adam
from vectable.lab.schedules import cosine


@dataclass
class Factors:
    """What a factorisation learned.

    Attributes:
        user, item: factors, (users, k) and (items, k).
        user_bias, item_bias: (users,) and (items,); zeros where there are none.
        y_range: limits of a sigmoid around the sum, or None.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> ratings = np.array([[5.0, 1.0], [4.0, np.nan]])
        >>> lab.start_factors(ratings, n_factors=3).predict().shape
        (2, 2)
    """

    user: Array
    item: Array
    user_bias: Array
    item_bias: Array
    y_range: tuple[float, float] | None = None

    def scores(self) -> Array:
        """Dot products and biases, (users, items): `user @ item.T + user_bias + item_bias`."""
        return self.user @ self.item.T + self.user_bias[:, None] + self.item_bias

    def predict(self) -> Array:
        """Predicted ratings, (users, items): the scores, through the sigmoid where there is one."""
        return self.scores() if self.y_range is None else scaled_sigmoid(self.scores(), *self.y_range)

    def rmse(self, ratings: Array) -> float:
        """Root mean squared error over the ratings that are there."""
        known = np.isfinite(ratings)
        return float(np.sqrt(np.mean((self.predict() - ratings)[known] ** 2)))


def factor_gradients(factors: Factors, ratings: Array) -> list[Array]:
    """Gradients of the mean squared error over the known ratings: user, item, user_bias, item_bias.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> ratings = np.array([[5.0, 1.0], [4.0, np.nan]])
        >>> [one.shape for one in lab.factor_gradients(lab.start_factors(ratings, 3), ratings)]
        [(2, 3), (2, 3), (2,), (2,)]
    """
    known = np.isfinite(ratings)
    error = np.where(known, factors.predict() - np.where(known, ratings, 0.0), 0.0)
    by_score = 2 * error / known.sum()
    if factors.y_range is not None:
        by_score = scaled_sigmoid_gradient(factors.scores(), by_score, *factors.y_range)
    return [by_score @ factors.item, by_score.T @ factors.user, by_score.sum(axis=1), by_score.sum(axis=0)]


def start_factors(ratings: Array, n_factors: int, seed: int = 0, y_range: tuple[float, float] | None = None) -> Factors:
    """Where a fit begins: factors uniform between 0 and 1, as in the lesson's sheet; no biases.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.start_factors(np.array([[5.0, 1.0], [4.0, np.nan]]), n_factors=3).user.shape
        (2, 3)
    """
    rng, (users, items) = np.random.default_rng(seed), ratings.shape
    return Factors(
        rng.random((users, n_factors)), rng.random((items, n_factors)), np.zeros(users), np.zeros(items), y_range
    )


def fit_factors(
    ratings: Array,
    n_factors: int = 5,
    bias: bool = False,
    y_range: tuple[float, float] | None = None,
    *,
    steps: int = 3000,
    lr: float = 0.1,
    starts: int = 8,
    seed: int = 0,
) -> Factors:
    """The best of several factorisations by gradient descent from random starts.

    `Adam` on all ratings at once, the rate falling from `lr` to 0 along a cosine; no weight decay, so it fits what it
    is shown, as the lesson's solver does. One start in a few ends in a poorer optimum: hence several.

    Args:
        ratings: (users, items), NaN where there is none.
        n_factors: width of the factors.
        bias: learn a bias for each user and item too.
        y_range: limits of a sigmoid around the prediction.
        steps, lr: of the descent.
        starts: how many; start number i has the seed `seed + i`.

    Raises:
        VectableError: no rating at all, or an argument out of range.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> ratings = np.array([[5.0, 1.0], [4.0, np.nan]])
        >>> lab.fit_factors(ratings, n_factors=1, steps=500, starts=2).rmse(ratings) < 0.1
        True
    """
    ratings = np.asarray(ratings, dtype=np.float64)
    shape = ratings.shape
    require(ratings.ndim == 2, f"The ratings have {ratings.ndim} dimensions; give a matrix of users by items.")
    require(bool(np.isfinite(ratings).any()), f"There is no rating in this {shape[0]} x {shape[1]} matrix to fit.")
    for name, value in (("n_factors", n_factors), ("steps", steps), ("starts", starts)):
        require(is_whole(value, 1), f"{name} must be a positive integer; got {value!r}.")
    fits = [
        _descend(start_factors(ratings, n_factors, seed + i, y_range), ratings, bias, steps, lr) for i in range(starts)
    ]
    return min(fits, key=lambda one: one.rmse(ratings))


def _descend(factors: Factors, ratings: Array, bias: bool, steps: int, lr: float) -> Factors:
    parameters = [factors.user, factors.item]
    if bias:
        parameters += [factors.user_bias, factors.item_bias]
    optimizer = Adam(lr, betas=(0.9, 0.99), eps=1e-12)
    for step in range(steps):
        optimizer.lr = cosine(lr, 0.0, step / steps)
        optimizer.step(parameters, factor_gradients(factors, ratings)[: len(parameters)])
    return factors
