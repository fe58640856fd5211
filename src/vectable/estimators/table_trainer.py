"""How a table becomes a trained learner: the part that all estimators on tables share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from vectable.data.tables.table_data import TableData
from vectable.errors import UnknownNameError, did_you_mean, quote_some, require
from vectable.estimators.inputs import canonical_rows, free_name, held_out_rows, is_frame
from vectable.estimators.persistent import PersistentEstimator
from vectable.models.tabular import check_layers
from vectable.tables.tabular import TabularLearner, tabular_learner
from vectable.training.callbacks import EarlyStopping, RestoreBest

# What "auto" means: on few rows smaller batches and more epochs, so that a net takes enough steps to learn at all.
SMALLEST_BATCH, LARGEST_BATCH = 16, 256
STEPS_AN_EPOCH = 16
EPOCHS, STEPS = 10, 200


def auto_batch_size(n_rows: int, largest: int = LARGEST_BATCH) -> int:
    """Rows per step: `largest`; with fewer than 16 times as many rows a power of two for some 16 steps per epoch,
    at least 16."""
    power_of_two = 1 << (n_rows // STEPS_AN_EPOCH).bit_length() >> 1
    return min(max(power_of_two, SMALLEST_BATCH), largest)


def auto_epochs(n_steps: int, enough: int = EPOCHS) -> int:
    """Epochs: `enough`, and where they have few steps (`n_steps` each) as many as make 200 steps."""
    return max(enough, -(-STEPS // n_steps))


class TableTrainer(PersistentEstimator):
    """An estimator that trains a `TabularLearner`; what is not a parameter of it has the value that stands here."""

    layers: Sequence[int]
    dropout: float = 0.0
    emb_drop: float = 0.0
    bins: str | None = None
    n_epochs: int | str
    lr: float
    wd: float
    batch_size: int | str
    n_models: int = 1
    class_weight: str | dict[Any, float] | None = None
    categorical_features: Sequence[Any] | str = "auto"
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 2
    random_state: Any
    device: str
    verbose: bool

    def _train(
        self, X: Any, columns: pl.DataFrame, targets: pl.DataFrame, weights: NDArray[np.float64], kind: str
    ) -> TabularLearner:
        """The learner trained on the canonical form of the rows: from here on nothing depends on their order, or on
        whether they were repeated or weighted."""
        for name in ("batch_size", "n_epochs"):
            value = getattr(self, name)
            require(not isinstance(value, str) or value == "auto", f"{name} must be 'auto' or a number; got {value!r}.")
        check_layers(self.layers)
        names = self._kinds_named(X, columns)
        table, weights = canonical_rows(columns.hstack(targets), weights)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        held_out = self._held_out(table, targets.columns, kind, seed)
        if (weights != 1).any():
            names["weights"] = free_name("weight", table.columns)
            table = table.with_columns(pl.Series(names["weights"], weights))
        n_train = len(table) - len(held_out)
        batch_size = auto_batch_size(n_train) if isinstance(self.batch_size, str) else self.batch_size
        data = TableData.from_df(
            table,
            targets.columns,
            valid_rows=held_out,
            task=kind,
            class_weight=self.class_weight,
            bins=self.bins,
            batch_size=batch_size,
            **names,
        )
        if len(held_out) and "weights" in names:
            data.valid_rows = replace(data.valid_rows, weights=weights[held_out].astype(np.float32))
        learner = tabular_learner(
            data,
            self.layers,
            [self.dropout] * len(self.layers),
            self.emb_drop,
            metrics=[],
            wd=self.wd,
            n_models=self.n_models,
            seed=seed,
            device=self.device,
            progress=self.verbose,
        )
        n_epochs = auto_epochs(data.n_steps) if isinstance(self.n_epochs, str) else self.n_epochs
        callbacks = [RestoreBest(), EarlyStopping(patience=self.n_iter_no_change)] if self.early_stopping else []
        learner.fit_one_cycle(n_epochs, self.lr, callbacks)
        self.n_iter_ = learner.epochs_done
        return learner

    def _held_out(self, table: pl.DataFrame, targets: list[str], kind: str, seed: int) -> NDArray[np.int64]:
        """Numbers of the rows by which early stopping judges; none without it."""
        if not self.early_stopping:
            return np.zeros(0, dtype=np.int64)
        share = self.validation_fraction
        require(0 < share < 1, f"validation_fraction must be a share of the rows in (0, 1); got {share!r}.")
        classes = table[targets[0]].rank("dense").to_numpy() if kind == "classes" else np.zeros(len(table))
        rows = held_out_rows(classes, share, seed)
        few = f"{len(table):,} different rows are too few to hold {share:g} of them out"
        require(len(rows) > 0, f"{few}; leave out early_stopping, or hold more out with validation_fraction.")
        return rows

    def _kinds_named(self, X: Any, columns: pl.DataFrame) -> dict[str, Any]:
        """What is set for the kinds of columns, as arguments of `TableData.from_df`: nothing where the rule decides."""
        if isinstance(self.categorical_features, str):
            known = "categorical_features must be 'auto', or names or numbers of columns"
            require(self.categorical_features == "auto", f"{known}; got {self.categorical_features!r}.")
            return {} if is_frame(X) else {"cat_names": [], "cont_names": columns.columns}
        categories = [_column(name, columns.columns) for name in self.categorical_features]
        numbers = [one.name for one in columns if one.dtype.is_numeric() and one.name not in categories]
        dates = [one.name for one in columns if one.dtype.is_temporal() and one.name not in categories]
        taken = {*categories, *numbers, *dates}
        rest = [name for name in columns.columns if name not in taken]
        return {"cat_names": [*categories, *rest], "cont_names": numbers, "date_names": dates}


def _column(named: Any, columns: list[str]) -> str:
    """The column of that name or number."""
    if named in columns:
        return str(named)
    if isinstance(named, int | np.integer) and not isinstance(named, bool) and 0 <= named < len(columns):
        return columns[int(named)]
    raise UnknownNameError(
        f"categorical_features names {named!r}, and X has no such column.{did_you_mean(named, columns)} "
        f"Its columns are {quote_some(columns, 20)}."
    )
