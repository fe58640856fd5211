"""What a model of ratings must be able to do, so that lists, fold-in, reasons, maps and export work with it.

A *user row* is all that a model knows of one user: a vector, with the bias where there is one. Models that are made of
several (an ensemble's members, a posterior's draws) lay the rows of their members side by side. A row need not belong
to a trained user: a new user gets one from a few ratings (`recommending/fold_in.py`).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

Limits = tuple[float, float]


class RatingModel(Protocol):
    """Predicts the rating that a user gives an item; users and items are codes, of which 0 is the unknown one."""

    def __call__(self, users: Tensor, items: Tensor, /) -> Tensor:
        """Predicted ratings, (rows,), of user codes (rows,) and item codes (rows,)."""

    def parameters(self) -> Iterator[Tensor]:
        """The weights; the first one tells the device."""

    def user_rows(self, users: Tensor) -> Tensor:
        """All that the model knows of some users, (users, width), from their codes, (users,)."""

    def score_rows(self, rows: Tensor) -> Tensor:
        """Predicted ratings of every item, (users, items), for user rows, (users, width)."""

    def predict_with_jacobian(self, row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions of some items, (items,), for one user row, (width,), and their derivatives by it, (items, width).

        Exact derivatives, at the row as it is given.
        """

    def vectors(self, of_items: bool) -> Tensor:
        """A vector for every item or user, (rows, n_factors), from which neighbours, maps and exports are made."""

    def biases(self, of_items: bool) -> Tensor:
        """Bias of every item or user, (rows,).

        Raises:
            VectableError: the model has none; see `has_biases`.
        """

    @property
    def has_biases(self) -> bool:
        """Whether users and items have a bias each."""

    @property
    def members(self) -> Sequence["RatingModel"]:
        """The models that this one is the mean of; itself alone where it is not made of several."""

    @property
    def limits(self) -> Limits | None:
        """Lowest and highest value that the model can predict; None where it has no bounds."""


@runtime_checkable
class Growable(Protocol):
    """A model of ratings that takes in users and items that training did not know."""

    def grow(self, n_users: int, n_items: int) -> None:
        """Append rows until there are `n_users` and `n_items`, the unknown among them; new ones start at the mean."""

    def fill_unknown(self) -> None:
        """Make the rows of code 0 the means of all known users and items."""


@runtime_checkable
class MemberScores(Protocol):
    """A model of several whose members can be asked at once: their spread says how sure the mean is."""

    def member_scores(self, row: Tensor) -> Tensor:
        """Every member's prediction of every item, (members, items), for one user row, (width,)."""


@runtime_checkable
class InnerProducts(Protocol):
    """A model whose predictions rise with the inner product of a user's and an item's vector plus both biases.

    Its user rows are the vector, then the bias.
    """

    def squash(self, sums: Tensor) -> Tensor:
        """From inner products and biases to predictions, any shape; it keeps their order."""

    def vectors(self, of_items: bool) -> Tensor:
        """Vector of every item or user, (rows, n_factors)."""

    def biases(self, of_items: bool) -> Tensor:
        """Bias of every item or user, (rows,)."""


class SingleModel:
    """What a model that is not made of several shares with the others of its kind.

    Attributes:
        y_range: (low, high) of a sigmoid around the prediction, or None.
    """

    y_range: Limits | None

    @property
    def members(self) -> list[Self]:
        """Itself alone."""
        return [self]

    @property
    def limits(self) -> Limits | None:
        """The ends of the sigmoid, if there is one."""
        return self.y_range


class RatingNet(RatingModel, Growable, Protocol):
    """A model of ratings that a `Learner` trains, grows and saves."""

    def config(self) -> dict[str, Any]:
        """The arguments that make an empty copy, as JSON values."""


def device_of(model: RatingModel) -> torch.device:
    """Where a model's weights are."""
    return next(model.parameters()).device
