"""Tables for scikit-learn: a net on any mix of categories, numbers and dates, as a classifier and as a regressor."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from vectable.data.io.frames import to_series
from vectable.estimators.inputs import (
    ARRAY,
    check_classes,
    free_name,
    take_columns,
    take_numbers,
    take_target,
    take_weights,
)
from vectable.estimators.table_trainer import TableTrainer
from vectable.tables.defaults import LAYERS, N_MODELS


class TabularEstimator(TableTrainer):
    """What `TabularClassifier` and `TabularRegressor` share; their parameters are described there."""

    def __init__(
        self,
        *,
        layers: Sequence[int] = LAYERS,
        dropout: float = 0.0,
        emb_drop: float = 0.0,
        bins: str | None = "tree",
        n_epochs: int | str = "auto",
        lr: float | str = "auto",
        wd: float | str = "auto",
        batch_size: int | str = "auto",
        n_models: int = N_MODELS,
        categorical_features: Sequence[Any] | str = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 2,
        random_state: Any = None,
        device: str = "cpu",
        verbose: bool = False,
    ) -> None:
        self.layers = layers
        self.dropout = dropout
        self.emb_drop = emb_drop
        self.bins = bins
        self.n_epochs = n_epochs
        self.lr = lr
        self.wd = wd
        self.batch_size = batch_size
        self.n_models = n_models
        self.categorical_features = categorical_features
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _outputs(self, X: Any) -> NDArray[Any]:
        """What the net says of checked rows, (rows, outputs) float64."""
        check_is_fitted(self)
        return np.asarray(self.learner_.outputs(take_columns(self, X, reset=False, **ARRAY), double=True))


class TabularClassifier(ClassifierMixin, TabularEstimator):
    """Classes from tables: embeddings for categories, piecewise-linear bins for numbers, layers, softmax.

    X is a pandas, polars or pyarrow table of any columns, or an array of numbers, (rows, columns); missing values are
    welcome. Of a table, text is categories and few whole numbers are categories and numbers at once (see
    `vectable.TableData`); of an array all columns are numbers, unless named.

    Weights of rows mean what repeating them means, to the last digit: both are brought to one form first, and what is
    learned depends on nothing else.

    Args:
        layers: width of each hidden layer.
        dropout: after each of them.
        emb_drop: dropout on the embeddings.
        bins: of the numbers: "tree" (where a decision tree for the target splits), "quantile", or None.
        n_epochs: passes over the rows; "auto": of three lengths the best on held-out rows. With fewer than 100
            different rows 200 steps, with 50,000 or more 12 epochs.
        lr: the highest learning rate of the cycle; "auto": 0.01, and from 5,000 rows on 0.004.
        wd: weight decay; "auto": 1 to 10, chosen along with the length, the more the fewer steps; and from 5,000 rows
            on 0.3.
        batch_size: rows per step; "auto": 256, and with fewer than 4,096 rows less, at least 16.
        n_models: number of nets from different seeds, averaged at prediction time.
        class_weight: "balanced", or the weight of each class in the loss.
        categorical_features: names or numbers of the columns of categories; other numbers are then numbers. "auto"
            leaves it to the rule.
        early_stopping: stop when a held-out share of the rows gets no better, and keep the best epoch.
        validation_fraction: that share.
        n_iter_no_change: epochs without improvement after which to stop.
        random_state: a number for the same result every time, bit for bit; or a `numpy.random.RandomState`.
        device: "cpu", "cuda", ...
        verbose: whether to show how training goes.

    Attributes:
        classes_: the classes, in the order of `predict_proba`, (classes,).
        learner_: the `vectable.TabularLearner`: feature importance, embeddings, maps, drift, confusion matrix.
        n_iter_: epochs trained.
        n_features_in_: columns of X.
        feature_names_in_: their names, where X was a table.

    Examples:
        >>> import vectable as vt
        >>> census = vt.datasets.load("adult")
        >>> few = census.train.head(300)
        >>> x, y = few.drop("salary"), few["salary"].to_numpy()
        >>> model = vt.TabularClassifier(n_epochs=1, n_models=1, random_state=0).fit(x, y)
        >>> model.predict_proba(x.head(2)).shape
        (2, 2)
    """

    def __init__(
        self,
        *,
        layers: Sequence[int] = LAYERS,
        dropout: float = 0.0,
        emb_drop: float = 0.0,
        bins: str | None = "tree",
        n_epochs: int | str = "auto",
        lr: float | str = "auto",
        wd: float | str = "auto",
        batch_size: int | str = "auto",
        n_models: int = N_MODELS,
        class_weight: str | dict[Any, float] | None = None,
        categorical_features: Sequence[Any] | str = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 2,
        random_state: Any = None,
        device: str = "cpu",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            layers=layers,
            dropout=dropout,
            emb_drop=emb_drop,
            bins=bins,
            n_epochs=n_epochs,
            lr=lr,
            wd=wd,
            batch_size=batch_size,
            n_models=n_models,
            categorical_features=categorical_features,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            random_state=random_state,
            device=device,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows `X` with classes `y`, (rows,), each counted `sample_weight` times, (rows,) or None."""
        columns = take_columns(self, X, reset=True, **ARRAY)
        classes = take_target(self, y)
        check_classes(classes)
        check_consistent_length(X, classes)
        weights = take_weights(sample_weight, X)
        target = to_series(classes, free_name("target", columns.columns))
        self.learner_ = self._train(X, columns, target.to_frame(), weights, "classes")
        known = np.unique(classes[weights > 0])
        self.classes_ = known[np.argsort(self.learner_.data.target.numbers_of(to_series(known)))]
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row, (rows,)."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of the rows whose class is predicted; classes are compared by value, whatever their type."""
        return float(np.average(self.predict(X) == column_or_1d(y, warn=True), weights=sample_weight))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class, (rows, classes)."""
        return self._outputs(X)


class TabularRegressor(RegressorMixin, TabularEstimator):
    """Numbers from tables: embeddings for categories, piecewise-linear bins for numbers, layers, squared error.

    Up to 1,000 rows of numbers alone, the nets learn what a ridge regression leaves.

    Args and attributes as of `TabularClassifier`, but for the classes. With `n_models` nets, their mean predicts.

    Examples:
        >>> import vectable as vt
        >>> census = vt.datasets.load("adult")
        >>> few = census.train.head(300)
        >>> x, y = few.drop("age"), few["age"].to_numpy()
        >>> model = vt.TabularRegressor(n_epochs=1, n_models=1, random_state=0).fit(x, y)
        >>> model.predict(x.head(2)).shape
        (2,)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows `X` with numbers `y`, (rows,) or (rows, numbers), each counted `sample_weight` times."""
        columns = take_columns(self, X, reset=True, **ARRAY)
        numbers = take_numbers(self, y)
        check_consistent_length(X, numbers)
        weights = take_weights(sample_weight, X)
        targets: dict[str, NDArray[np.float64]] = {}
        for values in numbers.reshape(len(numbers), -1).T:
            targets[free_name("target", [*columns.columns, *targets])] = values
        self.learner_ = self._train(X, columns, pl.DataFrame(targets), weights, "numbers")
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The number, or numbers, of each row, (rows,) or (rows, numbers)."""
        outputs = self._outputs(X)
        return np.asarray(self.learner_.data.target.decode(outputs))
