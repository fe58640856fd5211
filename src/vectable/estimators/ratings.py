"""Ratings for scikit-learn: who will rate what how high, from users, items and whatever else is known."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from vectable.data.encoders.categorify import Categorify, as_ids
from vectable.data.encoders.fill_missing import FillMissing
from vectable.data.encoders.normalize import Normalize
from vectable.data.ratings.encoded_ratings import Ratings
from vectable.data.ratings.rating_columns import Columns
from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.tables.table_data import TableData
from vectable.data.tensors import check_batch_size
from vectable.errors import DataError, require
from vectable.estimators.inputs import (
    canonical_rows,
    free_name,
    is_frame,
    take_columns,
    take_numbers,
    take_weights,
)
from vectable.estimators.persistent import PersistentEstimator
from vectable.ratings.bayes import BayesLearner, bayes_collab_learner
from vectable.ratings.collab import CollabLearner, collab_learner
from vectable.tables.defaults import batch_size_for, epochs_for
from vectable.tables.factorisation import factorisation_learner
from vectable.tables.tabular import TabularLearner

ANYTHING = {"dtype": None, "ensure_all_finite": "allow-nan"}
EPOCHS, LARGEST_BATCH = 5, 64  # of the lesson
METHODS = ("gradient", "bayes")


class RatingRegressor(RegressorMixin, PersistentEstimator):
    """Ratings from users and items: a vector and a bias for each, whose dot product and sum predict.

    X is a table or an array of numbers or texts, (rows, 2 or more): the first column the user, the second the item,
    whatever their names and types. Further columns are side features of the user, the item or the moment: each
    category and each number gets a bias and a vector too, and every two are multiplied (a factorisation machine, which
    on two columns is the same model).

    A user or item that training never showed is predicted as the average one, and so is a missing one; rows without a
    user or an item are not trained on. Missing side features are welcome.

    Weights of rows mean what repeating them means, to the last digit.

    Args:
        method: "gradient", or "bayes": draws from the posterior (`vectable.bayes_collab_learner`), for a user and an
            item column alone, and weights that are integers. It has no use for y_range, bins, n_epochs, lr, wd,
            batch_size, n_models and device; 16 factors do.
        n_draws: of "bayes", after 20 thrown away.
        n_factors: width of the vectors.
        y_range: (low, high) of the sigmoid around the prediction, a little outside the scale; "auto" takes an eighth
            of the scale beyond both ends; None leaves the sigmoid out.
        bins: of side features that are numbers: None, "quantile", or "tree" (where a shallow tree for the rating
            splits).
        n_epochs: passes over the rows; "auto": 5, and on few rows more, until there are 200 steps.
        lr: the highest learning rate of the cycle.
        wd: weight decay.
        batch_size: rows per step; "auto": 64, and with fewer than 1,024 rows less, at least 16.
        n_models: number of models from different seeds, averaged at prediction time.
        random_state: a number for the same result every time, bit for bit; or a `numpy.random.RandomState`.
        device: "cpu", "cuda", ...
        verbose: whether to show how training goes.

    Attributes:
        learner_: of two columns a `vectable.CollabLearner` (recommendations, reasons, biases, maps), of more a
            `vectable.TabularLearner` (feature importance, embeddings, maps); by "bayes" a `vectable.BayesLearner`.
        n_iter_: epochs trained, or draws made.
        n_features_in_: columns of X.
        feature_names_in_: their names, where X was a table.

    Examples:
        >>> import numpy as np, vectable as vt
        >>> pairs = np.array([[user, item] for user in range(20) for item in range(10)])
        >>> stars = 1.0 + pairs[:, 1] % 5
        >>> model = vt.RatingRegressor(n_factors=2, n_epochs=20, random_state=0).fit(pairs, stars)
        >>> bool(model.predict([[0, 4]])[0] > model.predict([[0, 0]])[0])
        True
    """

    def __init__(
        self,
        *,
        method: str = "gradient",
        n_draws: int = 200,
        n_factors: int = 40,
        y_range: Sequence[float] | str | None = "auto",
        bins: str | None = None,
        n_epochs: int | str = "auto",
        lr: float = 5e-3,
        wd: float = 0.1,
        batch_size: int | str = "auto",
        n_models: int = 1,
        random_state: Any = None,
        device: str = "cpu",
        verbose: bool = False,
    ) -> None:
        self.method = method
        self.n_draws = n_draws
        self.n_factors = n_factors
        self.y_range = y_range
        self.bins = bins
        self.n_epochs = n_epochs
        self.lr = lr
        self.wd = wd
        self.batch_size = batch_size
        self.n_models = n_models
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows `X` with ratings `y`, (rows,), each counted `sample_weight` times, (rows,) or None."""
        require(self.method in METHODS, f"method must be 'gradient' or 'bayes'; got {self.method!r}.")
        for name in ("batch_size", "n_epochs"):
            value = getattr(self, name)
            require(not isinstance(value, str) or value == "auto", f"{name} must be 'auto' or a number; got {value!r}.")
        columns = self._columns(X, reset=True)
        ratings = column_or_1d(take_numbers(self, y))
        check_consistent_length(X, ratings)
        target = free_name("rating", columns.columns)
        table, weights = canonical_rows(
            columns.with_columns(pl.Series(target, ratings)), take_weights(sample_weight, X)
        )
        complete = (as_ids(table[:, 0]).is_not_null() & as_ids(table[:, 1]).is_not_null()).to_numpy()
        if not complete.any():
            raise DataError(f"No row has both a user ({table.columns[0]!r}) and an item ({table.columns[1]!r}).")
        table, weights = table.filter(pl.Series(complete)), weights[complete]
        if self.method == "bayes":
            self.learner_ = self._sampled(table, weights)
            self.n_iter_ = self.learner_.n_draws
            return self
        learner = self._learner(table, weights, is_frame(X))
        n_steps = learner.data.n_steps
        n_epochs = epochs_for(n_steps, EPOCHS) if isinstance(self.n_epochs, str) else self.n_epochs
        self.learner_ = learner.fit_one_cycle(n_epochs, self.lr)
        self.n_iter_ = learner.epochs_done
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The rating of each row, (rows,) float64.

        Args:
            return_std: with method="bayes" also the standard deviation of each, (rows,), as in `BayesLearner.predict`.

        Raises:
            VectableError: return_std with another method, which has one set of weights and no spread.
        """
        check_is_fitted(self)
        columns = self._columns(X, reset=False)
        if return_std:
            learner = self.learner_
            require(isinstance(learner, BayesLearner), "return_std=True needs method='bayes': one fit has no spread.")
            return tuple(one.astype(np.float64) for one in learner.predict(columns, return_std=True))
        if isinstance(self.learner_, TabularLearner):
            found = self.learner_.data.target.decode(self.learner_.outputs(columns, double=True))
            return np.asarray(found, dtype=np.float64)
        return np.asarray(self.learner_.predict(columns), dtype=np.float64)

    # ---------------------------------------------------------------- inside

    def _columns(self, X: Any, reset: bool) -> pl.DataFrame:
        columns = take_columns(self, X, reset=reset, **ANYTHING, ensure_min_features=2 if reset else 0)
        if reset and columns.width < 2:
            raise DataError(
                f"Found array with {columns.width} feature(s) (shape={columns.shape}) while a minimum of 2 is "
                "required: a user and an item."
            )
        return columns

    def _sampled(self, table: pl.DataFrame, weights: NDArray[np.float64]) -> BayesLearner:
        """Draws for rows of user, item and rating, each repeated as often as it counts."""
        if table.width > 3:
            raise DataError(
                f"method='bayes' takes a user and an item column, and X has {table.width - 1}; side tables of users "
                "and items go to vectable.bayes_collab_learner."
            )
        if (weights % 1 != 0).any():
            raise DataError("method='bayes' takes weights that are whole numbers: how often a row counts.")
        rows = np.repeat(np.arange(len(table)), weights.astype(np.int64))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        data = _pairs(table[rows], None, LARGEST_BATCH)
        return bayes_collab_learner(data, self.n_factors, self.n_draws, seed=seed, progress=self.verbose).fit()

    def _learner(
        self, table: pl.DataFrame, weights: NDArray[np.float64], typed: bool
    ) -> CollabLearner | TabularLearner:
        """The learner for rows of user, item, side features and rating.

        Args:
            typed: whether the columns have types of their own; those of an array are numbers, unless they are texts.
        """
        user, item, *side, rating = table.columns
        automatic = isinstance(self.batch_size, str)
        batch_size: Any = batch_size_for(len(table), LARGEST_BATCH) if automatic else self.batch_size
        weighted = bool((weights != 1).any())
        options: dict[str, Any] = {
            "wd": self.wd,
            "n_models": self.n_models,
            "seed": int(check_random_state(self.random_state).randint(2**31 - 1)),
            "device": self.device,
            "progress": self.verbose,
        }
        if not side:
            pairs = _pairs(table, weights if weighted else None, batch_size)
            return collab_learner(pairs, self.n_factors, self.y_range, **options)
        numbers = [name for name in side if table[name].dtype.is_numeric()]
        texts = [name for name in side if name not in numbers]
        named: dict[str, Any] = {"cat_names": [user, item]}
        if not typed:
            named = {"cat_names": [user, item, *texts], "cont_names": numbers}
        if weighted:
            named["weights"] = free_name("weight", table.columns)
            table = table.with_columns(pl.Series(named["weights"], weights))
        data = TableData.from_df(
            table,
            rating,
            valid_pct=0.0,
            task="numbers",
            bins=self.bins,
            batch_size=batch_size,
            procs=(FillMissing, Categorify, Normalize),  # a machine is linear in its numbers
            whole_numbers="category",
            **named,
        )
        return factorisation_learner(data, self.n_factors, self.y_range, **options)


def _pairs(table: pl.DataFrame, weights: NDArray[np.float64] | None, batch_size: int) -> RatingsData:
    """Ratings to train on, of rows of user, item and rating; none is held out, and whatever is rated twice is kept."""
    user_ids, item_ids = (Categorify().fit(table[:, at]) for at in (0, 1))
    train = Ratings(
        user_ids.encode(table[:, 0]),
        item_ids.encode(table[:, 1]),
        table[:, 2].cast(pl.Float32).to_numpy(writable=True),
        weights=None if weights is None else weights.astype(np.float32),
    )
    check_batch_size(batch_size)
    nobody = np.zeros(0, dtype=np.int32)
    none = Ratings(nobody, nobody, np.zeros(0, dtype=np.float32))
    return RatingsData(train, none, user_ids, item_ids, Columns(*table.columns), batch_size=batch_size)
