"""How a table becomes a trained learner: the part that all estimators on tables share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.category_column import has_missing
from vectable.data.encoders.fill_missing import FillMissing
from vectable.data.encoders.normalize import Normalize
from vectable.data.tables.table_data import SQUASH, TableData
from vectable.errors import UnknownNameError, did_you_mean, quote_some, require
from vectable.estimators.choosing import LINEAR_BELOW, USUAL, Plan, choose, parts_held_out, plans_for
from vectable.estimators.inputs import canonical_rows, free_name, held_out_rows, is_frame
from vectable.estimators.persistent import PersistentEstimator
from vectable.models.tabular import check_layers
from vectable.tables.defaults import STEPS, batch_size_for
from vectable.tables.tabular import TabularLearner, tabular_learner
from vectable.training.callbacks import EarlyStopping, RestoreBest

EPOCHS = 10  # of an estimator that does not choose
FAR = 10.0  # standard deviations that numbers never leave beside a ridge regression, which squashed ones would bend


class TableTrainer(PersistentEstimator):
    """An estimator that trains a `TabularLearner`; what is not a parameter of it has the value that stands here."""

    chooses: ClassVar[bool] = True  # how it trains where that is not named; else for `EPOCHS` and at least 200 steps
    layers: Sequence[int]
    dropout: float = 0.0
    emb_drop: float = 0.0
    bins: str | None = None
    n_epochs: int | str
    lr: float | str
    wd: float | str
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
        for name in ("batch_size", "n_epochs", "lr", "wd"):
            value = getattr(self, name)
            require(not isinstance(value, str) or value == "auto", f"{name} must be 'auto' or a number; got {value!r}.")
        check_layers(self.layers)
        names = self._kinds_named(X, columns)
        table, weights = canonical_rows(columns.hstack(targets), weights)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        rows = _Rows(self, table, weights, targets.columns, kind, names)
        held_out = self._held_out(rows, seed)
        n_rows = len(table) - len(held_out)
        linear = self.chooses and kind == "numbers" and n_rows < LINEAR_BELOW and rows.all_numbers
        plan = self._plan(rows, n_rows, linear, seed)
        learner = self._learner(rows.data(held_out, linear), plan, linear, seed, self.n_models)
        n_epochs = plan.n_epochs(learner.data.n_steps) if isinstance(self.n_epochs, str) else self.n_epochs
        callbacks = [RestoreBest(), EarlyStopping(patience=self.n_iter_no_change)] if self.early_stopping else []
        learner.fit_one_cycle(n_epochs, plan.lr, callbacks)
        self.n_iter_ = learner.epochs_done
        return learner

    def _plan(self, rows: "_Rows", n_rows: int, linear: bool, seed: int) -> Plan:
        """How the net trains: what is named, and what is not as is best on held-out rows."""
        named = {name: getattr(self, name) for name in ("lr", "wd") if not isinstance(getattr(self, name), str)}
        if not self.chooses:
            return replace(Plan(STEPS, EPOCHS, 0.0, 0.0), **named)
        plans: Sequence[Plan] = plans_for(n_rows, linear)
        if self.early_stopping or not isinstance(self.n_epochs, str):
            plans = (USUAL,)
        plans = list(dict.fromkeys(replace(plan, **named) for plan in plans))

        def train(held_out: NDArray[np.int64]) -> Callable[[Plan], TabularLearner]:
            data = rows.data(held_out, linear)

            def by(plan: Plan) -> TabularLearner:
                learner = self._learner(data, plan, linear, seed, 1)
                learner.fit_one_cycle(plan.n_epochs(data.n_steps), plan.lr)
                return learner

            return by

        return choose(plans, parts_held_out(rows.groups, seed) if len(plans) > 1 else [], train)

    def _learner(self, data: TableData, plan: Plan, linear: bool, seed: int, n_models: int) -> TabularLearner:
        return tabular_learner(
            data,
            self.layers,
            [self.dropout] * len(self.layers),
            self.emb_drop,
            metrics=[],
            wd=plan.wd,
            linear=linear,
            n_models=n_models,
            seed=seed,
            device=self.device,
            progress=self.verbose,
        )

    def _held_out(self, rows: "_Rows", seed: int) -> NDArray[np.int64]:
        """Numbers of the rows by which early stopping judges; none without it."""
        if not self.early_stopping:
            return np.zeros(0, dtype=np.int64)
        share = self.validation_fraction
        require(0 < share < 1, f"validation_fraction must be a share of the rows in (0, 1); got {share!r}.")
        found = held_out_rows(rows.groups, share, seed)
        few = f"{len(rows.table):,} different rows are too few to hold {share:g} of them out"
        require(len(found) > 0, f"{few}; leave out early_stopping, or hold more out with validation_fraction.")
        return found

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


@dataclass(frozen=True)
class _Rows:
    """The canonical rows of a table, and how the estimator makes a `TableData` of them.

    Attributes:
        table: columns and targets.
        weights: (rows,).
        targets: names of their columns.
        kind: "classes" or "numbers".
        names: what is named of the kinds of columns.
    """

    trainer: TableTrainer
    table: pl.DataFrame
    weights: NDArray[np.float64]
    targets: list[str]
    kind: str
    names: dict[str, Any]

    @property
    def groups(self) -> NDArray[np.int64]:
        """The class of each row, (rows,); 0 for numbers."""
        if self.kind == "numbers":
            return np.zeros(len(self.table), dtype=np.int64)
        return self.table[self.targets[0]].rank("dense").cast(pl.Int64).to_numpy()

    @property
    def all_numbers(self) -> bool:
        """Whether every column is taken for a number without doubt."""
        columns = self.table.drop(self.targets)
        if self.names.get("cat_names") == []:
            return all(one.dtype.is_numeric() and not has_missing(one) for one in columns)
        return not self.names and all(one.dtype.is_float() and not has_missing(one) for one in columns)

    def data(self, held_out: NDArray[np.int64], linear: bool) -> TableData:
        """The rows encoded, some of them held out."""
        trainer, table, names = self.trainer, self.table, dict(self.names)
        weighted = bool((self.weights != 1).any())
        if weighted:
            names["weights"] = free_name("weight", table.columns)
            table = table.with_columns(pl.Series(names["weights"], self.weights))
        automatic = isinstance(trainer.batch_size, str)
        batch_size: Any = batch_size_for(len(table) - len(held_out)) if automatic else trainer.batch_size
        data = TableData.from_df(
            table,
            self.targets,
            procs=(FillMissing, Categorify, Normalize(squash=FAR if linear else SQUASH)),
            valid_rows=held_out,
            task=self.kind,
            class_weight=trainer.class_weight,
            bins=trainer.bins,
            batch_size=batch_size,
            **names,
        )
        if len(held_out) and weighted:
            data.valid_rows = replace(data.valid_rows, weights=self.weights[held_out].astype(np.float32))
        return data


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
