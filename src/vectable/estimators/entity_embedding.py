"""Categories as vectors for any other model: the embeddings of a net that predicted the target (Guo & Berkhahn 2016,
arXiv 1604.06737)."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, clone
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_feature_names_in, check_consistent_length, check_is_fitted

from vectable.data.encoders.kinds import MOST_DIFFERENT
from vectable.data.io.frames import to_series
from vectable.deprecation import renamed_arguments
from vectable.errors import require
from vectable.estimators.inputs import free_name, take_columns, take_numbers, take_target, take_weights
from vectable.estimators.table_trainer import TableTrainer
from vectable.tables.defaults import WEIGHT_DECAY
from vectable.tables.tabular import TabularLearner

ANYTHING = {"dtype": None, "ensure_all_finite": "allow-nan"}
TASKS = ("auto", "classes", "numbers")
Tables = list[NDArray[np.float64]]


class EntityEmbeddingEncoder(TransformerMixin, TableTrainer):
    """Replaces each category by the vector that a net learned for it while it predicted the target.

    Every column of X, a table or an array of numbers or texts, (rows, columns), is a column of categories; choose them
    with `sklearn.compose.ColumnTransformer`. Missing values have a vector of their own, and so has what training never
    showed. The numbers in a vector are small: before a model with a penalty on its weights, scale them
    (`sklearn.preprocessing.StandardScaler`).

    The vectors know the targets they were trained on. Where a model is trained on them with the same rows, rare
    categories tell it the answer, as every encoding by the target does. With `cv`, `fit_transform` (and with it a
    pipeline's `fit`) gives each row the vectors of a net that never saw its target: one net is trained without each
    fold, and its vectors, which live in a rotation of their own, are turned and shifted onto those of the net of all
    rows (Procrustes). Then, as with `sklearn.preprocessing.TargetEncoder`, ``fit_transform(X, y)`` is not
    ``fit(X, y).transform(X)``; `transform` is for rows that were not trained on.

    Args:
        cv: folds of `fit_transform`: a number, a splitter, or pairs of row numbers; None for no folds.
        task: whether the target is "classes" or "numbers"; or "auto": fractions and more than 20 whole numbers are
            numbers.
        layers: width of each hidden layer of the net.
        emb_drop: dropout on the embeddings.
        n_epochs, lr, wd, batch_size: of its training, as for `TabularClassifier`.
        random_state: a number for the same result every time; or a `numpy.random.RandomState`.
        device: "cpu", "cuda", ...
        verbose: whether to show how training goes.

    Attributes:
        learner_: the `vectable.TabularLearner` of all rows: embeddings, maps.
        n_iter_: epochs it was trained.
        n_features_in_: columns of X.
        feature_names_in_: their names, where X was a table.

    Examples:
        >>> import vectable as vt
        >>> census = vt.datasets.load("adult")
        >>> few = census.train.head(500).select("workclass", "sex")
        >>> encoder = vt.EntityEmbeddingEncoder(cv=2, n_epochs=1, random_state=0)
        >>> encoder.fit_transform(few, census.train["salary"].head(500).to_numpy()).shape[0]
        500
    """

    @renamed_arguments(target_kind="task")
    def __init__(
        self,
        *,
        cv: Any = None,
        task: str = "auto",
        layers: Sequence[int] = (200, 100),
        emb_drop: float = 0.0,
        n_epochs: int | str = "auto",
        lr: float = 3e-3,
        wd: float = WEIGHT_DECAY,
        batch_size: int | str = "auto",
        random_state: Any = None,
        device: str = "cpu",
        verbose: bool = False,
    ) -> None:
        self.cv = cv
        self.task = task
        self.layers = layers
        self.emb_drop = emb_drop
        self.n_epochs = n_epochs
        self.lr = lr
        self.wd = wd
        self.batch_size = batch_size
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    chooses: ClassVar[bool] = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the net on rows `X` with targets `y`, (rows,), each counted `sample_weight` times, (rows,) or None."""
        columns = take_columns(self, X, reset=True, **ANYTHING)
        kind, targets = self._targets(y, columns)
        check_consistent_length(X, targets)
        self.learner_ = self._train(X, columns, targets, take_weights(sample_weight, X), kind)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """The vectors of each row's categories side by side, (rows, sum of widths)."""
        check_is_fitted(self)
        return look_up(self.learner_, take_columns(self, X, reset=False, **ANYTHING), tables_of(self.learner_))

    def fit_transform(self, X: Any, y: Any, sample_weight: Any = None) -> NDArray[np.float64]:
        """Fit, and transform the same rows; with `cv`, each by a net that never saw its target."""
        self.fit(X, y, sample_weight)
        columns = take_columns(self, X, reset=False, **ANYTHING)
        tables = tables_of(self.learner_)
        if self.cv is None:
            return look_up(self.learner_, columns, tables)
        weights = take_weights(sample_weight, X)
        vectors = np.empty((len(columns), sum(table.shape[1] for table in tables)))
        targets = take_target(self, y)
        for train, held_out in self._folds(targets):
            fold = clone(self).fit(columns[train], targets[train], weights[train])
            vectors[held_out] = look_up(
                fold.learner_, columns[held_out], self._aligned(fold, columns[train], weights[train])
            )
        return vectors

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns that come out: of the category's column, "_" and a number from 0."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        widths = [table.shape[1] for table in tables_of(self.learner_)]
        out = [f"{name}_{at}" for name, width in zip(names, widths, strict=True) for at in range(width)]
        return np.array(out, dtype=object)

    # ---------------------------------------------------------------- inside

    def _targets(self, y: Any, columns: pl.DataFrame) -> tuple[str, pl.DataFrame]:
        """Whether the targets are "classes" or "numbers", and their column."""
        known = f"task must be one of {list(TASKS)}; got {self.task!r}."
        require(self.task in TASKS, known)
        values, kind = take_target(self, y), self.task
        if kind == "auto":
            many = values.dtype.kind in "iuf" and len(np.unique(values)) > MOST_DIFFERENT
            kind = "numbers" if many or type_of_target(values) == "continuous" else "classes"
        values = take_numbers(self, values) if kind == "numbers" else values
        return kind, to_series(values, free_name("target", columns.columns)).to_frame()

    def _kinds_named(self, X: Any, columns: pl.DataFrame) -> dict[str, Any]:
        return {"cat_names": columns.columns, "cont_names": []}

    def _folds(self, targets: NDArray[Any]) -> Any:
        """Pairs of row numbers: to train on, and held out."""
        rows = np.zeros(len(targets))
        if not isinstance(self.cv, int):
            return check_cv(self.cv).split(rows, targets)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        splitter = StratifiedKFold if self.learner_.data.target.kind == "classes" else KFold
        return splitter(self.cv, shuffle=True, random_state=seed).split(rows, targets)

    def _aligned(self, fold: "EntityEmbeddingEncoder", columns: pl.DataFrame, weights: NDArray[np.float64]) -> Tables:
        """A fold's vectors in the space of all rows' net, each column by the rows that the fold was trained on."""
        mine, its = (one.learner_.data.encoder.encode(columns)[0] for one in (self, fold))
        return [
            align(table, table[its[:, at]], whole[mine[:, at]], weights)
            for at, (table, whole) in enumerate(zip(tables_of(fold.learner_), tables_of(self.learner_), strict=True))
        ]


def tables_of(learner: TabularLearner) -> Tables:
    """The vectors of each column, by code, (codes, width) float64; unknown first, missing last."""
    return [table.weight.detach().cpu().numpy().astype(np.float64) for table in learner.model.embeddings]


def look_up(learner: TabularLearner, columns: pl.DataFrame, tables: Tables) -> NDArray[np.float64]:
    """The vectors of each row's categories side by side, (rows, sum of widths)."""
    codes = learner.data.encoder.encode(columns)[0]
    return np.concatenate([table[codes[:, at]] for at, table in enumerate(tables)], axis=1)


def align(
    vectors: NDArray[np.float64],
    source: NDArray[np.float64],
    goal: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """`vectors`, (vectors, width), turned and shifted as brings `source` nearest to `goal`, both (rows, width or more).

    Procrustes with a rotation or reflection, and no scaling: ``goal - mean`` is nearest to ``(source - mean) R`` for
    ``R = U V'`` with ``U S V'`` of ``(source - mean)' W (goal - mean)`` (Schoenemann 1966, doi 10.1007/BF02289451).

    Args:
        weights: of the rows, (rows,).
    """
    share = weights / weights.sum()
    middle, goal_middle = share @ source, share @ goal
    left, _, right = np.linalg.svd((source - middle).T @ ((goal - goal_middle) * share[:, None]), full_matrices=False)
    return np.asarray((vectors - middle) @ (left @ right) + goal_middle)
