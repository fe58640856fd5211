"""The sampling of one set of ratings under way: the chains, the draws so far, and what answers from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.encoded_ratings import Ratings
from vectable.data.ratings.rating_features import RatingFeatures
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import VectableError, require, warn
from vectable.models.posterior import normal
from vectable.ratings.bayes_folder import BayesFolder
from vectable.ratings.drawn_answers import DrawnAnswers
from vectable.ratings.lists import ListRanking
from vectable.recommending.new_row import NewRow
from vectable.sampling.convergence import few_draws
from vectable.sampling.day_biases import offset_keys
from vectable.sampling.directions import Directions
from vectable.sampling.options import SamplingOptions
from vectable.sampling.record import DrawRecord
from vectable.sampling.run import Pairs, SamplingRun
from vectable.sampling.units import Units

Groups = tuple[Sequence[Directions], Sequence[Directions]]


class SamplingSession:
    """Everything that sampling reads and changes; the `BayesLearner` owns one.

    Args:
        data: the ratings.
        options: of the sampler.
        features: what is known of users and items besides the ratings.
        ranking: what ranks the lists; by default the expected rating.

    Attributes:
        units: how ratings and the sampler's numbers belong together.
        record: the draws so far.
        history: a row of figures every few draws: chain, draw, valid_rmse so far, noise, seconds.
        added: the rows of items that were added after sampling, (draws * (factors + 1),) each.
        interrupted: whether Ctrl-C ended the latest run.
    """

    def __init__(
        self,
        data: RatingsData,
        options: SamplingOptions,
        features: RatingFeatures,
        ranking: ListRanking | None = None,
    ) -> None:
        self.data, self.options, self.features = data, options, features
        self.ranking = ListRanking() if ranking is None else ranking
        self.units = Units.of(data.train_ratings.rating, options.is_ordinal)
        self.record = DrawRecord(options)
        self.history: list[dict[str, float]] = []
        self.added: list[NDArray[np.float32]] = []
        self.interrupted = False
        self._groups: Groups | None = None
        self._run: SamplingRun | None = None
        self._saved_chains: Mapping[str, NDArray[Any]] = {}
        self._measured_noise: float | None = None
        self._answers: DrawnAnswers | None = None

    # ---------------------------------------------------------------- drawing

    def begin(self) -> SamplingRun:
        """The chains, started afresh or where the latest run or a saved folder left them.

        Raises:
            VectableError: items were added since.
        """
        if self.added:
            raise VectableError("Items were added to this model, and it cannot be drawn on: train on data with them.")
        self.interrupted, self._answers = False, None
        if self._run is None:
            self._run = SamplingRun(
                self.options,
                self.units,
                self.record,
                train=_pairs(self.data.train_ratings),
                held_out=_pairs(self.data.valid_ratings),
                n_users=self.data.n_users,
                n_items=self.data.n_items,
                groups=self.groups,
            )
            if self._saved_chains:
                self._run.load_arrays(self._saved_chains)
            self._saved_chains = {}
        return self._run

    @property
    def groups(self) -> Groups:
        """Features of users and of items, decomposed once."""
        if self._groups is None:
            users, items = self.features.matrices(self.data)
            seed = self.options.seed
            self._groups = [Directions.of(one, seed) for one in users], [Directions.of(one, seed) for one in items]
        return self._groups

    def warn_of_draws(self) -> None:
        """Warn where there are too few draws, or more than the memory allowed holds."""
        if self.record.n_draws == 0:
            warn("No draw was kept: there is no model yet. Call fit again.")
        elif not self.interrupted and (message := few_draws(self.record.trace())) is not None:
            warn(message)
        room, taken = self.options.draw_memory, self.record.n_bytes
        if taken > room:
            warn(
                f"draw_memory of {room:,} bytes holds too few draws: {self.record.n_kept} are kept all the same, which "
                f"take {taken:,}."
            )

    # ---------------------------------------------------------------- answering

    @property
    def answers(self) -> DrawnAnswers:
        """What answers from the draws as they are now.

        Raises:
            VectableError: nothing was drawn yet.
        """
        if self._answers is None:
            self.need_draws()
            train = self.data.train_ratings
            keys = None
            if self.options.user_day_bias and train.time is not None:
                keys = offset_keys(train.user, train.time)
            about = self.units, self.features, self.groups, keys, self._measured_noise, self.ranking
            self._answers = DrawnAnswers(self.record.draws(), list(self.added), self.data, *about, normal)
        return self._answers

    def need_draws(self) -> None:
        """Raise a `VectableError` where nothing was drawn yet."""
        require(self.record.n_kept > 0, "Nothing was drawn yet: call fit first.")

    def add_item(self, data: RatingsData, row: NewRow) -> None:
        """Take in an item's row: `data` has the item at the end of its vocabulary."""
        rng = np.random.default_rng([self.options.seed, len(self.data.item_ids)])
        self.added.append(row.drawn(rng).astype(self.options.draw_dtype).reshape(-1))
        self.data, self._answers = data, None

    # ---------------------------------------------------------------- saving

    def to_folder(self) -> BayesFolder:
        """Everything a saved folder holds."""
        self.need_draws()
        chains = self._saved_chains if self._run is None else self._run.to_arrays()
        about = self.data, self.options, self.features, self.groups, self.record
        return BayesFolder(*about, chains, self.added, self.history, ranking=self.ranking)

    @classmethod
    def from_folder(cls, saved: BayesFolder) -> "SamplingSession":
        """The session back from what a folder holds."""
        session = cls(saved.data, saved.options, saved.features, saved.ranking)
        session.record, session.history, session.added = saved.record, saved.history, list(saved.added)
        session._groups, session._saved_chains = saved.groups, saved.chains
        session.units = saved.units or session.units
        session._measured_noise = saved.measured_noise
        return session


def _pairs(ratings: Ratings) -> Pairs:
    return Pairs(ratings.user, ratings.item, ratings.rating, ratings.time)
