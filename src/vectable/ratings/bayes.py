"""The second way to train on ratings: draws from the posterior, whose mean predicts and whose spread says how sure."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.pair_columns import to_times
from vectable.data.ratings.rating_features import RatingFeatures
from vectable.data.ratings.ratings_data import RatingsData
from vectable.deprecation import renamed_arguments, renamed_property
from vectable.errors import DataError, VectableError, is_whole, require, warn
from vectable.insight.coverage import Coverage, coverage
from vectable.one_blas_thread import one_blas_thread
from vectable.ratings.adding_items import as_features, next_id, with_item
from vectable.ratings.bayes_folder import BayesFolder
from vectable.ratings.beside_baselines import baseline_errors, errors_of, verdict
from vectable.ratings.lists import By, ListRanking
from vectable.ratings.rating_answers import RatingAnswers
from vectable.ratings.rating_rows import codes_of, take_ratings
from vectable.ratings.sampling_session import SamplingSession
from vectable.recommending.answer import Notes
from vectable.recommending.folded_posterior import FoldedPosterior
from vectable.recommending.given_ratings import given_ratings
from vectable.recommending.intervals import check_level
from vectable.recommending.presenting import warn_of
from vectable.sampling.convergence import convergence_table
from vectable.sampling.options import DRAW_MEMORY, SamplingOptions
from vectable.sampling.run import Draw
from vectable.training.progress import Progress
from vectable.training.saved_as_folder import SavedAsFolder, needs_training_data

if TYPE_CHECKING:
    from rich.console import Console

    from vectable.artifact import Contents
    from vectable.models.posterior import PosteriorDotBias
    from vectable.recommending.posterior import Posterior
    from vectable.recommending.recommender import Recommender

Floats = NDArray[np.float64]
Rows = tuple[NDArray[np.int32], NDArray[np.int32], Floats | None]

REPORTS = 10  # lines of figures per chain and fit


@renamed_arguments(user_day="user_day_bias")
def bayes_collab_learner(
    data: RatingsData,
    n_factors: int = 16,
    n_draws: int = 200,
    burn_in: int = 20,
    *,
    features: str | Sequence[str] | None = "auto",
    history: bool = True,
    user_day_bias: bool = False,
    likelihood: str = "normal",
    n_chains: int = 1,
    lists: By = "ratings",
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
        features: columns of the side tables of users and items: "auto" takes those that are likely to be informative
            (no ids, no category of which few rows share a value) and reports them, a list names them, None takes none.
        history: whether the items that a user rated in training are features of the user, and the other way round.
        user_day_bias: whether each user has an offset of the day (a mood, a session); needs the data's timestamp, and
            helps to predict ratings of days that are in the training data, not tomorrow's.
        likelihood: "normal", or "ordinal": ratings are ordered categories, and `predict_proba` gives each one's chance.
            On stars its error is lower, after fewer draws, at about twice the time a draw.
        n_chains: from different starts; two show best whether the draws have converged.
        lists: what ranks them: "ratings" the expected rating, "interactions" who would take what; see `collab_learner`.
            Items added by `add_item` come last in the latter.
        draw_dtype: "float16" or "float32": how draws are kept.
        draw_memory: bytes that the kept draws may take; of more draws every second, fourth ... is kept. Means over the
            validation rows and biases are always over all.
        seed: random seed; the same seed gives the same draws, bit for bit.
        threads: number of threads that draw rows; the draws do not depend on it, and on small data one is as fast.
        progress: whether to show it, or the rich console to show it on.

    Raises:
        VectableError: an argument out of range, or data that is not a `RatingsData`.
        DataError: a feature that is not a column; user_day_bias without times; ratings with weights.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> few = {"n_factors": 4, "n_draws": 10, "burn_in": 5, "history": False}
        >>> learn = vt.bayes_collab_learner(data, **few, progress=False).fit()
        >>> low, high = learn.predict_interval({"user": [1200], "item": [1]}, 0.9)[0]
        >>> bool(low < high)
        True
    """
    take_ratings(data)
    require(isinstance(history, bool | np.bool_), f"history must be True or False; got {history!r}.")
    options = SamplingOptions(
        n_factors, n_draws, burn_in, likelihood, user_day_bias, n_chains, draw_dtype, draw_memory, seed, threads
    )
    if n_draws < burn_in:
        warn(
            f"{n_draws:,} draws are to be kept after {burn_in:,} thrown away: a mean of so few is coarse, and their "
            "spread says little. 200 after 20 do well."
        )
    if data.train_ratings.weights is not None:
        raise DataError("Ratings with weights cannot be sampled: repeat a row as often as it counts, without weights.")
    times = data.train_ratings.time
    if user_day_bias and (times is None or np.isnan(times).any()):
        raise DataError("user_day_bias=True needs the time of each rating: name its column, timestamp=, with the data.")
    ranking = ListRanking(lists)
    session = SamplingSession(data, options, RatingFeatures.of(data, features, history), ranking)
    learn = BayesLearner(session, progress)
    learn.report(learn.features.describe())
    return learn


class BayesLearner(SavedAsFolder, RatingAnswers):
    """Draws from the posterior, with the words that belong to ratings; made by `bayes_collab_learner`.

    It has more than a dozen methods because draws answer more questions than one set of weights: how sure a prediction
    is, how likely each category, whether the chains have converged, who a new user or item is.

    Attributes:
        session: the chains and the draws.
        options: of the sampler.
        features: what is known of users and items besides the ratings.
        history: a row of figures every few draws: chain, draw, valid_rmse so far, noise, seconds.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> few = {"n_factors": 4, "n_draws": 10, "burn_in": 5, "history": False}
        >>> learn = vt.bayes_collab_learner(data, **few, progress=False).fit()
        >>> mean, spread = learn.predict({"user": [1200], "item": [1]}, return_std=True)
        >>> bool(spread[0] > 0)
        True
    """

    def __init__(self, session: SamplingSession, progress: "bool | Console" = True) -> None:
        self.session, self.progress = session, progress
        self.options, self.features, self.history = session.options, session.features, session.history

    settings = renamed_property("settings", "options")

    def __repr__(self) -> str:
        s = self.options
        return (
            f"BayesLearner: {s.n_factors} factors, {s.likelihood} likelihood, {self.n_draws:,} draws in {s.n_chains} "
            f"chain{'s' if s.n_chains > 1 else ''}; {self.data!r}"
        )

    # ---------------------------------------------------------------- sampling

    @needs_training_data
    def fit(self, n_draws: int | None = None) -> "BayesLearner":
        """Draw `n_draws` (by default as many as were asked for) in each chain, after the burn-in of the first time.

        Called again it continues where the chains are: 100 draws and 100 more are the same as 200. Ctrl-C keeps the
        draws so far.
        """
        n_draws = self.options.n_draws if n_draws is None else n_draws
        require(is_whole(n_draws, 1), f"n_draws must be a positive integer; got {n_draws!r}.")
        run = self.session.begin()
        columns = ["chain", "draw", "valid_rmse", "noise", "seconds"]
        with Progress(self.progress, run.steps(n_draws), columns) as progress, one_blas_thread():
            progress.header()
            started = time.perf_counter()
            try:
                for draw in run.draw(n_draws):
                    progress.advance(1, f"chain {draw.chain + 1}, draw {draw.step}/{draw.steps}")
                    if draw.step % max(draw.steps // REPORTS, 1) == 0 or draw.step == draw.steps:
                        progress.row(self._figures(draw, time.perf_counter() - started))
            except KeyboardInterrupt:
                self.session.interrupted = True
                progress.say(f"Interrupted; the {self.n_draws:,} draws so far are kept.")
        self.session.warn_of_draws()
        return self

    @property
    def n_draws(self) -> int:
        """Draws made after the burn-in, in all chains; those kept may be fewer."""
        return self.session.record.n_draws

    def convergence(self) -> Any:
        """R-hat and effective number of draws of the noise and of a few predictions; see `sampling/convergence.py`.

        R-hat near 1 (at most 1.05 or so) says that chains, or the halves of a single one, agree; the effective number
        is how many independent draws would say as much.
        """
        self.session.need_draws()
        return self.data.to_native(pl.DataFrame(convergence_table(self.session.record.trace())))

    # ---------------------------------------------------------------- how good, and how sure

    @needs_training_data
    def validate(self) -> dict[str, Any]:
        """Mean squared error (as valid_loss), rmse and mae on the validation ratings, of the mean over all draws; the
        same for the baselines, under "baselines". Warns where the model does not beat them.
        """
        predicted, _ = self.get_preds()
        errors = errors_of(self.data.valid_ratings, predicted.numpy())
        measured = {**errors, "baselines": baseline_errors(self.data, self.recommender.baseline)}
        if (message := verdict(measured)) is not None:
            warn(message)
        return measured

    @needs_training_data
    def get_preds(self) -> tuple[Tensor, Tensor]:
        """Predictions for the validation ratings, the mean over all draws, and those ratings, (rows,) each."""
        self.session.need_draws()
        predicted = self.session.record.held_out_mean().clip(*self.data.rating_range)
        return torch.from_numpy(predicted), torch.from_numpy(self.data.valid_ratings.rating)

    @property
    def valid_predictions(self) -> Floats:
        """Old name of ``get_preds()[0].numpy()``."""
        warn("valid_predictions is now get_preds()[0]; the old name will be removed in the next release.",
             DeprecationWarning)  # fmt: skip
        return np.asarray(self.get_preds()[0].numpy())

    def predict(self, df: Any, return_std: bool = False, *, raw: bool = False) -> Any:
        """Predicted ratings, (rows,) float32; an unknown user or item counts as the average one, with a warning.

        Args:
            df: a table with the user and item columns (items may be ids or titles), and with user_day_bias the time.
            return_std: also the standard deviation of the expected rating over the draws, (rows,). The noise of a
                single rating comes on top; `predict_interval` has it.
            raw: leave predictions that lie beyond the rating scale as they are, instead of clipping them.
        """
        mean, std = self.posterior.predict(*self._rows_of(df))
        shown = self.recommender.shown(mean.astype(np.float32), raw)
        return (shown, std.astype(np.float32)) if return_std else shown

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
            raise VectableError(
                "predict_proba needs ordered categories: bayes_collab_learner(data, likelihood='ordinal')."
            )
        return self.posterior.probabilities(*self._rows_of(df)).astype(np.float32)

    @needs_training_data
    def coverage(self, levels: Sequence[float] = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)) -> Coverage:
        """How many held-out ratings lie in their intervals, at several levels, with a plot."""
        held_out, posterior = self.data.valid_ratings, self.posterior
        require(len(held_out) > 0, "Coverage is measured on validation rows, and there are none.")
        rows = held_out.user, held_out.item, held_out.time
        return coverage(held_out.rating, {level: posterior.interval(*rows, level=level) for level in levels})

    # ---------------------------------------------------------------- new users and items

    def fold_in(
        self, ratings: Mapping[Any, float] | None = None, features: Mapping[str, Any] | None = None
    ) -> FoldedPosterior:
        """A user who is not in the training data, from ratings by item id or title, from features, or from both.

        Nothing is kept.

        Args:
            features: values of columns of the users' side table; those not given count as missing.
        """
        return self.session.answers.fold_in(*self._given(ratings, True), as_features(features, "user"))

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
        """Take in an item that is not in the training data, from features, from ratings by user id, or from both.

        From here on it is recommended, predicted and saved like any other.

        Args:
            item: id; by default the highest one and 1, or where ids are texts "new item 1", which is reported.
            features: values of columns of the items' side table.
            title: to show for it.

        Raises:
            VectableError: an id that is known already, or a text where all ids are numbers.
        """
        if item is None:
            item = next_id(self.data.item_ids.vocabulary)
            self.report(f"The new item has the id {item!r}.")
        data = with_item(self.data, item, title)
        codes, values = self._given(ratings, False)
        with one_blas_thread():
            row = self.posterior.new_row(True, codes, values, as_features(features, "item"))
        self.session.add_item(data, row)
        return self

    # ---------------------------------------------------------------- saving

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds."""
        return self.session.to_folder().to_contents()

    @classmethod
    def from_contents(
        cls, contents: "Contents", model: Any = None, progress: "bool | Console" = True, device: Any = None
    ) -> "BayesLearner":
        """The learner back from a saved folder's contents; it predicts bit for bit as before, and can draw on."""
        return cls(SamplingSession.from_folder(BayesFolder.from_contents(contents)), progress)

    def _serving_settings(self) -> dict[str, Any]:
        if self.categories is not None:
            return {"noise": float(self.session.answers.noise[0])}
        units = self.session.units
        return {"units": {"centre": units.centre, "scale": units.scale}}

    # ---------------------------------------------------------------- inside: what answers

    @property
    def data(self) -> RatingsData:  # type: ignore[override]  # it stands in the session, and cannot be set
        """The ratings; items that were added are in their vocabulary."""
        return self.session.data

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the latest fit."""
        return self.session.interrupted

    @property
    def categories(self) -> Floats | None:
        """The rating values, lowest first, with the ordinal likelihood; else None."""
        return self.session.units.categories

    @property
    def model(self) -> "PosteriorDotBias":
        """The kept draws as a model."""
        return self.session.answers.model

    @property
    def posterior(self) -> "Posterior":
        """The kept draws, asked by code."""
        return self.session.answers.posterior

    @property
    def recommender(self) -> "Recommender":
        """Answers from the draws as they are now."""
        return self.session.answers.recommender

    def report(self, message: str) -> None:
        """Show a line to whoever watches."""
        if message:
            Progress(self.progress, 0, ()).say(message)

    # ---------------------------------------------------------------- inside: sampling

    def _figures(self, draw: Draw, seconds: float) -> dict[str, float]:
        """A row of the history."""
        error = float("nan")
        if self.session.record.summed and len(self.data.valid_ratings):
            error = errors_of(self.data.valid_ratings, self.get_preds()[0].numpy())["rmse"]
        row = {
            "chain": draw.chain + 1,
            "draw": draw.number,
            "valid_rmse": error,
            "noise": draw.noise,
            "seconds": seconds,
        }
        self.history.append(row)
        return row

    # ---------------------------------------------------------------- inside: rows by name

    def _rows_of(self, df: Any) -> Rows:
        """User and item codes of a table, and times where there is a column of them."""
        notes = Notes()
        frame, users, items = codes_of(self.data, df, notes)
        warn_of(notes)
        name = self.data.columns.timestamp
        if not self.options.user_day_bias or name is None:
            return users, items, None
        if name not in frame.columns:
            warn(f"The table has no column {name!r}: every rating is predicted without the offset of its day.")
            return users, items, None
        return users, items, to_times(frame[name], name, "the table").to_numpy()

    def _given(
        self, ratings: Mapping[Any, float] | None, of_items: bool
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Codes and values of ratings by name."""
        notes = Notes()
        codes, values = given_ratings(self.data, ratings, of_items, notes)
        warn_of(notes)
        return codes, values
