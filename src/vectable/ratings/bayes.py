"""The second way to train on ratings: draws from the posterior, whose mean predicts and whose spread says how sure."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from vectable.data.pair_columns import to_times
from vectable.data.ratings.rating_features import RatingFeatures
from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.side_tables import lengthen
from vectable.errors import DataError, VectableError, is_finite, is_whole, require, warn
from vectable.insight.coverage import Coverage, coverage
from vectable.models.posterior import PosteriorDotBias
from vectable.one_blas_thread import one_blas_thread
from vectable.ratings.rating_answers import RatingAnswers, errors_of
from vectable.recommending.fold_in import UserPrior
from vectable.recommending.folded_posterior import FoldedPosterior
from vectable.recommending.intervals import check_level
from vectable.recommending.names import find_codes
from vectable.recommending.optimism import Optimistic, check_optimism
from vectable.recommending.posterior import Posterior, day_keys, places_of
from vectable.recommending.recommender import Recommender
from vectable.sampling.chain import Chain
from vectable.sampling.convergence import effective_draws, rhat
from vectable.sampling.directions import Directions
from vectable.sampling.draws import KeptDraws, stacked, unstacked
from vectable.sampling.layout import Layout, days
from vectable.training.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

    from vectable.artifact import Contents

Floats = NDArray[np.float64]

LIKELIHOODS = ("normal", "ordinal")
MOST_CATEGORIES = 50
DRAW_MEMORY = 512 * 2**20
WATCHED = 4  # predictions whose draws are written down, to tell convergence
FEWEST_EFFECTIVE, MOST_RHAT = 10, 1.1


@dataclass(frozen=True)
class Settings:
    """The arguments of `bayes_collab` that a saved model keeps."""

    n_factors: int
    n_draws: int
    burn_in: int
    likelihood: str
    user_day: bool
    n_chains: int
    draw_dtype: str
    draw_memory: int
    seed: int
    threads: int


def bayes_collab(
    data: RatingsData,
    n_factors: int = 16,
    n_draws: int = 200,
    burn_in: int = 20,
    *,
    features: str | Sequence[str] | None = "auto",
    history: bool = True,
    user_day: bool = False,
    likelihood: str = "normal",
    n_chains: int = 1,
    draw_dtype: str = "float16",
    draw_memory: int = DRAW_MEMORY,
    seed: int = 42,
    threads: int = 1,
    progress: "bool | Console" = True,
) -> "BayesLearner":
    """A learner for ratings that samples the posterior of factors and biases instead of seeking one best set.

    Args:
        data: the ratings.
        n_factors: width of the vectors.
        n_draws: draws that count, in each chain.
        burn_in: draws before them, which are thrown away.
        features: columns of the side tables of users and items: "auto" takes those that are likely to tell
            something (no ids, no category of which few rows share a value) and says which, a list names them, None
            takes none.
        history: whether the items that a user rated in training are features of the user, and the other way round.
        user_day: whether each user has an offset of the day (a mood, a session); needs the data's timestamp, and helps
            to predict ratings of days that training saw, not tomorrow's.
        likelihood: "normal", or "ordinal": ratings are ordered categories, and `predict_proba` tells each one's chance.
        n_chains: from different starts; two tell best whether the draws have converged.
        draw_dtype: "float16" or "float32": how draws are kept.
        draw_memory: bytes that the kept draws may take; of more draws every second, fourth ... is kept. Means over the
            validation rows and biases are always over all.
        seed: of everything that is drawn; the same seed gives the same draws, bit for bit.
        threads: that draw rows; the draws do not depend on it, and on small data one is as fast.
        progress: whether to show it, or the rich console to show it on.

    Raises:
        VectableError: an argument out of range.
        DataError: a feature that is no column; user_day without times.
    """
    take_ratings(data)
    for name, value, least in (
        ("n_factors", n_factors, 1), ("n_draws", n_draws, 1), ("burn_in", burn_in, 0), ("n_chains", n_chains, 1),
        ("threads", threads, 1), ("seed", seed, 0), ("draw_memory", draw_memory, 1),
    ):  # fmt: skip
        require(is_whole(value, least), f"{name} is {value!r}; it is a whole number, {least} or more.")
    for name, truth in (("history", history), ("user_day", user_day)):
        require(isinstance(truth, bool | np.bool_), f"{name} is {truth!r}; it is True or False.")
    require(likelihood in LIKELIHOODS, f"likelihood is {likelihood!r}; it is 'normal' or 'ordinal'.")
    require(draw_dtype in ("float16", "float32"), f"draw_dtype is {draw_dtype!r}; it is 'float16' or 'float32'.")
    if n_draws < burn_in:
        warn(
            f"{n_draws:,} draws are to be kept after {burn_in:,} thrown away: a mean of so few is coarse, and their "
            "spread says little. 200 after 20 do well."
        )
    if data.train_ratings.weights is not None:
        raise DataError("Ratings with weights cannot be sampled: repeat a row as often as it counts, without weights.")
    if user_day and (data.train_ratings.time is None or np.isnan(data.train_ratings.time).any()):
        raise DataError("user_day=True needs the time of each rating: name its column, timestamp=, with the data.")
    settings = Settings(
        n_factors, n_draws, burn_in, likelihood, user_day, n_chains, draw_dtype, draw_memory, seed, threads
    )
    learn = BayesLearner(data, settings, RatingFeatures.of(data, features, history), progress=progress)
    learn.say(learn.features.told())
    return learn


class BayesLearner(RatingAnswers):
    """Draws from the posterior, with the words that belong to ratings; made by `bayes_collab`.

    Attributes:
        data: the ratings.
        features: what is known of users and items beside the ratings.
        categories: the rating values, lowest first, with the ordinal likelihood; else None.
        interrupted: whether Ctrl-C ended the latest fit.
        history: a row of figures every so many draws: chain, draw, valid_rmse so far, noise, seconds.
    """

    def __init__(
        self,
        data: RatingsData,
        settings: Settings,
        features: RatingFeatures,
        groups: tuple[list[Directions], list[Directions]] | None = None,
        progress: "bool | Console" = True,
    ) -> None:
        self.data, self.settings, self.features, self.progress = data, settings, features, progress
        self.interrupted = False
        self.history: list[dict[str, float]] = []
        self._groups = groups
        self._chains: list[Chain] = []
        self._kept: list[KeptDraws] = []
        self._added: list[NDArray[np.float32]] = []
        self._sums: dict[str, Floats] = {}
        self._summed = 0
        self._traces: list[list[list[float]]] = [[] for _ in range(settings.n_chains)]
        ratings = data.train_ratings.rating
        self.categories = _categories(ratings) if settings.likelihood == "ordinal" else None
        self.centre, self.scale = 0.0, 1.0
        if self.categories is None:
            self.centre = data.mean_rating
            self.scale = float(ratings.std(dtype=np.float64)) or 1.0

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"BayesLearner: {s.n_factors} factors, {s.likelihood} likelihood, {self.n_draws:,} draws in {s.n_chains} "
            f"chain{'s' if s.n_chains > 1 else ''}; {self.data!r}"
        )

    # ---------------------------------------------------------------- sampling

    def fit(self, n_draws: int | None = None) -> "BayesLearner":
        """Draw `n_draws` (by default as many as were asked for) in each chain, after the burn-in of the first time.

        Called again it goes on where the chains are: 100 draws and 100 more are the same as 200. Ctrl-C keeps the draws
        so far.
        """
        n_draws = self.settings.n_draws if n_draws is None else n_draws
        require(is_whole(n_draws, 1), f"n_draws is {n_draws!r}; it is a whole number, 1 or more.")
        if self._added:
            raise VectableError("Items were added to this model, and no draws can be: train on data that holds them.")
        self.interrupted = False
        total = self.settings.n_chains * (n_draws + (0 if self._chains else self.settings.burn_in))
        columns = ["chain", "draw", "valid_rmse", "noise", "seconds"]
        with Progress(self.progress, total, columns) as progress:
            progress.header()
            try:
                self._prepare()
                with one_blas_thread():
                    for at in range(self.settings.n_chains):
                        self._run(at, n_draws, progress)
            except KeyboardInterrupt:
                self.interrupted = True
                progress.say(f"Interrupted; the {self.n_draws:,} draws so far are kept.")
        self._forget()
        if self.n_draws == 0:
            warn("No draw was kept: there is no model yet. Call fit again.")
        elif not self.interrupted:
            self._tell_convergence()
        self._tell_memory()
        return self

    @property
    def n_draws(self) -> int:
        """Draws made after the burn-in, in all chains; those kept may be fewer."""
        return sum(len(trace) for trace in self._traces)

    def convergence(self) -> Any:
        """R-hat and effective number of draws of the noise and of a few predictions; see `sampling/convergence.py`.

        R-hat near 1 (at most 1.05 or so) says that chains, or the halves of a single one, agree; the effective number
        is how many independent draws would say as much.
        """
        self._need_draws()
        length = min(len(trace) for trace in self._traces)
        traces = np.array([trace[:length] for trace in self._traces])
        names = ["noise", *(f"prediction {at + 1}" for at in range(traces.shape[2] - 1))]
        rows = [
            {
                "quantity": name,
                "mean": float(traces[..., at].mean()),
                "sd": float(traces[..., at].std()),
                "rhat": rhat(traces[..., at]),
                "effective_draws": effective_draws(traces[..., at]),
                "draws": traces[..., at].size,
            }
            for at, name in enumerate(names)
        ]
        return self.data.to_native(pl.DataFrame(rows))

    # ---------------------------------------------------------------- how good, and how sure

    def validate(self) -> dict[str, Any]:
        """Mean squared error (as valid_loss), rmse and mae on the validation ratings, of the mean over all draws; the
        same for the baselines, under "baselines".
        """
        self._need_draws()
        return {**errors_of(self.data.valid_ratings, self._valid_mean()), "baselines": self._baseline_errors()}

    @property
    def valid_predictions(self) -> Floats:
        """Predictions for the validation ratings, the mean over all draws, (rows,)."""
        self._need_draws()
        return self._valid_mean()

    def predict(self, df: Any, return_std: bool = False) -> Any:
        """Predicted ratings, (rows,) float32, clipped to the scale; an unknown user or item counts as the average one.

        Args:
            df: a table with the user and item columns, and with user_day the time.
            return_std: also how far each prediction is in doubt: the standard deviation of the expected rating over the
                draws, (rows,). The noise of a single rating comes on top; `predict_interval` has it.
        """
        mean, spread = self.posterior.predict(*self._rows_of(df))
        clipped = mean.clip(*self.data.rating_range).astype(np.float32)
        return (clipped, spread.astype(np.float32)) if return_std else clipped

    def predict_interval(self, df: Any, level: float = 0.9) -> NDArray[np.float32]:
        """Where a new rating lies with a probability of `level`: lowest and highest, (rows, 2), within the scale.

        With ordered categories the shortest run of them that has at least that probability.
        """
        check_level(level)
        return self.posterior.interval(*self._rows_of(df), level=level)

    def predict_proba(self, df: Any) -> NDArray[np.float32]:
        """The probability of each rating value, (rows, categories), in the order of `categories`.

        Raises:
            VectableError: the likelihood is not "ordinal".
        """
        if self.categories is None:
            raise VectableError("predict_proba needs ordered categories: bayes_collab(data, likelihood='ordinal').")
        return self.posterior.probabilities(*self._rows_of(df)).astype(np.float32)

    def coverage(self, levels: Sequence[float] = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)) -> Coverage:
        """How many held-out ratings lie in their intervals, at several levels, with a plot."""
        self._need_draws()
        held_out = self.data.valid_ratings
        require(len(held_out) > 0, "Coverage is measured on validation rows, and there are none.")
        rows = held_out.user, held_out.item, held_out.time
        return coverage(held_out.rating, {level: self.posterior.interval(*rows, level=level) for level in levels})

    # ---------------------------------------------------------------- recommending

    def recommend(
        self,
        user: Any,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
        optimism: float = 0.0,
    ) -> Any:
        """The `n` best items for one user, as the other learner gives them.

        Args:
            optimism: items are ranked by mean plus so many standard deviations of the prediction: above 0 to try what
                is uncertain, below 0 to play safe. Unless it is 0 a column "std" shows them beside the prediction.
        """
        asked = self._optimistic(optimism)
        return asked.recommend(user, n, exclude_seen, candidates, exclude, min_ratings)

    def recommend_many(
        self,
        users: Iterable[Any] | None = None,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
        optimism: float = 0.0,
    ) -> Any:
        """The same for many users (all known ones by default), a row a user and item."""
        asked = self._optimistic(optimism)
        return asked.recommend_many(users, n, exclude_seen, candidates, exclude, min_ratings)

    def fold_in(
        self, ratings: Mapping[Any, float] | None = None, features: Mapping[str, Any] | None = None
    ) -> FoldedPosterior:
        """A user the model never saw, from ratings by item id or title, from features, or from both; nothing is kept.

        Args:
            features: values of columns of the users' side table; those not given count as missing.
        """
        codes, values = self._given(ratings, True)
        with one_blas_thread():
            row = self.posterior.new_row(False, codes, values, _by_column(features, "user"))
        flat = torch.from_numpy(row.mean.astype(np.float32).reshape(-1))
        return FoldedPosterior(self.recommender, flat, codes, values, row)

    def cold_start(self, user_features: Mapping[str, Any]) -> FoldedPosterior:
        """A user of whom nothing is known but features."""
        return self.fold_in({}, user_features)

    def add_item(
        self,
        item: Any = None,
        features: Mapping[str, Any] | None = None,
        ratings: Mapping[Any, float] | None = None,
        title: str | None = None,
    ) -> "BayesLearner":
        """Take in an item that training never showed, from features, from ratings by user id, or from both.

        From here on it is recommended, predicted and saved like any other.

        Args:
            item: id; by default, which is told, the highest one and 1, or where ids are texts "new item 1".
            features: values of columns of the items' side table.
            title: to show for it.

        Raises:
            VectableError: an id that is known already, or a text where all ids are numbers.
        """
        data = self.data
        if item is None:
            item = _next_id(data.item_ids.vocabulary)
            self.say(f"The new item has the id {item!r}.")
        item = _like_ids(item, data.item_ids.vocabulary)
        if int(data.item_ids.encode([item])[0]):
            raise VectableError(f"The item {item!r} is known already.")
        codes, values = self._given(ratings, False)
        with one_blas_thread():
            row = self.posterior.new_row(True, codes, values, _by_column(features, "item"))
        rng = np.random.default_rng([self.settings.seed, len(data.item_ids)])
        self._added.append(row.drawn(rng).astype(self.settings.draw_dtype).reshape(-1))
        item_ids = type(data.item_ids)(data.item_ids.vocabulary)
        item_ids.grow(pl.Series([item]))
        titles = data.titles if data.titles is None else data.titles.extend(pl.Series([title], dtype=pl.String))
        table = lengthen(data.item_table, item_ids, data.columns.item)
        self.data = replace(data, item_ids=item_ids, titles=titles, item_table=table)
        self._forget()
        return self

    # ---------------------------------------------------------------- saving

    def save(self, path: str | Path) -> Path:
        """Save draws, state of the chains, ratings and settings as a folder; see `vectable.artifact`."""
        from vectable.artifact import write_folder

        return write_folder(path, self.to_contents())

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds."""
        from vectable.artifact import Contents

        self._need_draws()
        tensors, tables, data_settings = self.data.to_saved()
        arrays: dict[str, dict[str, NDArray[Any]]] = {
            "draws": {
                f"{at}.{name}": one for at, kept in enumerate(self._kept) for name, one in stacked(kept.kept).items()
            },
            "chains": {
                f"{at}.{name}": one for at, chain in enumerate(self._chains) for name, one in chain.to_arrays().items()
            },
            "traces": {str(at): np.array(trace) for at, trace in enumerate(self._traces)},
            "sums": dict(self._sums),
            "directions": {},
            "added": {str(at): one for at, one in enumerate(self._added)},
        }
        for side, groups in zip(("user", "item"), self._prepared_groups(), strict=True):
            for at, group in enumerate(groups):
                arrays["directions"] |= {f"{side}.{at}.{name}": one for name, one in vars(group).items()}
        tensors |= {
            name: {key: torch.from_numpy(np.ascontiguousarray(one)) for key, one in part.items()}
            for name, part in arrays.items()
        }
        settings = {
            "model": "PosteriorDotBias",
            "config": asdict(self.settings),
            "data": data_settings,
            "about": repr(self.data),
            "every": [kept.every for kept in self._kept],
            "summed": self._summed,
        }
        return Contents(
            "posterior", settings, tensors, {**tables, "features": self.features.to_json(), "epochs": self.history}
        )

    @classmethod
    def from_contents(
        cls, contents: "Contents", model: Any = None, progress: "bool | Console" = True, device: Any = None
    ) -> "BayesLearner":
        """The learner back from a saved folder's contents; it predicts bit for bit as before, and can draw on."""
        settings = contents.settings
        data = RatingsData.from_saved(contents.tensors, contents.tables, settings["data"])
        arrays = {name: {key: one.numpy() for key, one in part.items()} for name, part in contents.tensors.items()}
        groups: tuple[list[Directions], list[Directions]] = ([], [])
        for side, listed in zip(("user", "item"), groups, strict=True):
            while part := _part(arrays["directions"], f"{side}.{len(listed)}."):
                listed.append(Directions(**part))
        learn = cls(
            data,
            Settings(**settings["config"]),
            RatingFeatures.from_json(contents.tables["features"]),
            groups,
            progress,
        )
        learn.history = contents.tables["epochs"]
        learn._added = [arrays["added"][str(at)] for at in range(len(arrays["added"]))]
        learn._sums, learn._summed = arrays["sums"], settings["summed"]
        learn._traces = [arrays["traces"][str(at)].tolist() for at in range(learn.settings.n_chains)]
        if not learn._added:
            learn._prepare()
            for at, chain in enumerate(learn._chains):
                chain.load_arrays(_part(arrays["chains"], f"{at}."))
        else:
            learn._kept = learn._empty()
        for at, (kept, every) in enumerate(zip(learn._kept, settings["every"], strict=True)):
            part = _part(arrays["draws"], f"{at}.")
            kept.kept, kept.every = unstacked(part) if part else [], every
        return learn

    # ---------------------------------------------------------------- inside: sampling

    def say(self, message: str) -> None:
        """A line for who watches."""
        if message:
            Progress(self.progress, 0, ()).say(message)

    def _prepare(self) -> None:
        """Lay the ratings out and start the chains, unless they are under way."""
        if self._chains:
            return
        ratings, s = self.data.train_ratings, self.settings
        values = (ratings.rating - np.float32(self.centre)) / np.float32(self.scale)
        if self.categories is not None:
            values = np.searchsorted(self.categories, ratings.rating).astype(np.float32)
        day = days(ratings.time) if s.user_day and ratings.time is not None else None
        layout = Layout.of(ratings.user, ratings.item, values, self.data.n_users, self.data.n_items, day)
        n_levels = None if self.categories is None else len(self.categories)
        groups = self._prepared_groups()
        self._chains = [
            Chain(
                layout, self.data.n_users, self.data.n_items, s.n_factors, *groups, n_levels, s.seed, number, s.threads
            )
            for number in range(s.n_chains)
        ]
        self._kept = self._empty()

    def _empty(self) -> list[KeptDraws]:
        s = self.settings
        return [KeptDraws(s.draw_memory // s.n_chains, s.draw_dtype) for _ in range(s.n_chains)]

    def _prepared_groups(self) -> tuple[list[Directions], list[Directions]]:
        """Features of users and of items, decomposed once."""
        if self._groups is None:
            users, items = self.features.matrices(self.data)
            seed = self.settings.seed
            self._groups = [Directions.of(one, seed) for one in users], [Directions.of(one, seed) for one in items]
        return self._groups

    def _run(self, at: int, n_draws: int, progress: Progress) -> None:
        """So many draws of one chain: the loop."""
        chain, kept, trace = self._chains[at], self._kept[at], self._traces[at]
        burn_in = max(self.settings.burn_in - chain.done, 0)
        watched, told = self._watched(), max((burn_in + n_draws) // 10, 1)
        held_out = self.data.valid_ratings
        offsets = self._places(chain, held_out.user, held_out.time)
        started = time.perf_counter()
        for number in range(1, burn_in + n_draws + 1):
            burning_in = number <= burn_in
            chain.sweep(burning_in)
            if not burning_in:
                seen = self._expected(chain, held_out.user, held_out.item, offsets)
                self._add_up(
                    valid=seen, user_bias=chain.users[:, chain.n_factors], item_bias=chain.items[:, chain.n_factors]
                )
                kept.add(chain, len(trace))
                trace.append([self.scale / np.sqrt(chain.noise_precision), *self._expected(chain, *watched).tolist()])
            progress.advance(1, f"chain {at + 1}, draw {number}/{burn_in + n_draws}")
            if number % told == 0 or number == burn_in + n_draws:
                known = self._summed > 0 and len(held_out) > 0
                row = {
                    "chain": at + 1,
                    "draw": chain.done,
                    "valid_rmse": errors_of(held_out, self._valid_mean())["rmse"] if known else float("nan"),
                    "noise": float(self.scale / np.sqrt(chain.noise_precision)),
                    "seconds": time.perf_counter() - started,
                }
                self.history.append(row)
                progress.row(row)

    def _expected(
        self, chain: Chain, users: NDArray[np.int32], items: NDArray[np.int32], places: NDArray[np.int64] | None = None
    ) -> Floats:
        """Expected ratings of pairs in a chain's latest draw, (pairs,)."""
        sums = chain.scores(users, items)
        if places is not None and len(places):
            sums += np.append(chain.offsets, np.float32(0))[places]
        if chain.walk is None or self.categories is None:
            return self.centre + self.scale * sums
        return np.asarray(np.diff(norm.cdf(chain.walk.cuts - sums[:, None])) @ self.categories)

    def _add_up(self, **values: NDArray[Any]) -> None:
        for name, one in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + one.astype(np.float64)
        self._summed += 1

    def _valid_mean(self) -> Floats:
        return (self._sums["valid"] / self._summed).clip(*self.data.rating_range)

    def _watched(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """A few training pairs whose predictions are written down at every draw."""
        ratings = self.data.train_ratings
        rows = np.linspace(0, len(ratings) - 1, WATCHED).astype(int)
        return ratings.user[rows], ratings.item[rows]

    def _tell_convergence(self) -> None:
        """Say it in words when there are too few draws to trust."""
        table = pl.DataFrame(self.convergence())
        worst = float(table["rhat"].fill_nan(np.inf).to_numpy().max())
        fewest = float(table["effective_draws"].fill_nan(0).to_numpy().min())
        if worst > MOST_RHAT or fewest < FEWEST_EFFECTIVE:
            warn(
                f"The draws are too few to trust their spread: R-hat is up to {worst:.2f} (1.0 would be converged), "
                f"and the least certain quantity has {fewest:.0f} independent draws. Add more: fit(n_draws)."
            )

    def _tell_memory(self) -> None:
        """Say so where the memory allowed does not hold the fewest draws that are kept."""
        taken = sum(array.nbytes for kept in self._kept for one in kept.kept for array in one.values())
        if taken > self.settings.draw_memory:
            n_kept = sum(len(kept.kept) for kept in self._kept)
            warn(
                f"draw_memory of {self.settings.draw_memory:,} bytes holds too few draws: {n_kept} "
                f"are kept all the same, which take {taken:,}."
            )

    # ---------------------------------------------------------------- inside: the model

    def _need_draws(self) -> None:
        require(any(kept.kept for kept in self._kept), "Nothing was drawn yet: call fit first.")

    def _forget(self) -> None:
        for name in ("model", "recommender", "posterior", "_draws"):
            self.__dict__.pop(name, None)

    @cached_property
    def _draws(self) -> dict[str, NDArray[Any]]:
        """The kept draws of all chains, the draw as first dimension."""
        self._need_draws()
        return stacked([one for kept in self._kept for one in kept.kept])

    @cached_property
    def model(self) -> PosteriorDotBias:
        """The kept draws as a model."""
        draws = self._draws
        users, items = (_side_by_side(draws[name]) for name in ("users", "items"))
        items = np.concatenate([items, *(one[None] for one in self._added)]) if self._added else items
        cuts = values = None
        if self.categories is not None:
            cuts = torch.from_numpy(draws["cuts"].astype(np.float32))
            values = torch.from_numpy(self.categories.astype(np.float32))
        return PosteriorDotBias(
            torch.from_numpy(users),
            torch.from_numpy(items),
            len(draws["users"]),
            self.centre,
            self.scale,
            cuts,
            values,
        )

    @cached_property
    def posterior(self) -> Posterior:
        """The kept draws, asked by code."""
        groups = self._prepared_groups()
        given = (self.features, groups, self.categories, self.centre, self.scale)
        return Posterior(self._draws, self.model, *given, self.data.rating_range, self._keys())

    @property
    def _rater(self) -> PosteriorDotBias:
        return self.model

    @cached_property
    def recommender(self) -> Recommender:
        """Answers from the draws as they are now."""
        draws, model = self._draws, self.model
        noise = self.scale**2 / draws["precisions"][:, 0]
        if self.categories is not None:
            noise = np.full(len(noise), self._category_noise())
        depth = model.n_factors + 1
        means = model.users[0].double().numpy().reshape(-1, depth)
        priors = [UserPrior(*one) for one in zip(means, draws["user.precision"], noise.tolist(), strict=True)]
        return Recommender(model, model.members, self.data, priors)

    def _category_noise(self) -> float:
        """Variance of a rating about its expectation, over the first training rows."""
        ratings = self.data.train_ratings
        some = slice(0, 10_000)
        mean, _ = self.posterior.predict(ratings.user[some], ratings.item[some], None)
        return float(((ratings.rating[some] - mean) ** 2).mean()) or 1.0

    def _optimistic(self, optimism: float) -> Recommender:
        check_optimism(optimism)
        found = self.recommender
        if optimism == 0:
            return found
        return Recommender(Optimistic(self.model, optimism), found.members, self.data, found.priors)

    # ---------------------------------------------------------------- inside: rows by name

    def _rows_of(self, df: Any) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats | None]:
        """User and item codes of a table, and times where there is a column of them."""
        frame, users, items = self._codes_of(df)
        name = self.data.columns.timestamp
        if not self.settings.user_day or name is None:
            return users, items, None
        if name not in frame.columns:
            warn(f"The table has no column {name!r}: every rating is predicted without the offset of its day.")
            return users, items, None
        return users, items, to_times(frame[name], name, "the table").to_numpy()

    def _keys(self) -> NDArray[np.int64] | None:
        """User and day of every offset, in one number each, rising; None without offsets."""
        ratings = self.data.train_ratings
        if not self.settings.user_day or ratings.time is None:
            return None
        return np.unique(day_keys(ratings.user, days(ratings.time)))

    def _places(self, chain: Chain, users: NDArray[np.int32], times: Floats | None) -> NDArray[np.int64] | None:
        """Which offset each row has, or the place after the last."""
        keys = self._keys()
        return None if keys is None else places_of(keys, users, times, len(chain.offsets))

    def _given(
        self, ratings: Mapping[Any, float] | None, of_items: bool
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Codes and values of ratings that came by name; unknown names are told and left out."""
        what = "items to ratings, {'Item A': 5}" if of_items else "users to ratings, {42: 5}"
        ratings = {} if ratings is None else ratings
        require(isinstance(ratings, Mapping), f"Ratings are a mapping from {what}.")
        for name, value in ratings.items():
            require(is_finite(value), f"The rating of {name!r} is {value!r}; it is a finite number.")
        low, high = self.data.rating_range
        beyond = [f"{name!r}: {value:g}" for name, value in ratings.items() if not low <= value <= high]
        if beyond:
            then = "they count as they stand" if self.categories is None else "the nearest one counts"
            warn(
                f"{len(beyond):,} of {len(ratings):,} ratings lie outside those of training, {low:g} to {high:g} "
                f"({', '.join(beyond[:3])}): {then}."
            )
        codes = find_codes(self.data, ratings, of_items, "they are left out")
        values = np.array(list(ratings.values()), dtype=np.float32)
        return codes[codes > 0], values[codes > 0]


def _categories(ratings: NDArray[np.float32]) -> Floats:
    found = np.unique(ratings).astype(np.float64)
    if not 2 <= len(found) <= MOST_CATEGORIES:
        raise DataError(
            f"The ratings have {len(found):,} different values; likelihood='ordinal' is for 2 to {MOST_CATEGORIES} "
            "ordered ones. Use likelihood='normal'."
        )
    return found


def take_ratings(data: Any) -> None:
    """Raise a sentence unless `data` is a `RatingsData`."""
    require(
        isinstance(data, RatingsData),
        f"data is {'None' if data is None else 'a ' + type(data).__name__}; ratings come as a RatingsData: "
        "RatingsData.from_df(df), or from_file for a file.",
    )


def _by_column(features: Any, side: str) -> Mapping[str, Any] | None:
    """Features of a new row, known to be a mapping."""
    require(
        features is None or isinstance(features, Mapping),
        f"Features are a mapping from columns of the {side}s' side table to values, {{'column': value}}; "
        f"here they are {features!r}.",
    )
    return features  # type: ignore[no-any-return]


def _next_id(ids: pl.Series) -> int | str:
    """An id that is not among `ids`."""
    if ids.dtype == pl.Int64:
        return int(ids.to_numpy().max(initial=0)) + 1
    taken = set(ids)
    return next(name for number in count(1) if (name := f"new item {number}") not in taken)


def _like_ids(item: Any, ids: pl.Series) -> int | str:
    """A new id as the known ones are: numbers stay numbers, and beside texts it becomes one."""
    require(isinstance(item, str) or is_whole(item, -(2**63)), f"item is {item!r}; an id is a text or a whole number.")
    if ids.dtype != pl.Int64:
        return str(item)
    found = pl.Series([str(item)]).cast(pl.Int64, strict=False)[0]
    require(
        found is not None and str(found) == str(item), f"item is {item!r}; the ids of items are whole numbers here."
    )
    return int(found)


def _side_by_side(draws: NDArray[Any]) -> NDArray[Any]:
    """From (draws, rows, D) to every row's draws side by side, (rows, draws * D)."""
    return np.ascontiguousarray(draws.transpose(1, 0, 2)).reshape(draws.shape[1], -1)


def _part(arrays: Mapping[str, NDArray[Any]], start: str) -> dict[str, NDArray[Any]]:
    return {name[len(start) :]: one for name, one in arrays.items() if name.startswith(start)}
