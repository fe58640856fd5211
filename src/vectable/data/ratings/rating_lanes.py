"""Ratings in lanes: Parquet files of any size to codes on disk, and lanes back to training and validation ratings."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify, as_ids
from vectable.data.interactions.interaction_columns import InteractionColumns, find_interaction_columns
from vectable.data.io.files import expanded
from vectable.data.io.frames import as_text
from vectable.data.io.parquet_table import ParquetTable, common_schema, parquet_files
from vectable.data.lanes.lanes import Lanes, open_lanes
from vectable.data.lanes.writer import LaneWriter
from vectable.data.pair_columns import as_floats, shown_value, to_times, without_missing_ids
from vectable.data.ratings.encoded_ratings import Ratings
from vectable.data.ratings.rating_columns import Columns, find_columns
from vectable.data.splits import check_share
from vectable.errors import DataError, is_whole, require, warn

BLOCK_ROWS = 1 << 21  # rows in memory at a time, some 40 bytes each
MOST_LANES = 10_000
LOOKED_AT = 10_000  # rows that decide which column is which
MOST_ROWS = 2**31 - 1  # rows of an epoch's order, which has 32 bits a row


def encode_lanes(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    lanes: int = 64,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    *,
    timestamp: str | None = None,
    missing_ids: Literal["error", "drop"] = "error",
    interactions: bool = False,
    count: str | None = None,
    block_rows: int = BLOCK_ROWS,
    report: Callable[[str], None] = lambda message: None,
) -> Lanes:
    """Encode ratings that need not fit in memory: ids to codes, rows bucketed by user into Parquet pieces.

    In memory are a block of the source, then one lane with the ids of its users and of all items. On disk it needs, for
    as long as it runs, about 40 bytes a row (more where ids are long texts) beside the result. A run that was killed is
    continued when the same call is made again, and ends in the same bytes. The codes depend on the ids and the number
    of lanes alone.

    Args:
        source: a Parquet file, a folder of them, a pattern (``ratings/*.parquet``), or several files.
        out: a new folder, or that of an unfinished run.
        lanes: how many; the more, the less memory each needs.
        user, item, rating: columns, found as in `RatingsData.from_df` where they are not named.
        timestamp: column with the time of the rating, carried along.
        missing_ids: rows without user or item: "error" or "drop".
        interactions: whether a row says that a user met an item, and has no rating, for `InteractionsData.from_lanes`.
        count: of interactions, the column with how often or how much; 1 a row by default.
        block_rows: rows of the source in memory at a time.
        report: called with a sentence when something takes longer than one would expect.

    Raises:
        DataError: a row that cannot be used, with its file; a folder that holds something else.

    Warns:
        VectableWarning: pairs that are rated more than once, which are all kept.

    Examples:
        >>> import vectable as vt
        >>> vt.datasets.load("movietweetings").ratings.write_parquet("ratings.parquet")
        >>> _ = vt.encode_lanes("ratings.parquet", "lanes", lanes=4)
        >>> vt.RatingsData.from_lanes("lanes").n_users > 1000
        True
    """
    require(is_whole(lanes, 1) and lanes <= MOST_LANES, f"lanes is a number from 1 to {MOST_LANES:,}; got {lanes!r}.")
    require(is_whole(block_rows, 1), f"block_rows must be a positive integer; got {block_rows!r}.")
    files = parquet_files(source)
    schema = common_schema(files)
    first = next((rows for _, table in _blocks(files, LOOKED_AT) if len(rows := table())), pl.DataFrame(schema=schema))
    if len(first) == 0:
        raise DataError(f"There are no rows in {source}: at least one rating is needed.")
    require(interactions or count is None, "count= is a column of interactions: say interactions=True.")
    require(not interactions or rating is None, "rating= names a column of ratings, and these are interactions.")
    columns: Columns | InteractionColumns
    if interactions:
        given = {"user": user, "item": item, "count": count, "title": None, "timestamp": timestamp}
        columns = find_interaction_columns(first, given)
    else:
        columns = find_columns(first, user, item, rating, None, timestamp)
    about = {
        "files": [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in files],
        "columns": columns.to_json(),
        "lanes": int(lanes),
        "block_rows": int(block_rows),
        "missing_ids": missing_ids,
        "polars": pl.__version__,
    }
    writer = LaneWriter(expanded(out), int(lanes), columns.to_json(), about)
    if writer.finished is not None:
        return writer.finished
    n_blocks = 0
    for where, read in _blocks(files, block_rows, columns):
        if not writer.has(n_blocks):
            report(f"Reading {where}.")
            writer.scatter(n_blocks, _checked(read(), columns, missing_ids, where))
        n_blocks += 1
    report(f"Writing {lanes} lanes.")
    made = writer.finish(n_blocks)
    if made.repeats and not interactions:
        warn(
            f"{made.repeats:,} of the {made.n_rows:,} rows rate a user-item pair that another row rates too; all kept."
        )
    return made


def read_lanes(
    folder: str | Path, valid_pct: float, seed: int
) -> tuple[Ratings, Ratings, Categorify, Categorify, Columns]:
    """Training and validation ratings of all lanes, their vocabularies of what the training rows show, and columns.

    Raises:
        DataError: a piece is missing or damaged; more rows than an epoch can have.
    """
    lanes = open_lanes(folder)
    if lanes.n_rows > MOST_ROWS:
        raise DataError(
            f"{folder} has {lanes.n_rows:,} rows; {MOST_ROWS:,} is the most that one process takes whole: let "
            "it read them in windows, window=8, or start several processes with torchrun."
        )
    if "rating" not in lanes.columns:
        raise DataError(f"{folder} holds lanes of interactions: InteractionsData.from_lanes takes them.")
    names: dict[str, Any] = dict(lanes.columns)
    columns = Columns(**names)
    whole = _all_rows(lanes)
    starts = np.concatenate([[0], np.cumsum([piece.length for piece in lanes.pieces["rows"]])]).astype(np.int64)
    held_out = np.concatenate([held_out_of_lane(starts, lane, valid_pct, seed) for lane in range(len(lanes))])
    vocabularies = {}
    for name, ids in (("user", lanes.ids("users")), ("item", lanes.ids("items"))):
        shown = np.zeros(len(ids) + 1, dtype=np.bool_)
        shown[whole[name][~held_out]] = True
        smaller = np.where(shown, np.cumsum(shown), 0).astype(np.int32)
        whole[name] = smaller[whole[name]]
        vocabularies[name] = Categorify(ids.filter(pl.Series(shown[1:])))
    train, valid = (Ratings(**{name: values[part] for name, values in whole.items()}) for part in (~held_out, held_out))
    return train, valid, vocabularies["user"], vocabularies["item"], columns


def training_rows(lengths: NDArray[np.int64], valid_pct: float) -> NDArray[np.int64]:
    """How many rows of each lane train, (lanes,); all but ``int(rows * valid_pct)`` in all.

    Args:
        lengths: rows of each lane, (lanes,).
    """
    check_share(valid_pct)
    held_out_until = np.concatenate([[0], np.cumsum(lengths) * valid_pct]).astype(np.int64)
    return np.asarray(lengths - (held_out_until[1:] - held_out_until[:-1]))


def held_out_of_lane(starts: NDArray[np.int64], lane: int, valid_pct: float, seed: int) -> NDArray[np.bool_]:
    """Which rows of a lane validate, (rows,): as many as `training_rows` leaves, drawn by the seed and the lane alone.

    Args:
        starts: where each lane's rows begin, and the last ones end, (lanes + 1,).
    """
    require(is_whole(seed, 0), f"seed must be a non-negative integer; got {seed!r}.")
    length = int(starts[lane + 1] - starts[lane])
    chosen = length - int(training_rows(np.diff(starts), valid_pct)[lane])
    held_out = np.zeros(length, dtype=np.bool_)
    held_out[np.random.default_rng([seed, lane]).permutation(length)[:chosen]] = True
    return held_out


def _all_rows(lanes: Lanes) -> dict[str, NDArray[Any]]:
    """The columns of all lanes, one behind the other, each (rows,)."""
    whole: dict[str, NDArray[Any]] = {}
    done = 0
    for piece in lanes.read("rows"):
        for column in piece:
            if column.name not in whole:
                whole[column.name] = np.empty(lanes.n_rows, dtype=column.to_numpy().dtype)
            whole[column.name][done : done + len(piece)] = column.to_numpy()
        done += len(piece)
    return whole


def _blocks(
    files: Sequence[Path], block_rows: int, columns: Columns | InteractionColumns | None = None
) -> Iterator[tuple[str, Callable[[], pl.DataFrame]]]:
    """What to call each block in a sentence, and how to read it; some columns of it, or all."""
    wanted = None if columns is None else [name for name in columns.to_json().values() if name is not None]
    for file in files:
        table = ParquetTable(file, block_rows)
        for number in range(len(table.starts) - 1):
            where = f"block {number + 1} of {file} (from row {int(table.starts[number]) + 1:,})"
            yield where, partial(table.block, number, wanted)


def _checked(
    frame: pl.DataFrame,
    columns: Columns | InteractionColumns,
    missing_ids: Literal["error", "drop"],
    where: str,
) -> pl.DataFrame:
    """The columns `user` and `item` (Int64 or String), `rating` (Float32) and, where named, `time` (Float64).

    Of interactions `rating` is their count.

    Raises:
        DataError: for the first row that cannot be used.
    """
    what, named = ("rating", columns.rating) if isinstance(columns, Columns) else ("count", columns.count)
    if named is None:
        stars = pl.repeat(1.0, len(frame), dtype=pl.Float32, eager=True)
    else:
        stars = as_floats(frame[named], pl.Float32)
    bad = ~stars.is_finite().fill_null(False)
    if named is not None and bool(bad.any()):
        row = int(bad.arg_true()[0])
        raise DataError(
            f"The {what} in row {row + 1:,} of {where} (column {named!r}) is {shown_value(frame[named], row)}; "
            f"correct it, or name the right column with {what}=."
        )
    taken = {
        "user": _ids(frame[columns.user], where),
        "item": _ids(frame[columns.item], where),
        "rating": stars,
    }
    if columns.timestamp is not None:
        taken["time"] = to_times(frame[columns.timestamp], columns.timestamp, where)
    rows = pl.DataFrame([values.alias(name) for name, values in taken.items()])
    return without_missing_ids(rows, columns, missing_ids, where)


def _ids(values: pl.Series, where: str) -> pl.Series:
    """Ids as Int64 or String: of one type for all blocks, whatever a block's values are."""
    if not values.dtype.is_numeric():
        return as_text(values)
    ids = as_ids(values)
    if ids.dtype != pl.Int64:
        raise DataError(
            f"Column {values.name!r} of {where} holds ids that are no whole numbers of 64 bits; write them as text."
        )
    return ids
