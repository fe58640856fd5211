"""What the kept draws say of pairs and new rows: expectation, deviation, intervals, and the rows of newcomers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.rating_features import RatingFeatures
from vectable.models.drawn_model import DrawnModel
from vectable.recommending.intervals import interval_about, shortest_runs
from vectable.recommending.new_row import NewRow, new_row
from vectable.sampling.day_biases import places_of
from vectable.sampling.directions import Directions
from vectable.sampling.units import Units

Floats = NDArray[np.float64]

PAIRS_A_BLOCK = 2_000_000  # pairs times draws scored at a time


@dataclass
class Posterior:
    """Kept draws, asked by code.

    Attributes:
        draws: by name, the draw as first dimension; see `sampling/draws.py`.
        model: the same as a model.
        features, groups: what is known of users and items, and its directions.
        units: how ratings and the sampler's sums belong together.
        rating_range: lowest and highest training rating.
        keys: user and day of every offset, rising, or None without offsets; see `sampling/day_biases.py`.
    """

    draws: dict[str, NDArray[Any]]
    model: DrawnModel
    features: RatingFeatures
    groups: tuple[Sequence[Directions], Sequence[Directions]]
    units: Units
    rating_range: tuple[float, float]
    keys: NDArray[np.int64] | None

    def _blocks(
        self, users: NDArray[np.int32], items: NDArray[np.int32], times: Floats | None
    ) -> Iterable[tuple[slice, NDArray[np.float32], Floats]]:
        """Parts of the rows: which, every draw's sum, (draws, rows), and the variance that not knowing user, item or
        day adds to it, (draws, rows).
        """
        draws, model = self.draws, self.model
        offsets = draws["offsets"]
        size = max(PAIRS_A_BLOCK // model.n_draws, 1)
        for first in range(0, max(len(users), 1), size):
            part = slice(first, first + size)
            u, i = users[part], items[part]
            sums, extra = model.sums(u, i), self._unknown_variance(u, i)
            places = places_of(self.keys, users[part], None if times is None else times[part])
            if places is not None:
                padded = np.concatenate([offsets, np.zeros((len(offsets), 1), offsets.dtype)], axis=1)
                sums = sums + padded[:, places].astype(np.float32)
                extra = extra + (places == offsets.shape[1]) / draws["precisions"][:, 1:]
            yield part, sums, extra

    def predict(
        self, users: NDArray[np.int32], items: NDArray[np.int32], times: Floats | None
    ) -> tuple[Floats, Floats]:
        """Mean over the draws, not clipped, and standard deviation of the expected rating, (rows,) each."""
        mean, spread = np.empty(len(users)), np.empty(len(users))
        for part, sums, extra in self._blocks(users, items, times):
            each = self.model.to_ratings(sums).astype(np.float64)
            slope: Any = self.units.scale
            if self.units.categories is not None:
                slope = (self.model.to_ratings(sums + 0.5) - self.model.to_ratings(sums - 0.5)).astype(np.float64)
            mean[part], spread[part] = each.mean(axis=0), np.sqrt(each.var(axis=0) + (slope**2 * extra).mean(axis=0))
        return mean, spread

    def probabilities(self, users: NDArray[np.int32], items: NDArray[np.int32], times: Floats | None) -> Floats:
        """The chance of each category, (rows, categories)."""
        assert self.units.categories is not None
        found = np.empty((len(users), len(self.units.categories)))
        for part, sums, extra in self._blocks(users, items, times):
            found[part] = self.model.category_shares(sums, extra)
        return found

    def interval(
        self, users: NDArray[np.int32], items: NDArray[np.int32], times: Floats | None, level: float
    ) -> NDArray[np.float32]:
        """Lowest and highest of where a new rating lies with a probability of `level`, (rows, 2)."""
        if self.units.categories is not None:
            return shortest_runs(self.probabilities(users, items, times), self.units.categories, level)
        mean, spread = self.predict(users, items, times)
        noise = float((self.units.scale**2 / self.draws["precisions"][:, 0]).mean())
        return interval_about(mean, spread, noise, level, self.rating_range)

    def _unknown_variance(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> Floats:
        """What the prior's own spread adds to the sum's variance where user or item is unknown, (draws, rows)."""
        model, draws = self.model, self.draws
        extra = np.zeros((model.n_draws, len(users)))
        if users.all() and items.all():
            return extra
        spreads = [np.linalg.inv(draws[f"{side}.precision"]) for side in ("user", "item")]
        for covariance, codes, others, rows in (
            (spreads[0], users, items, model.items),
            (spreads[1], items, users, model.users),
        ):
            at = np.flatnonzero(codes == 0)
            designs = rows[others[at]].astype(np.float64).reshape(len(at), model.n_draws, model.depth)
            designs[..., -1] = 1.0
            extra[:, at] += np.einsum("nsd,sde,nse->sn", designs, covariance, designs, optimize=True)
        both = (spreads[0] * spreads[1])[:, :-1, :-1].sum(axis=(1, 2))
        extra[:, (users == 0) & (items == 0)] += both[:, None]
        return extra

    # ---------------------------------------------------------------- new rows

    def new_row(
        self,
        is_item: bool,
        codes: NDArray[np.int32],
        values: NDArray[np.float32],
        features: Mapping[str, Any] | None,
    ) -> NewRow:
        """The posterior of a new user (or item) in every draw."""
        draws, model = self.draws, self.model
        side, rows = ("item", model.users) if is_item else ("user", model.items)
        trained = draws["users" if is_item else "items"].shape[1] - 1
        means = draws[f"{side}.centre"].copy()
        groups = self.groups[is_item]
        for group, coefficients, one in zip(
            groups, self._coefficients[is_item], self.features.of_new(is_item, codes, trained, features), strict=True
        ):
            direction = group.average
            if one is not None:
                known = np.flatnonzero(one)  # few of many: the whole product would take longer than all the rest
                direction = one[known] @ group.to_direction[known]
            means += (direction.astype(np.float32) @ coefficients).reshape(means.shape)
        designs = rows[codes].astype(np.float64)
        designs = designs.reshape(len(codes), model.n_draws, model.depth).transpose(1, 0, 2).copy()
        biases = designs[..., -1].copy()
        designs[..., -1] = 1.0
        given = (means, draws[f"{side}.precision"], draws["precisions"][:, 0], designs)
        if self.units.categories is None:
            return new_row(*given, (values - self.units.centre) / self.units.scale - biases)
        return new_row(*given, -biases, draws["cuts"], self.units.to_levels(values))

    @cached_property
    def _coefficients(self) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
        """Coefficients of each group of users and of items, (directions, draws * D): one product gives a prior mean."""
        found: tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]] = ([], [])
        for side, listed, groups in zip(("user", "item"), found, self.groups, strict=True):
            for at in range(len(groups)):
                drawn = self.draws[f"{side}.{at}"].astype(np.float32)
                listed.append(np.ascontiguousarray(drawn.transpose(1, 0, 2)).reshape(drawn.shape[1], -1))
        return found
