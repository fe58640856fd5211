"""A table of mixed columns, encoded, split and ready to train on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, count_steps
from vectable.data.encoders.bins import PiecewiseLinearBins
from vectable.data.encoders.categorify import Categorify
from vectable.data.encoders.dates import to_datetimes
from vectable.data.encoders.fill_missing import FillMissing, to_numbers
from vectable.data.encoders.kinds import Kind, kind_of
from vectable.data.encoders.normalize import Normalize
from vectable.data.encoders.recipe import Recipe
from vectable.data.io.frames import FrameKind, from_polars, to_polars
from vectable.data.io.parquet_table import BLOCK_ROWS, ParquetTable
from vectable.data.io.wording import count_of
from vectable.data.splits import random_split, time_split
from vectable.data.tables.block_rows import BlockRows
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.table_rows import TableRows
from vectable.data.tables.targets import ClassTarget, NumberTarget, Target, check_target, make_target
from vectable.errors import DataError, closest, require, require_columns, warn

if TYPE_CHECKING:
    from vectable.data.tensors import TensorSet

PROCS = (FillMissing, Categorify, Normalize)
MOST_HELD_OUT = 200_000  # rows of a Parquet table, which are kept in memory


@dataclass
class TableData:
    """Training and validation rows with their encoders; made by `from_df` or `from_file`.

    Attributes:
        train_rows, valid_rows: encoded.
        encoder: from raw columns to numbers.
        target: what is predicted.
        kinds: what each raw column was taken for, and why.
        valid_frame: the validation rows as they came, for looking at.
        kind: the kind of frame the user works with.
        batch_size: rows a step.
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
    def from_df(
        cls,
        df: Any,
        target: str | Sequence[str],
        cat_names: Sequence[str] | None = None,
        cont_names: Sequence[str] | None = None,
        date_names: Sequence[str] | None = None,
        procs: Sequence[Any] = PROCS,
        *,
        valid_pct: float = 0.2,
        seed: int = 42,
        split: str = "random",
        valid_rows: Sequence[int] | NDArray[Any] | None = None,
        target_kind: str | None = None,
        log_target: bool = False,
        bins: str | PiecewiseLinearBins | None = None,
        without: Sequence[str] = (),
        weights: str | None = None,
        class_weights: str | dict[Any, float] | None = None,
        batch_size: int = 256,
    ) -> "TableData":
        """Split and encode a table.

        Args:
            df: pandas, polars or pyarrow table.
            target: column to predict, or several columns of numbers.
            cat_names, cont_names, date_names: columns of categories, numbers and dates. With both cat_names and
                cont_names (one may be empty) only those named are used; else all columns are, and the kinds of those
                not named are found by a rule (see `summary`).
            procs: the encoders: `FillMissing`, `Categorify`, `Normalize`, as classes or as patterns with settings.
            valid_pct: share of the rows held out; may be 0.
            seed: of the random split.
            split: "random", or the name of a column (a date, a number) by which the latest rows are held out.
            valid_rows: numbers of the rows to hold out, instead of a share.
            target_kind: "classes" or "numbers"; found by the rule of columns.
            log_target: learn ``log(1 + y)``.
            bins: piecewise-linear bins for the numbers: "tree", "quantile", a pattern, or None.
            without: columns not to learn from; they stay in `valid_frame`, for looking at.
            weights: column with the weight of each row: a training row of weight w counts as w rows in the loss and
                the encoders, one of weight 0 is left out. Validation rows count alike.
            class_weights: "balanced", or the weight of each class.
            batch_size: rows a step.

        Raises:
            DataError: with the column, row and value that cannot be used, and what to do.
        """
        from vectable.data.tensors import check_batch_size

        check_batch_size(batch_size)
        frame: pl.DataFrame | ParquetTable
        kind: FrameKind
        frame, kind = (df, "polars") if isinstance(df, ParquetTable) else to_polars(df)
        targets = [target] if isinstance(target, str) else list(target)
        require_columns([*targets, *([weights] if weights else [])], frame.columns, "The table")
        if len(frame) == 0:
            raise DataError("There are no rows in the table: at least one is needed.")
        require_columns(without, frame.columns, "The table")
        kinds = _kinds(frame, {*targets, weights, *without}, cat_names, cont_names, date_names)
        _check_values(frame, kinds)
        what = make_target(frame, targets, target_kind, log_target)
        check_target(frame, targets, what.kind)

        train_at, valid_at = _split(frame, valid_pct, seed, split, valid_rows)
        train, valid = frame[train_at], frame[valid_at]
        valid = valid.collect() if isinstance(valid, ParquetTable) else valid
        counts = None if weights is None else _weights_of_rows(train, weights)
        if counts is not None:
            train, counts = train.filter(pl.Series(counts > 0)), counts[counts > 0]
        if isinstance(what, ClassTarget):
            what.fit(train)
        else:
            _tell_constant(what.fit(train, counts))
        valid = _without_unseen_classes(valid, what)
        fill, scale = _patterns(procs)
        encoder = TableEncoder({name: one.kind for name, one in kinds.items()}, Recipe(fill, scale, _bins(bins)))
        encoder.fit(train, _for_tree(what.encode(train)), counts)
        row_weights = _row_weights(train, what, counts, class_weights)
        rows = _encoded(train, encoder, what, row_weights, "the training table")
        held_out = _encoded(valid, encoder, what, None, "the validation table")
        return cls(rows, held_out, encoder, what, kinds, valid, kind, batch_size)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        target: str | Sequence[str],
        *,
        sep: str | None = None,
        has_header: bool | None = None,
        columns: Sequence[str] | None = None,
        encoding: str = "utf-8",
        **how: Any,
    ) -> "TableData":
        """Read a CSV, TSV, Parquet or Arrow file and go on as `from_df` (whose arguments may follow)."""
        from vectable.data.io.files import read_table

        return cls.from_df(
            read_table(path, sep=sep, has_header=has_header, columns=columns, encoding=encoding), target, **how
        )

    @classmethod
    def from_parquet(
        cls,
        path: str | Path | Sequence[str | Path],
        target: str | Sequence[str],
        *,
        block_rows: int = BLOCK_ROWS,
        valid_pct: float | None = None,
        **how: Any,
    ) -> "TableData":
        """Train from Parquet files that need not fit in memory; all else is as with `from_df`, the encoders to the bit.

        In memory are one column at a time, with copies, while the encoders are fitted (a hundred bytes a row at the
        peak), then the validation rows, a dozen bytes a training row, and eight encoded blocks of them, read anew in
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
        """Steps an epoch."""
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


def _kinds(
    frame: pl.DataFrame | ParquetTable,
    taken: set[str | None],
    cat_names: Sequence[str] | None,
    cont_names: Sequence[str] | None,
    date_names: Sequence[str] | None,
) -> dict[str, Kind]:
    """The kind of every column that is used: as named, or else by the rule."""
    named: dict[str, Kind] = {}
    for names, kind in ((cat_names, "category"), (cont_names, "number"), (date_names, "date")):
        require_columns(names or [], frame.columns, "The table")
        for name in names or []:
            require(
                name not in taken,
                f"Column {name!r} is the target, the weight or left out; it cannot be looked at to predict.",
            )
            require(name not in named, f"Column {name!r} is named twice.")
            named[name] = Kind(kind, "as named")
            if kind == "number":
                _check_numbers(frame[name])
    if cat_names is not None and cont_names is not None and named:
        return named
    kinds = {name: named.get(name) or kind_of(frame[name]) for name in frame.columns if name not in taken}
    left_out = {name: kind.why for name, kind in kinds.items() if kind.kind == "unusable"}
    if left_out:
        listed = "; ".join(f"{name!r} ({why})" for name, why in left_out.items())
        told = f"{count_of(len(left_out), 'column')} cannot be learned from and {'is' if len(left_out) == 1 else 'are'}"
        warn(f"{told} left out: {listed}.")
    kinds = {name: kind for name, kind in kinds.items() if kind.kind != "unusable"}
    if not kinds:
        raise DataError("The table has no column to learn from beside the target.")
    return kinds


def _check_values(frame: pl.DataFrame | ParquetTable, kinds: dict[str, Kind]) -> None:
    """Refuse text that is no date, and tell of infinite numbers, while rows still count as the user counts them."""
    infinite = {}
    for name, found in kinds.items():
        values = frame[name]
        if found.kind == "date" and values.dtype == pl.String:
            to_datetimes(values)
        elif found.kind == "number" and values.dtype.is_float() and (count := int(values.is_infinite().sum())):
            infinite[name] = count
    if infinite:
        listed = ", ".join(f"{count:,} in {name!r}" for name, count in infinite.items())
        warn(f"Infinite numbers are taken as missing: {listed}.")


def _check_numbers(values: pl.Series) -> None:
    if values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null) or values.dtype.is_temporal():
        return
    bad = pl.Series(np.isnan(to_numbers(values))) & values.is_not_null()
    if bad.any():
        row = int(bad.arg_true()[0])
        raise DataError(
            f"Column {values.name!r} is named among the numbers, and row {row + 1:,} holds {values[row]!r}; "
            "correct it, or name the column in cat_names."
        )


def _split(
    frame: pl.DataFrame | ParquetTable,
    valid_pct: float,
    seed: int,
    split: str,
    valid_rows: Sequence[int] | NDArray[Any] | None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    if valid_rows is not None:
        held_out = np.unique(np.asarray(valid_rows, dtype=np.int32))
        inside = len(held_out) == 0 or (held_out[0] >= 0 and held_out[-1] < len(frame))
        require(
            inside and len(held_out) < len(frame),
            f"valid_rows names rows beyond the table's {len(frame):,}, or all of them.",
        )
        return np.setdiff1d(np.arange(len(frame), dtype=np.int32), held_out), held_out
    if split == "random":
        return random_split(len(frame), valid_pct, seed)
    if split not in frame.columns:
        near = closest(split, frame.columns)
        raise DataError(
            f"split is {split!r}: neither 'random' nor a column{f' (did you mean {near[0]!r}?)' if near else ''}."
        )
    return time_split(frame[split].rank("dense").fill_null(0).to_numpy().astype(np.float64), valid_pct)


def _without_unseen_classes(valid: pl.DataFrame, target: Target) -> pl.DataFrame:
    if not isinstance(target, ClassTarget) or len(valid) == 0:
        return valid
    known = target.encode(valid) >= 0
    if not known.all():
        unseen = valid.filter(pl.Series(~known))[target.name].unique().to_list()
        count = int((~known).sum())
        told = f"{count_of(count, 'validation row')} {'has' if count == 1 else 'have'} a class that no training row has"
        warn(f"{told} ({', '.join(map(repr, unseen[:5]))}); they are left out.")
    return valid.filter(pl.Series(known))


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


def _weights_of_rows(train: pl.DataFrame, column: str) -> NDArray[np.float64]:
    """The weights in a column, (rows,), 0 or more."""
    rows = to_numbers(train[column])
    usable = rows >= 0
    if not usable.all() or rows.sum() == 0:
        row = int(np.argmin(usable))
        raise DataError(
            f"Column {column!r} holds the weight {train[column][row]!r}; weights are 0 or more, and not all 0."
        )
    return rows


def _tell_constant(target: NumberTarget) -> None:
    for name, low, high in zip(target.names, target.low, target.high, strict=True):
        if low == high:
            told = f"The target {name!r} is {low:g} in all training rows: there is nothing to learn from it."
            warn(told)


def _row_weights(
    train: pl.DataFrame,
    target: Target,
    counts: NDArray[np.float64] | None,
    class_weights: str | dict[Any, float] | None,
) -> NDArray[np.float32] | None:
    if counts is None and class_weights is None:
        return None
    rows = np.ones(len(train)) if counts is None else counts
    if class_weights is not None:
        if not isinstance(target, ClassTarget):
            raise DataError("class_weights needs a target of classes.")
        rows = rows * _class_weights(target, target.encode(train), rows, class_weights)
    return rows.astype(np.float32)


def _class_weights(
    target: ClassTarget, codes: NDArray[np.int64], rows: NDArray[np.float64], by_class: str | dict[Any, float]
) -> NDArray[np.float64]:
    """The weight of each row's class, (rows,): as given, or such that all classes weigh the same in the loss."""
    if by_class == "balanced":
        counts = np.bincount(codes, rows, minlength=target.n_outputs)
        return np.asarray((rows.sum() / (target.n_outputs * np.maximum(counts, 1e-12)))[codes])
    if isinstance(by_class, str):
        raise DataError(f"class_weights is {by_class!r}; it is 'balanced', or the weight of each class.")
    named = Categorify(target.classes).encode(list(by_class))
    require(
        bool((named > 0).all()), f"class_weights names a class that is not there; there are {list(target.classes)}."
    )
    table = np.ones(target.n_outputs)
    table[named - 1] = list(by_class.values())
    return table[codes]
