"""A finished folder of lanes: what its manifest says, and its pieces, checked before they are used."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from vectable.data.io.files import expanded
from vectable.data.io.wording import first_line
from vectable.data.io.writing import write_whole
from vectable.errors import DataError, require

MANIFEST = "manifest.json"
FORMAT = "vectable lanes 1"

Group = Literal["rows", "users", "items"]
GROUPS: tuple[Group, ...] = ("rows", "users", "items")


@dataclass(frozen=True)
class Piece:
    """One Parquet file.

    Attributes:
        file: its path in the folder.
        length: its rows.
        sha256: checksum of its bytes, hexadecimal.
    """

    file: str
    length: int
    sha256: str


@dataclass(frozen=True)
class Lanes:
    """Rows of users and items as codes, in pieces on disk.

    Lane number l holds all rows of its users, in the order of the source: ``rows/l`` has the columns `user` and `item`
    (codes from 1, Int32) and what else was kept of a row. ``users/l`` and ``items/l`` hold the ids that the codes stand
    for, one piece behind the other: code 1 is the first id of the first piece. The users of a lane have consecutive
    codes.

    Attributes:
        folder: where they are.
        columns: name in the user's table of each role ("user", "item", ...), None where there is none.
        made_from: the source and the choices that these lanes were made with.
        pieces: of "rows", "users" and "items", one a lane.
        repeats: rows whose user-item pair stands in an earlier row too.
    """

    folder: Path
    columns: Mapping[str, str | None]
    made_from: Mapping[str, Any]
    pieces: Mapping[Group, list[Piece]]
    repeats: int

    def __len__(self) -> int:
        """Number of lanes."""
        return len(self.pieces["rows"])

    @property
    def n_rows(self) -> int:
        """Rows in all lanes."""
        return self.count("rows")

    @property
    def n_users(self) -> int:
        """Different users."""
        return self.count("users")

    @property
    def n_items(self) -> int:
        """Different items."""
        return self.count("items")

    def count(self, group: Group) -> int:
        """Rows of all pieces of a group."""
        return sum(piece.length for piece in self.pieces[group])

    def read(self, group: Group) -> Iterator[pl.DataFrame]:
        """The pieces of a group, one after the other.

        Raises:
            DataError: a piece is missing or not what the manifest says.
        """
        for piece in self.pieces[group]:
            yield read_piece(self.folder, piece)

    def ids(self, group: Literal["users", "items"]) -> pl.Series:
        """The id of each code from 1 on, Int64 or String, (users or items,)."""
        return pl.concat([piece["id"] for piece in self.read(group)]).alias("")

    def save(self) -> None:
        """Write the manifest, which makes the folder a finished one."""
        said = {"format": FORMAT, **{name: value for name, value in asdict(self).items() if name != "folder"}}
        text = json.dumps(said, indent=1, ensure_ascii=False)
        write_whole(self.folder / MANIFEST, lambda file: file.write(text.encode()))

    def __repr__(self) -> str:
        return (
            f"Lanes: {self.n_rows:,} rows of {self.n_users:,} users and {self.n_items:,} items "
            f"in {len(self)} lanes, {str(self.folder)!r}"
        )


def open_lanes(folder: str | Path) -> Lanes:
    """The lanes of a folder; reads its manifest alone.

    Raises:
        DataError: there are none, they are unfinished, or the manifest cannot be read.
    """
    place = expanded(folder)
    path = place / MANIFEST
    if not path.is_file():
        raise DataError(
            f"{str(folder)!r} holds no finished lanes: there is no {MANIFEST} in it. `vectable encode` makes them, and "
            "continues where it was stopped when it is started again."
        )
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["format"] != FORMAT:
            raise DataError(f"{path} is of the format {said['format']!r}; this version reads {FORMAT!r}.")
        pieces = {group: [Piece(**piece) for piece in said["pieces"][group]] for group in GROUPS}
        return Lanes(place, dict(said["columns"]), dict(said["made_from"]), pieces, int(said["repeats"]))
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror or problem}.") from None
    except (ValueError, KeyError, TypeError) as problem:
        if isinstance(problem, DataError):
            raise
        raise DataError(f"{path} is damaged: {first_line(problem)}. Encode the lanes again.") from None


def piece_of(folder: Path, file: str, length: int) -> Piece:
    """What a manifest says of a file just written."""
    return Piece(file, length, _checksum(folder / file))


def read_piece(folder: Path, piece: Piece) -> pl.DataFrame:
    """The rows of a piece.

    Raises:
        DataError: it is missing or not what the manifest says.
    """
    path = folder / piece.file
    require(folder.resolve() in path.resolve().parents, f"{folder / MANIFEST} names a file outside its folder.")
    if not path.is_file():
        raise DataError(f"{path} is missing from its lanes; encode them again.")
    if _checksum(path) != piece.sha256:
        raise DataError(f"{path} is damaged: it is not the file that {MANIFEST} lists. Encode the lanes again.")
    try:
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise DataError(f"{path} cannot be read as Parquet: {first_line(problem)}.") from None
    if len(frame) != piece.length:
        raise DataError(
            f"{path} has {len(frame):,} rows, and {MANIFEST} says {piece.length:,}. Encode the lanes again."
        )
    return frame


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror or problem}.") from None
