"""What answers from draws: the model, the posterior and the recommender that a set of kept draws amounts to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from vectable.data.ratings.rating_features import RatingFeatures
from vectable.data.ratings.ratings_data import RatingsData
from vectable.models.drawn_model import DrawnModel
from vectable.one_blas_thread import one_blas_thread
from vectable.ratings.lists import ListRanking
from vectable.recommending.likeness import FACTORS_ALONE
from vectable.recommending.new_row import NewRow
from vectable.recommending.posterior import Posterior
from vectable.recommending.row_spread import flat_row
from vectable.recommending.user_row import UserPrior
from vectable.sampling.day_biases import Keys
from vectable.sampling.directions import Directions
from vectable.sampling.units import Units

if TYPE_CHECKING:
    from vectable.models.posterior import PosteriorDotBias
    from vectable.recommending.folded_posterior import FoldedPosterior
    from vectable.recommending.recommender import Recommender

NOISE_ROWS = slice(0, 10_000)  # training rows looked at to know the noise of ordered categories


@dataclass(frozen=True)
class DrawnAnswers:
    """Answers from draws as they are; more draws or items make another one.

    Attributes:
        draws: by name, the draw as first dimension; see `sampling/draws.py`.
        added: the rows of items that were added after sampling, (draws * (factors + 1),) each.
        data: the ratings, the added items among its vocabulary.
        units, features, groups: of the sampling run.
        keys: user and day of every day's offset; None without.
        measured_noise: variance of a rating about its expectation, where the ratings are not there to measure it on.
        ranking: what ranks the lists.
        normal: distribution function of the standard normal, any shape.
    """

    draws: dict[str, NDArray[Any]]
    added: Sequence[NDArray[Any]]
    data: RatingsData
    units: Units
    features: RatingFeatures
    groups: tuple[Sequence[Directions], Sequence[Directions]]
    keys: Keys | None
    measured_noise: float | None = None
    ranking: ListRanking = field(default_factory=ListRanking)
    normal: Callable[[NDArray[Any]], NDArray[Any]] = ndtr

    @cached_property
    def drawn(self) -> DrawnModel:
        """The draws side by side."""
        users, items = (_side_by_side(self.draws[name]) for name in ("users", "items"))
        items = np.concatenate([items, *(row[None] for row in self.added)]) if self.added else items
        cuts = values = None
        if self.units.categories is not None:
            cuts, values = self.draws["cuts"].astype(np.float32), self.units.categories.astype(np.float32)
        n_draws = len(self.draws["users"])
        return DrawnModel(users, items, n_draws, self.units.centre, self.units.scale, cuts, values, self.normal)

    @cached_property
    def model(self) -> "PosteriorDotBias":
        """The draws as a model of torch."""
        from vectable.models.posterior import PosteriorDotBias

        return PosteriorDotBias(self.drawn)

    @cached_property
    def posterior(self) -> Posterior:
        """The draws, asked by code."""
        about = self.features, self.groups, self.units, self.data.rating_range, self.keys
        return Posterior(self.draws, self.drawn, *about)

    @cached_property
    def noise(self) -> NDArray[np.float64]:
        """Variance of a rating about its expectation, in each draw, (draws,)."""
        if self.units.categories is None:
            return np.asarray(self.units.scale**2 / self.draws["precisions"][:, 0])
        if self.measured_noise is not None:
            return np.full(self.drawn.n_draws, self.measured_noise)
        ratings = self.data.train_ratings
        mean, _ = self.posterior.predict(ratings.user[NOISE_ROWS], ratings.item[NOISE_ROWS], None)
        return np.full(self.drawn.n_draws, float(((ratings.rating[NOISE_ROWS] - mean) ** 2).mean()) or 1.0)

    @cached_property
    def priors(self) -> list[UserPrior]:
        """What each draw knows of a user before any rating."""
        means = self.drawn.users[0].astype(np.float64).reshape(self.drawn.n_draws, -1)
        known = zip(means, self.draws["user.precision"], self.noise.tolist(), strict=True)
        return [UserPrior(*one) for one in known]

    @cached_property
    def recommender(self) -> "Recommender":
        """Lists, fold-in and reasons from the draws."""
        from vectable.recommending.recommender import Recommender

        lists = partial(self.ranking.ranker, self.data)
        return Recommender(self.model, self.data, self.priors, likeness=FACTORS_ALONE, lists=lists)

    def new_user(
        self, codes: NDArray[np.int32], values: NDArray[np.float32], features: Mapping[str, Any] | None = None
    ) -> NewRow:
        """The row of a user known by ratings of these items, by features, or by both."""
        with one_blas_thread():
            return self.posterior.new_row(False, codes, values, features)

    def fold_in(
        self, codes: NDArray[np.int32], values: NDArray[np.float32], features: Mapping[str, Any] | None = None
    ) -> "FoldedPosterior":
        """The user of such a row."""
        import torch

        from vectable.recommending.folded_posterior import FoldedPosterior

        row, noise = self.new_user(codes, values, features), float(self.noise.mean())
        return FoldedPosterior(self.recommender, torch.from_numpy(flat_row(row)), codes, values, self.drawn, row, noise)


def _side_by_side(draws: NDArray[Any]) -> NDArray[Any]:
    """From (draws, rows, D) to every row's draws side by side, (rows, draws * D)."""
    return np.ascontiguousarray(draws.transpose(1, 0, 2)).reshape(draws.shape[1], -1)
