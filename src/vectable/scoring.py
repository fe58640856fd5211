"""Whole tables scored by a saved model, whatever its kind: the columns that predicting adds, or lists for users."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from vectable.data.io.files import expanded
from vectable.data.io.frames import to_polars
from vectable.data.io.parquet_table import ParquetTable, parquet_files
from vectable.data.io.writing import write_whole
from vectable.data.tables.targets import ClassTarget
from vectable.errors import DataError, VectableError, require, require_columns
from vectable.loading import load_learner

if TYPE_CHECKING:
    from vectable.interactions.learner import InteractionLearner
    from vectable.tables.tabular import TabularLearner

BLOCK_ROWS = 100_000  # scored at a time


@dataclass(frozen=True)
class Scorer:
    """A saved model and what becomes of a table's columns.

    It travels to other processes as the model's address alone; each loads the model when it scores its first rows.

    Args:
        model: the folder, or an address.
        columns: the model's name of a column -> its name in the tables, for those that are called otherwise.
        keep: columns that stand beside the predictions; None for all.
        n: items of a list.
        raw: leave predicted ratings beyond the scale as they are.
    """

    model: str
    columns: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] | None = None
    n: int = 10
    raw: bool = False

    def check(self, names: list[str]) -> None:
        """Raise a `DataError` for a table without a column that was named, or with one whose name is given away."""
        require_columns([*self.columns.values(), *(self.keep or ())], names, "The table")
        moved = set(self.columns.values())
        for ours, theirs in self.columns.items():
            if ours != theirs and ours in names and ours not in moved:
                raise DataError(f"The table has a column {ours!r}, and its name is given to {theirs!r}: leave it out.")

    def score(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The scored rows of a table; a row's figures depend on no other row."""
        scored = score_frame(self._learner, rows.rename(self._ours), self.n, raw=self.raw)
        scored = scored.rename({ours: theirs for ours, theirs in self.columns.items() if ours in scored.columns})
        kept = rows.columns if self.keep is None else self.keep
        return scored.drop([name for name in rows.columns if name in scored.columns and name not in kept])

    @property
    def _ours(self) -> dict[str, str]:
        return {theirs: ours for ours, theirs in self.columns.items()}

    @cached_property
    def _learner(self) -> Any:
        return load_learner(self.model, progress=False)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_learner"}


def score_frame(learn: Any, rows: pl.DataFrame, n: int = 10, *, raw: bool = False) -> pl.DataFrame:
    """The rows with what a learner says of each; for a model of interactions a row per user and item of its list.

    Of ratings `prediction` is added, of tables `prediction` (or one for each number) and each class's `probability of`.

    Args:
        learn: as `load_learner` gives it, for ratings, interactions or tables.
        rows: with the columns that the model was trained on, of interactions with that of the users.
        n: items of a list.
        raw: leave predicted ratings beyond the scale as they are.

    Raises:
        DataError: a column is missing, or has the name of one that would be added.
        VectableError: another kind of model.
    """
    from vectable.interactions.learner import InteractionLearner
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner
    from vectable.tables.tabular import TabularLearner

    if isinstance(learn, InteractionLearner):
        return _lists(learn, rows, n)
    if isinstance(learn, CollabLearner | BayesLearner):
        added = pl.DataFrame({"prediction": np.asarray(learn.predict(rows, raw=raw), dtype=np.float32)})
    elif isinstance(learn, TabularLearner):
        added = table_predictions(learn, rows)
    else:
        raise VectableError(f"{type(learn).__name__} scores no tables: models of ratings, interactions and tables do.")
    taken = [name for name in added.columns if name in rows.columns]
    if taken:
        raise DataError(f"The table has a column {taken[0]!r} already: rename it, so that it is not lost.")
    return rows.hstack(added)


def table_predictions(learn: "TabularLearner", rows: pl.DataFrame) -> pl.DataFrame:
    """The columns that predicting adds to the rows of a table."""
    outputs, target = learn.outputs(rows), learn.data.target
    decoded = target.decode(outputs)
    if isinstance(target, ClassTarget):
        shares = {f"probability of {name}": outputs[:, at] for at, name in enumerate(target.labels)}
        return pl.DataFrame({"prediction": decoded, **shares})
    if len(target.names) == 1:
        return pl.DataFrame({"prediction": decoded})
    columns = np.asarray(decoded).T
    return pl.DataFrame({f"prediction of {name}": one for name, one in zip(target.names, columns, strict=True)})


def score_files(
    model: str | Path,
    source: str | Path,
    out: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    keep: Iterable[str] | None = None,
    n: int = 10,
) -> Path:
    """Score Parquet files of any size in this process, a block of rows at a time, into as many files as blocks.

    Args:
        model: the folder of a saved model, or an address.
        source: a file, a folder of files, or a pattern.
        out: a folder that does not exist.
        columns, keep, n: as of `Scorer`.

    Raises:
        DataError: files that are not there or lack a column; `out` exists.
    """
    scorer = Scorer(str(model), columns or {}, None if keep is None else tuple(keep), n)
    folder = expanded(out)
    require(not folder.exists(), f"{out} exists already; name another folder.")
    files = parquet_files(source)
    folder.mkdir(parents=True)
    number = 0
    for file in files:
        table = ParquetTable(file, BLOCK_ROWS)
        for block in range(len(table.starts) - 1):
            rows = table.block(block)
            scorer.check(rows.columns)
            write_whole(folder / f"part-{number:05}.parquet", scorer.score(rows).write_parquet)
            number += 1
    return folder


def _lists(learn: "InteractionLearner", rows: pl.DataFrame, n: int) -> pl.DataFrame:
    name = learn.data.columns.user
    require_columns([name], rows.columns, "The table")
    lists, _ = to_polars(learn.recommend_many(rows[name], n))
    return lists.with_columns(pl.col(name).cast(rows[name].dtype))  # also where no name is given
