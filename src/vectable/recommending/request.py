"""What is asked for: a list of a given length, under these conditions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from vectable.deprecation import warn_renamed
from vectable.errors import UnknownNameError, did_you_mean, is_finite, is_whole, require

Names = Iterable[Any] | str | int


class Filters(TypedDict, total=False):
    """The conditions of a list as keyword arguments: what `recommend` takes besides user, `n` and `exclude_seen`."""

    candidates: Names | None
    exclude: Names | None
    min_ratings: int
    ucb_scale: float
    max_per: Mapping[str, int] | None
    diversity: float
    novelty: float


NEEDS_SPREAD = (
    "ucb_scale needs a model that knows how sure it is: bayes_collab_learner, or collab_learner with n_models of 2 or "
    "more."
)
RENAMED = {"optimism": "ucb_scale"}


@dataclass(frozen=True)
class ListRequest:
    """A list of recommended items, before anybody is asked.

    Args:
        n: length of the list, at least 1; there may be fewer items that satisfy the conditions.
        exclude_seen: leave out what the user rated in training.
        candidates: only these items (ids or titles); None for all.
        exclude: none of these items.
        min_ratings: only items with at least this many training ratings.
        ucb_scale: rank by the upper confidence bound: the predicted rating plus this many standard deviations. Above 0
            tries what is uncertain, below 0 plays safe. Needs a model that knows how sure it is.
        max_per: at most this many items per value of a column of the items' side table, or per title:
            ``{"author": 2}``. Where a column holds several values per item, none of them may exceed the limit.
        diversity: 0 (by score alone) to 1 (as different from each other as possible): maximal marginal relevance among
            the 100 best.
        novelty: scores (their place between the user's lowest and highest) are divided by the item's number of ratings
            to this power; 0 for none. 0.2 to 0.5 bring up what is less known.

    Raises:
        VectableError: an argument out of range.
    """

    n: int = 10
    exclude_seen: bool = True
    candidates: Names | None = None
    exclude: Names | None = None
    min_ratings: int = 0
    ucb_scale: float = 0.0
    max_per: Mapping[str, int] | None = None
    diversity: float = 0.0
    novelty: float = 0.0

    def __post_init__(self) -> None:
        require(is_whole(self.n, 1), f"n must be a positive integer; got {self.n!r}.")
        for name in ("candidates", "exclude"):
            object.__setattr__(self, name, _listed(getattr(self, name)))
        require(is_finite(self.min_ratings), f"min_ratings must be a number of ratings; got {self.min_ratings!r}.")
        require(
            is_finite(self.ucb_scale), f"ucb_scale must be a number of standard deviations; got {self.ucb_scale!r}."
        )
        require(
            is_finite(self.diversity) and 0 <= self.diversity <= 1,
            f"diversity must be in [0, 1], 0 for none; got {self.diversity!r}.",
        )
        require(
            is_finite(self.novelty) and self.novelty >= 0,
            f"novelty must be a number from 0 on; got {self.novelty!r}.",
        )
        require(
            self.max_per is None or isinstance(self.max_per, Mapping),
            f"max_per must be a mapping from columns to numbers, {{'author': 2}}; got {self.max_per!r}.",
        )
        for column, most in (self.max_per or {}).items():
            require(is_whole(most, 1), f"max_per of {column!r} must be a positive integer; got {most!r}.")

    @classmethod
    def of(cls, n: int, exclude_seen: bool, filters: Mapping[str, Any]) -> "ListRequest":
        """The request that the arguments of a call to `recommend` make.

        Raises:
            UnknownNameError: a filter that does not exist.
        """
        given = {}
        for name, value in filters.items():
            if name in RENAMED:
                warn_renamed(name, RENAMED[name])
            new = RENAMED.get(name, name)
            if new not in Filters.__annotations__:
                known = list(Filters.__annotations__)
                raise UnknownNameError(
                    f"Lists have no argument {name!r}.{did_you_mean(name, known)} They have {', '.join(known)}."
                )
            require(new not in given, f"Both {name} and {new} were given, which are the same argument.")
            given[new] = value
        return cls(n, exclude_seen, **given)


def _listed(names: Names | None) -> Any:
    """Names that can be read more than once: a single one becomes a list of one, an iterator a list."""
    if names is None or (hasattr(names, "__len__") and not isinstance(names, str)):
        return names
    return list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
