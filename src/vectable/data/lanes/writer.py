"""Making lanes on disk in bounded memory: blocks of rows are scattered by user, then each lane is encoded by itself.

Every step ends in a file that is written whole or not at all, so a run that was killed continues from the files that
are there. Nothing depends on where blocks begin, so the same rows in the same order give the same bytes.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from vectable.data.io.writing import write_whole
from vectable.data.lanes.buckets import buckets_of
from vectable.data.lanes.lanes import GROUPS, MANIFEST, Group, Lanes, Piece, open_lanes, piece_of
from vectable.data.pair_columns import count_repeats
from vectable.errors import DataError

SCRATCH = "unfinished"
PLAN = "plan.json"
MOST_CODES = 2**31 - 2  # codes are 32-bit integers from 1


class LaneWriter:
    """Scatters blocks, then makes the lanes of them.

    Args:
        folder: where the lanes go; made where it is not there.
        n_lanes: how many.
        columns: as in `Lanes`.
        made_from: JSON values that must be the same for an unfinished run to be continued.

    Attributes:
        finished: the lanes, where an earlier run has made the same to the end.

    Raises:
        DataError: the folder holds something else.
    """

    def __init__(
        self, folder: Path, n_lanes: int, columns: Mapping[str, str | None], made_from: Mapping[str, Any]
    ) -> None:
        self.folder, self.n_lanes, self.columns, self.made_from = folder, n_lanes, columns, made_from
        self._scratch = folder / SCRATCH
        self.finished = self._earlier()
        if self.finished is None:
            for place in (self._scratch / "rows", self._scratch / "items", *(folder / group for group in GROUPS)):
                _make(place)
            _write_json(self._scratch / PLAN, made_from)

    def has(self, block: int) -> bool:
        """Whether a block is scattered already."""
        return self._block("rows", block).is_file()

    def scatter(self, block: int, rows: pl.DataFrame) -> None:
        """Keep the rows of a block, sorted by the lane of their user.

        Args:
            rows: with the columns `user` and `item`, Int64 or String, none missing; all others are carried along.
        """
        items = rows.select(id=pl.col("item").unique())
        self._write_block("items", block, _by_bucket(items, "id", self.n_lanes))
        self._write_block("rows", block, _by_bucket(rows, "user", self.n_lanes))  # last: has() looks for it

    def finish(self, n_blocks: int) -> Lanes:
        """Make the lanes of all blocks, and remove what was in between."""
        rows, items = (_Scattered([self._block(what, at) for at in range(n_blocks)], self.n_lanes) for what in BLOCKS)
        for lane in range(self.n_lanes):
            self._write("users", lane, partial(_vocabulary, rows, lane, "user"))
            self._write("items", lane, partial(_vocabulary, items, lane, "id"))
        item_ids = pl.concat([self._read("items", lane) for lane in range(self.n_lanes)])["id"]
        first_user = repeats = 0
        for lane in range(self.n_lanes):
            user_ids = self._read("users", lane)["id"]
            self._write("rows", lane, partial(_encoded, rows, lane, user_ids, first_user, item_ids))
            repeats += count_repeats(self._read("rows", lane))
            first_user += len(user_ids)
            _check_count(max(first_user, len(item_ids)))
        pieces = {group: [self._piece(group, lane) for lane in range(self.n_lanes)] for group in GROUPS}
        lanes = Lanes(self.folder, self.columns, self.made_from, pieces, repeats)
        lanes.save()
        self._clear()
        return lanes

    def _earlier(self) -> Lanes | None:
        """What an earlier run left: finished lanes of the same source, or None where there is something to do."""
        plan = self._scratch / PLAN
        if (self.folder / MANIFEST).is_file():
            lanes = open_lanes(self.folder)
            if lanes.made_from != self.made_from:
                raise DataError(f"{self.folder} holds lanes of another source or made otherwise; name another folder.")
            self._clear()
            return lanes
        if plan.is_file():
            if json.loads(plan.read_text(encoding="utf-8")) != self.made_from:
                raise DataError(
                    f"{self.folder} holds unfinished lanes of another source or made otherwise (or the source has "
                    "changed since); remove the folder to begin again, or name another."
                )
        elif self.folder.exists() and not self.folder.is_dir():
            raise DataError(f"{self.folder} is a file; name a folder for the lanes.")
        elif self.folder.is_dir() and {one.name for one in self.folder.iterdir()} - {SCRATCH, *GROUPS}:
            raise DataError(f"{self.folder} holds other things; name a new folder for the lanes.")
        return None

    def _clear(self) -> None:
        """Remove what was in between."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _block(self, what: str, block: int) -> Path:
        return self._scratch / what / f"{block:06}.arrow"

    def _write_block(self, what: str, block: int, frame: pl.DataFrame) -> None:
        write_whole(self._block(what, block), lambda file: frame.write_ipc(file, compression="uncompressed"))

    def _write(self, group: Group, lane: int, make: Callable[[], pl.DataFrame]) -> None:
        path = self.folder / _name(group, lane)
        if not path.is_file():
            frame = make().rechunk()  # so that the bytes do not depend on the blocks
            write_whole(path, lambda file: frame.write_parquet(file, compression="zstd"))

    def _read(self, group: Group, lane: int) -> pl.DataFrame:
        return pl.read_parquet(self.folder / _name(group, lane), glob=False)

    def _piece(self, group: Group, lane: int) -> Piece:
        file = _name(group, lane)
        length = pl.scan_parquet(self.folder / file, glob=False).select(pl.len()).collect().item()
        return piece_of(self.folder, file, length)


BLOCKS = ("rows", "items")


class _Scattered:
    """Blocks on disk, each sorted by bucket, read bucket by bucket."""

    def __init__(self, files: list[Path], n_buckets: int) -> None:
        self._files = files
        self._edges = [
            np.searchsorted(pl.scan_ipc(file).select("bucket").collect()["bucket"].to_numpy(), np.arange(n_buckets + 1))
            for file in files
        ]

    def take(self, bucket: int, *columns: str) -> pl.DataFrame:
        """The rows of a bucket, in the order of the blocks, with some columns or all."""
        parts = []
        for file, edges in zip(self._files, self._edges, strict=True):
            first, last = int(edges[bucket]), int(edges[bucket + 1])
            rows = pl.scan_ipc(file).slice(first, last - first)
            parts.append((rows.select(columns) if columns else rows).collect())
        return pl.concat(parts)


def _by_bucket(frame: pl.DataFrame, name: str, count: int) -> pl.DataFrame:
    """The rows sorted by the bucket of an id, in their order within a bucket, with the column `bucket`."""
    buckets = buckets_of(frame[name], count)
    order = np.argsort(buckets, kind="stable")
    return frame[order].with_columns(bucket=pl.Series(buckets[order], dtype=pl.Int64))


def _vocabulary(scattered: _Scattered, bucket: int, name: str) -> pl.DataFrame:
    """The different ids of a bucket, sorted."""
    return pl.DataFrame({"id": scattered.take(bucket, name)[name].unique().sort()})


def _encoded(rows: _Scattered, lane: int, user_ids: pl.Series, first_user: int, item_ids: pl.Series) -> pl.DataFrame:
    """The rows of a lane with codes in the place of ids."""
    frame = rows.take(lane).drop("bucket")
    return frame.with_columns(_codes(frame["user"], user_ids, first_user), _codes(frame["item"], item_ids, 0))


def _codes(values: pl.Series, ids: pl.Series, before: int) -> pl.Series:
    """The place of each value among the ids, counted from `before` + 1."""
    places = pl.arange(before + 1, before + len(ids) + 1, dtype=pl.Int32, eager=True)
    return values.replace_strict(ids, places, return_dtype=pl.Int32)


def _check_count(count: int) -> None:
    if count > MOST_CODES:
        raise DataError(f"There are more than {MOST_CODES:,} users or items, and codes of 32 bits end there.")


def _name(group: Group, lane: int) -> str:
    return f"{group}/{lane:05}.parquet"


def _make(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise DataError(f"The folder {place} cannot be made: {problem.strerror or problem}.") from None


def _write_json(path: Path, value: Any) -> None:
    write_whole(path, lambda file: file.write(json.dumps(value, ensure_ascii=False).encode()))
