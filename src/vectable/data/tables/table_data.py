"""A table of mixed columns, encoded, split and ready to train on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, count_steps
from vectable.data.encoders.bins import PiecewiseLinearBins
from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.fill_missing import FillMissing
from vectable.data.encoders.kinds import WHOLE_NUMBERS, Kind
from vectable.data.encoders.normalize import Normalize
from vectable.data.encoders.recipe import Recipe
from vectable.data.encoders.text_options import TextOptions
from vectable.data.io.frames import FrameKind, from_polars, to_polars
from vectable.data.io.parquet_table import BLOCK_ROWS, ParquetTable
from vectable.data.tables.block_rows import BlockRows
from vectable.data.tables.column_kinds import check_values, kinds_of_columns, name_list, warn_of_readings
from vectable.data.tables.row_weights import ClassWeight, loss_weights, weights_in
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.table_rows import TableRows
from vectable.data.tables.table_splits import split_rows, without_unseen_classes
from vectable.data.tables.targets import ClassTarget, NumberTarget, Target, check_target, make_target, with_targets
from vectable.deprecation import renamed_arguments
from vectable.errors import DataError, require, require_columns, warn

if TYPE_CHECKING:
    from vectable.data.tensors import TensorSet

SQUASH = 3.0  # standard deviations that numbers never leave
PROCS = (FillMissing, Categorify, Normalize(squash=SQUASH))
MOST_HELD_OUT = 200_000  # rows of a Parquet table, which are kept in memory


@dataclass  # noqa: PLR0904 - the reason stands below
class TableData:
    """Training and validation rows with their encoders; made by `from_df`, `from_file`, `from_sql` or `from_parquet`.

    Of its methods, four make one, all but the first of a few lines; the others are what the learner and users ask for.

    Attributes:
        train_rows, valid_rows: encoded.
        encoder: from raw columns to numbers.
        target: what is predicted.
        kinds: what each raw column was taken for, and why.
        valid_frame: the validation rows as they came, for looking at.
        kind: the kind of frame the user works with.
        batch_size: rows per step.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> columns = {"age": [23.5, 41.0] * 10, "city": ["Rome", "Oslo"] * 10, "pay": ["low", "high"] * 10}
        >>> people = pl.DataFrame(columns)
        >>> data = vt.TableData.from_df(people, target="pay")
        >>> {name: column.kind for name, column in data.kinds.items()}
        {'age': 'number', 'city': 'category'}
    """

    train_rows: TableRows | BlockRows
    valid_rows: TableRows
    encoder: TableEncoder
    target: Target
    kinds: dict[str, Kind]
    valid_frame: pl.DataFrame
    kind: FrameKind = "polars"
    batch_size: int = 256

    @classmethod
    @renamed_arguments(target_kind="task", class_weights="class_weight")
    def from_df(
        cls,
        df: Any,
        target: Any,
        cat_names: Sequence[Any] | None = None,
        cont_names: Sequence[Any] | None = None,
        date_names: Sequence[Any] | None = None,
        procs: Sequence[Any] = PROCS,
        *,
        valid_pct: float = 0.2,
        seed: int = 42,
        split: Any = "random",
        valid_rows: Sequence[int] | NDArray[Any] | None = None,
        task: str | None = None,
        log_target: bool = False,
        bins: str | PiecewiseLinearBins | None = None,
        without: Sequence[Any] = (),
        weights: Any = None,
        class_weight: ClassWeight = None,
        missing_target: Literal["error", "drop"] = "error",
        decimal: str = "auto",
        dates: str = "auto",
        bad_dates: Literal["error", "missing"] = "error",
        whole_numbers: Literal["both", "category"] = "both",
        batch_size: int = 256,
    ) -> "TableData":
        """Split and encode a table.

        Columns are named by text, or as pandas names them; a name that is a number is taken for its text.

        Args:
            df: pandas, polars or pyarrow table.
            target: column to predict, or several columns of numbers.
            cat_names, cont_names, date_names: columns of categories, numbers and dates. With both cat_names and
                cont_names (one may be empty) only those named are used; else all columns are, and the kinds of those
                not named are found by a rule (see `summary`).
            procs: the encoders: `FillMissing`, `Categorify`, `Normalize`, as classes or as patterns with settings. By
                default numbers are squashed, ``Normalize(squash=3)``; the lesson's is the plain `Normalize`.
            valid_pct: share of the rows held out; may be 0.
            seed: of the random split.
            split: "random", or the name of a column (a date, a number) by which the latest rows are held out.
            valid_rows: numbers of the rows to hold out, instead of a share.
            task: whether the target is "classes" or "numbers"; by default the rule of columns decides.
            log_target: learn ``log(1 + y)``.
            bins: piecewise-linear bins for the numbers: "tree", "quantile", a pattern, or None.
            without: columns not to learn from; they stay in `valid_frame`, for looking at.
            weights: column with the weight of each row: a training row of weight w counts as w rows in the loss and
                the encoders, one of weight 0 is left out. Validation rows count alike.
            class_weight: "balanced", or the weight of each class in the loss.
            missing_target: what to do with rows without a target: "error" or "drop".
            decimal: decimal sign of numbers that are written as text: ".", "," or "auto" to see it from the values.
            dates: order of dates that are written as text: "day first", "month first", a `strptime` format, or "auto"
                to see it from the values. What was seen is a warning; rows to predict are read in the same way.
            bad_dates: what becomes of text in a column of dates that is none: "error" or "missing".
            whole_numbers: what the rule makes of a column of few different whole numbers. "both": of 3 to 20, or up to
                64 where each stands in 20 rows in the mean, an ordinal, which is a category and a number at once.
                "category": up to 20 a category, beyond that a number. Named columns are what they are named.
            batch_size: rows per step.

        Raises:
            DataError: with the column, row and value that cannot be used, and what to do.
        """
        from vectable.data.tensors import check_batch_size

        check_batch_size(batch_size)
        require(missing_target in ("error", "drop"), f"missing_target is {missing_target!r}; use 'error' or 'drop'.")
        frame: pl.DataFrame | ParquetTable
        kind: FrameKind
        frame, kind = (df, "polars") if isinstance(df, ParquetTable) else to_polars(df)
        require(
            whole_numbers in WHOLE_NUMBERS,
            f"whole_numbers must be one of {list(WHOLE_NUMBERS)}; got {whole_numbers!r}.",
        )
        options = TextOptions(decimal, dates, bad_dates)
        targets, unused = name_list(target), name_list(without)
        weight = None if weights is None else str(weights)
        require_columns([*targets, *([] if weight is None else [weight]), *unused], frame.columns, "The table")
        if len(frame) == 0:
            raise DataError("There are no rows in the table: at least one is needed.")
        named = {"category": cat_names, "number": cont_names, "date": date_names}
        taken = {*targets, *unused, *([] if weight is None else [weight])}
        kinds = kinds_of_columns(
            frame,
            taken,
            {one: None if names is None else name_list(names) for one, names in named.items()},
            options,
            whole_numbers,
        )
        check_values(frame, kinds)
        warn_of_readings(kinds, options)
        if missing_target == "drop":
            frame, valid_rows = with_targets(frame, targets, valid_rows)
        what = make_target(frame, targets, task, log_target, options)
        check_target(frame, what)

        train_at, valid_at = split_rows(frame, valid_pct, seed, str(split), valid_rows, options)
        train, valid = frame[train_at], frame[valid_at]
        valid = valid.collect() if isinstance(valid, ParquetTable) else valid
        counts = None if weight is None else weights_in(train, weight)
        if counts is not None:
            train, counts = train.filter(pl.Series(counts > 0)), counts[counts > 0]
        if isinstance(what, ClassTarget):
            what.fit(train)
        else:
            _warn_of_constants(what.fit(train, counts))
        valid = without_unseen_classes(valid, what)
        fill, scale = _patterns(procs)
        encoder = TableEncoder(kinds, Recipe(fill, scale, _bins(bins)))
        encoder.fit(train, _for_tree(what.encode(train)), counts)
        rows = _encoded(train, encoder, what, loss_weights(train, what, counts, class_weight), "the training table")
        held_out = _encoded(valid, encoder, what, None, "the validation table")
        return cls(rows, held_out, encoder, what, kinds, valid, kind, batch_size)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        target: Any,
        *,
        sep: str | None = None,
        has_header: bool | None = None,
        columns: Sequence[str] | None = None,
        encoding: str = "utf-8",
        decimal: str = "auto",
        **how: Any,
    ) -> "TableData":
        """Read a CSV, TSV, Parquet or Arrow file and continue as `from_df` (whose arguments may follow)."""
        from vectable.data.io.files import read_table

        table = read_table(path, sep=sep, has_header=has_header, columns=columns, encoding=encoding, decimal=decimal)
        return cls.from_df(table, target, decimal=decimal, **how)

    @classmethod
    def from_sql(cls, address: str, query: str, target: Any, **how: Any) -> "TableData":
        """Read what a query to a database gives, streamed as Arrow, and continue as `from_df`.

        Args:
            address: ``postgresql://user@host:port/database`` or ``sqlite:///file.db``; a password stands in it or in
                PGPASSWORD, and is never printed or saved. Needs ``pip install 'vectable[sql]'``.
            query: one SELECT.
            target: column to predict, or several columns of numbers.
            how: further arguments of `from_df`.

        Raises:
            DataError: the database cannot be reached, or refuses the query, or gives no rows.
        """
        from vectable.data.io.sql import read_sql

        return cls.from_df(read_sql(address, query), target, **how)

    @classmethod
    def from_parquet(
        cls,
        path: str | Path | Sequence[str | Path],
        target: Any,
        *,
        block_rows: int = BLOCK_ROWS,
        valid_pct: float | None = None,
        **how: Any,
    ) -> "TableData":
        """Train from Parquet files that need not fit in memory; all else is as with `from_df`.

        The torch engine trains from blocks; with ``engine="torch"`` the results of both are the same, bit for bit.

        In memory are one column at a time, with copies, while the encoders are fitted (a hundred bytes per row at the
        peak), then the validation rows, a dozen bytes per training row, and eight encoded blocks of them, read again in
        every epoch. Blocks come in random order, and the rows of
        eight in one random order; a table of no more than eight blocks is shuffled whole and read once.

        Args:
            path: a file, a folder of ``.parquet`` files, a pattern (``days/*.parquet``), or several files.
            target: column to predict, or several columns of numbers.
            block_rows: rows read at a time.
            valid_pct: share of the rows held out; by default a fifth, but at most 200,000 rows.
            how: further arguments of `from_df`.

        Raises:
            DataError: a file is not there, is no Parquet, or has other columns than the first.
        """
        table = ParquetTable(path, block_rows)
        share = min(0.2, MOST_HELD_OUT / max(len(table), 1)) if valid_pct is None else valid_pct
        return cls.from_df(table, target, valid_pct=share, **how)

    # ---------------------------------------------------------------- what the Learner asks for

    @property
    def train(self) -> "TensorSet":
        """Training rows as tensors.

        Raises:
            DataError: there are none: the model was loaded, and trained from Parquet files.
        """
        if len(self.train_rows) == 0:
            raise DataError(
                "The rows that this model was trained on stayed in their Parquet files; to train on, hand them in: "
                "learn.data = TableData.from_parquet(...)."
            )
        return self.train_rows.tensors()

    @property
    def valid(self) -> "TensorSet":
        """Validation rows as tensors; may have none."""
        return self.valid_rows.tensors()

    @property
    def n_steps(self) -> int:
        """Steps per epoch."""
        return count_steps(len(self.train_rows), self.batch_size)

    def in_own_units(self, predicted: NDArray[Any], target: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Predicted and encoded numbers, (rows,) or (rows, numbers), in the units of the table; classes as they are."""
        if isinstance(self.target, ClassTarget):
            return predicted, target
        return self.target.decode(predicted), self.target.decode(target)

    def plan(self, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch."""
        return self.train_rows.plan(self.batch_size, rng)

    # ---------------------------------------------------------------- what users ask for

    def to_native(self, frame: pl.DataFrame) -> Any:
        """Hand a result back as the kind of frame the user works with."""
        return from_polars(frame, self.kind)

    def decode(self, rows: TableRows) -> pl.DataFrame:
        """Encoded rows as a table again, the target among it."""
        target = rows.target
        if isinstance(self.target, ClassTarget):
            columns = [self.target.classes.gather(target).alias(self.target.name)]
        else:
            values = self.target.decode(target).reshape(len(target), -1)
            columns = [pl.Series(name, values[:, at]) for at, name in enumerate(self.target.names)]
        return self.encoder.decode(rows.categories, rows.numbers).hstack(columns)

    def summary(self) -> Any:
        """What each column was taken for, why, and how many categories or what range training showed."""
        rows = []
        for name, found in self.kinds.items():
            about = self.encoder.columns[name].summary()
            rows.append({"column": name, "kind": found.kind, "why": found.why, "training": about})
        classes = isinstance(self.target, ClassTarget)
        about = f"{self.target.n_outputs} {'classes' if classes else 'number(s)'}"
        rows.append({"column": self.target.name, "kind": "target", "why": self.target.kind, "training": about})
        return self.to_native(pl.DataFrame(rows))

    def __repr__(self) -> str:
        return (
            f"TableData: {len(self.train_rows):,} training and {len(self.valid_rows):,} validation rows, "
            f"{len(self.encoder.categories)} categories, {len(self.encoder.numbers)} numbers, "
            f"target {self.target.name!r} "
            f"({self.target.n_outputs} {self.target.kind}), batches of {self.batch_size}"
        )


def _patterns(procs: Sequence[Any]) -> tuple[FillMissing | None, Normalize | None]:
    """The patterns of filling and normalising among `procs`; categories are always encoded."""
    made = [proc() if isinstance(proc, type) else proc for proc in procs]
    for one in made:
        require(
            isinstance(one, FillMissing | Normalize | Categorify),
            f"procs holds {one!r}; it takes FillMissing, Categorify, Normalize.",
        )
    fill = next((one for one in made if isinstance(one, FillMissing)), None)
    scale = next((one for one in made if isinstance(one, Normalize)), None)
    return fill, scale


def _bins(bins: str | PiecewiseLinearBins | None) -> PiecewiseLinearBins | None:
    return PiecewiseLinearBins(bins) if isinstance(bins, str) else bins


def _encoded(
    frame: pl.DataFrame | ParquetTable,
    encoder: TableEncoder,
    target: Target,
    weights: NDArray[np.float32] | None,
    where: str,
) -> Any:
    """The rows of a frame encoded, or of a Parquet table encoded when they are asked for."""
    if isinstance(frame, ParquetTable):
        return BlockRows(frame, encoder, target.encode(frame), weights)
    codes, numbers, _ = encoder.encode(frame, where)
    return TableRows(codes, numbers, target.encode(frame), weights)


def _for_tree(target: NDArray[Any]) -> NDArray[Any]:
    """One target column for the trees that place bins: the first of several."""
    return target if target.ndim == 1 else target[:, 0]


def _warn_of_constants(target: NumberTarget) -> None:
    for name, low, high in zip(target.names, target.low, target.high, strict=True):
        if low == high:
            warn(f"The target {name!r} is {low:g} in all training rows: there is nothing to learn from it.")
