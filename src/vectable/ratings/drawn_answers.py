"""What answers from draws: the model, the posterior and the recommender that a set of kept draws amounts to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vectable.data.ratings.rating_features import RatingFeatures
from vectable.data.ratings.ratings_data import RatingsData
from vectable.models.posterior import PosteriorDotBias
from vectable.one_blas_thread import one_blas_thread
from vectable.ratings.lists import ListRanking
from vectable.recommending.folded_posterior import FoldedPosterior
from vectable.recommending.likeness import FACTORS_ALONE
from vectable.recommending.posterior import Posterior
from vectable.recommending.recommender import Recommender
from vectable.recommending.user_row import UserPrior
from vectable.sampling.day_biases import Keys
from vectable.sampling.directions import Directions
from vectable.sampling.units import Units

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

    @cached_property
    def model(self) -> PosteriorDotBias:
        """The draws as a model."""
        users, items = (_side_by_side(self.draws[name]) for name in ("users", "items"))
        items = np.concatenate([items, *(row[None] for row in self.added)]) if self.added else items
        cuts = values = None
        if self.units.categories is not None:
            cuts = torch.from_numpy(self.draws["cuts"].astype(np.float32))
            values = torch.from_numpy(self.units.categories.astype(np.float32))
        rows, n_draws = (torch.from_numpy(users), torch.from_numpy(items)), len(self.draws["users"])
        return PosteriorDotBias(*rows, n_draws, self.units.centre, self.units.scale, cuts, values)

    @cached_property
    def posterior(self) -> Posterior:
        """The draws, asked by code."""
        about = self.features, self.groups, self.units, self.data.rating_range, self.keys
        return Posterior(self.draws, self.model, *about)

    @cached_property
    def noise(self) -> NDArray[np.float64]:
        """Variance of a rating about its expectation, in each draw, (draws,)."""
        if self.units.categories is None:
            return np.asarray(self.units.scale**2 / self.draws["precisions"][:, 0])
        if self.measured_noise is not None:
            return np.full(self.model.n_draws, self.measured_noise)
        ratings = self.data.train_ratings
        mean, _ = self.posterior.predict(ratings.user[NOISE_ROWS], ratings.item[NOISE_ROWS], None)
        return np.full(self.model.n_draws, float(((ratings.rating[NOISE_ROWS] - mean) ** 2).mean()) or 1.0)

    @cached_property
    def recommender(self) -> Recommender:
        """Lists, fold-in and reasons from the draws."""
        means = self.model.users[0].double().numpy().reshape(self.model.n_draws, -1)
        known = zip(means, self.draws["user.precision"], self.noise.tolist(), strict=True)
        priors = [UserPrior(*one) for one in known]
        lists = partial(self.ranking.ranker, self.data)
        return Recommender(self.model, self.data, priors, likeness=FACTORS_ALONE, lists=lists)

    def fold_in(
        self, codes: NDArray[np.int32], values: NDArray[np.float32], features: Mapping[str, Any] | None = None
    ) -> FoldedPosterior:
        """A user known by ratings of these items, by features, or by both."""
        with one_blas_thread():
            row = self.posterior.new_row(False, codes, values, features)
        flat = torch.from_numpy(row.mean.astype(np.float32).reshape(-1))
        return FoldedPosterior(self.recommender, flat, codes, values, self.model, row, float(self.noise.mean()))


def _side_by_side(draws: NDArray[Any]) -> NDArray[Any]:
    """From (draws, rows, D) to every row's draws side by side, (rows, draws * D)."""
    return np.ascontiguousarray(draws.transpose(1, 0, 2)).reshape(draws.shape[1], -1)
