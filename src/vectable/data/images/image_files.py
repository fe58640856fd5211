"""Which photographs there are, and of what class: a folder that has a folder a class, or a table with a row each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.frames import as_text
from vectable.errors import DataError, quote_some, require_columns, warn

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
# looked at as pictures; whether they are is for the decoder to say
HELD_OUT = {"true": True, "1": True, "valid": True, "val": True, "validation": True,
            "false": False, "0": False, "train": False, "training": False}  # fmt: skip


@dataclass(frozen=True)
class ImageFiles:
    """Photographs with their classes.

    Attributes:
        paths: of the files, in the order of their names, or of the table's rows.
        labels: number of each file's class, as long as `paths`.
        classes: names, sorted.
        passed_over: files in class folders whose name is no picture's.
    """

    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    passed_over: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, rows: NDArray[np.integer]) -> "ImageFiles":
        """Some of them, of the same classes."""
        at = rows.tolist()
        return ImageFiles(tuple(self.paths[one] for one in at), tuple(self.labels[one] for one in at), self.classes)


def list_images(folder: str | Path, classes: tuple[str, ...] | None = None) -> ImageFiles:
    """The photographs below `folder`, which has a folder a class; deeper folders belong to the class above them.

    Args:
        folder: holds the class folders. Hidden files and folders do not count.
        classes: the names to expect, as those of the training folder for the validation folder; by default all found.

    Raises:
        DataError: no such folder, no class in it, a class that training does not have, or no photographs at all.

    Warns:
        VectableWarning: a class with one photograph or none, and files that are passed over, by name.
    """
    top = Path(folder)
    if not top.is_dir():
        raise DataError(f"There is no folder {str(top)!r}.")
    found = sorted(one.name for one in top.iterdir() if one.is_dir() and not one.name.startswith("."))
    if not found:
        loose = sum(one.suffix.lower() in SUFFIXES for one in top.iterdir())
        what = f"{loose} pictures, but no folder" if loose else "no folder"
        raise DataError(f"{str(top)!r} holds {what} a class: put the pictures of each class into a folder of its name.")
    names = classes or tuple(found)
    strange = [name for name in found if name not in names]
    if strange:
        raise DataError(f"{str(top)!r} holds the classes {quote_some(strange)}, which training lacks.")
    paths: list[Path] = []
    labels: list[int] = []
    passed_over: list[Path] = []
    for label, name in enumerate(names):
        inside = [one for one in sorted((top / name).rglob("*")) if one.is_file() and not _hidden(one, top)]
        pictures = [one for one in inside if one.suffix.lower() in SUFFIXES]
        passed_over += [one for one in inside if one.suffix.lower() not in SUFFIXES]
        paths += pictures
        labels += [label] * len(pictures)
    _tell_small_classes(labels, names, repr(str(top)))
    if passed_over:
        told = quote_some([str(one.relative_to(top)) for one in passed_over])
        warn(f"{len(passed_over)} files are passed over, being no pictures: {told}.")
    if not paths:
        raise DataError(f"{str(top)!r} holds no pictures; known are files ending in {', '.join(sorted(SUFFIXES))}.")
    return ImageFiles(tuple(paths), tuple(labels), names, tuple(passed_over))


def files_of_table(frame: pl.DataFrame, folder: Path, file: str, label: str, suffix: str = "") -> ImageFiles:
    """The photographs that a table names, a row each.

    Args:
        folder: where relative names begin.
        file, label: columns with the file's name and its class.
        suffix: added to every name.

    Raises:
        DataError: no such column, no rows, or a row without a name or class.

    Warns:
        VectableWarning: a class with one photograph.
    """
    require_columns([file, label], frame.columns, "The table")
    if len(frame) == 0:
        raise DataError("The table of photographs has no rows.")
    texts = {name: as_text(frame[name]).str.strip_chars() for name in (file, label)}
    for name, values in texts.items():
        gone = values.is_null() | (values == "")
        if gone.any():
            raise DataError(f"Row {int(gone.arg_true()[0]) + 1:,} of the table has nothing in the column {name!r}.")
    classes = _in_order(frame[label])
    numbers = {name: at for at, name in enumerate(classes)}
    labels = [numbers[name] for name in texts[label]]
    _tell_small_classes(labels, classes, "the table")
    return ImageFiles(tuple(folder / f"{name}{suffix}" for name in texts[file]), tuple(labels), classes)


def held_out_rows(frame: pl.DataFrame, column: str) -> NDArray[np.bool_]:
    """Whether each row validates, (rows,), by a column of truths, of 0 and 1, or of "train" and "valid"."""
    require_columns([column], frame.columns, "The table")
    texts = as_text(frame[column]).str.strip_chars().str.to_lowercase().to_list()
    for at, text in enumerate(texts):
        if text not in HELD_OUT:
            raise DataError(
                f"Row {at + 1:,} of the table has {frame[column][at]!r} in {column!r}, which marks what validates: "
                "true or false, 1 or 0, 'valid' or 'train'."
            )
    return np.array([HELD_OUT[text] for text in texts], dtype=np.bool_)


def _in_order(labels: pl.Series) -> tuple[str, ...]:
    """The names of classes, sorted; numbers by their size."""
    if labels.dtype.is_numeric():
        return tuple(as_text(labels.unique().sort()))
    return tuple(as_text(labels).str.strip_chars().unique().sort())


def _tell_small_classes(labels: Sequence[int], classes: Sequence[str], where: str) -> None:
    counts = np.bincount(np.asarray(labels, dtype=np.int64), minlength=len(classes))
    small = [name for name, count in zip(classes, counts, strict=True) if count < 2]
    if len(small) > 3:
        told = f"{len(small)} of {len(classes)} classes in {where} have one picture or none"
        warn(f"{told}; they cannot be learned from that: {quote_some(small)}.")
        return
    for name, count in zip(classes, counts, strict=True):
        if count < 2:
            told = f"The class {name!r} in {where} has {'one picture' if count else 'no picture'}"
            warn(f"{told}; it cannot be learned from that.")


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)
