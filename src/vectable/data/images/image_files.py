"""Which images there are, and of what class: a folder that has a folder per class, or a table with a row for each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.io.frames import as_text, is_unicode
from vectable.errors import DataError, quote_some, require_columns, warn

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
# taken for images; whether they are is for the decoder to say
HELD_OUT = {"true": True, "1": True, "valid": True, "val": True, "validation": True,
            "false": False, "0": False, "train": False, "training": False}  # fmt: skip


@dataclass(frozen=True)
class ImageFiles:
    """Image files with their classes.

    Attributes:
        paths: of the files, in the order of their names, or of the table's rows.
        labels: number of each file's class, as long as `paths`.
        classes: names, sorted.
        passed_over: files in class folders whose name is not that of an image.
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
    """The images below `folder`, which has a folder per class; deeper folders belong to the class above them.

    Args:
        folder: holds the class folders. Hidden files and folders do not count, and neither do folders without images.
        classes: the names to expect, as those of the training folder for the validation folder; by default all found.

    Raises:
        DataError: no such folder, or one that may not be read; no class in it, a class that training does not have, or
            no images at all.

    Warns:
        VectableWarning: a class with a single image, folders without images, and files that are passed over, by name.
    """
    top = Path(folder)
    if not top.is_dir():
        raise DataError(f"There is no folder {str(top)!r}.")
    inside = {name: _files_below(top / name) for name in _folders_in(top)}
    images = {name: [one for one in files if _is_image(one)] for name, files in inside.items()}
    found = [name for name, files in images.items() if files]
    names = classes or tuple(found)
    if strange := [name for name in found if name not in names]:
        raise DataError(f"{str(top)!r} holds the classes {quote_some(strange)}, which training lacks.")
    if bare := [name for name in images if name not in found and name not in (classes or ())]:
        warn(f"Folders without images are not classes: {quote_some(bare)} in {str(top)!r} are passed over.")
    if not found:
        raise DataError(f"{str(top)!r} holds no images; known are files ending in {', '.join(sorted(SUFFIXES))}.")
    paths = [path for name in names for path in images.get(name, [])]
    labels = [label for label, name in enumerate(names) for _ in images.get(name, [])]
    if classes is None:
        _warn_of_small_classes(labels, names, repr(str(top)))
    passed_over = [one for name in found for one in inside[name] if not _is_image(one)]
    if passed_over:
        listed = quote_some([str(one.relative_to(top)) for one in passed_over])
        warn(f"{len(passed_over)} files are passed over, since they are not images: {listed}.")
    return ImageFiles(tuple(paths), tuple(labels), names, tuple(passed_over))


def _folders_in(top: Path) -> list[str]:
    """The names of the folders that may be classes, sorted."""
    try:
        found = sorted(one.name for one in top.iterdir() if one.is_dir() and not one.name.startswith("."))
        loose = 0 if found else sum(one.suffix.lower() in SUFFIXES for one in top.iterdir())
    except OSError as problem:
        raise DataError(f"The folder {str(top)!r} cannot be read: {problem.strerror}.") from None
    if not found:
        what = f"{loose} images, but no folder" if loose else "no folder"
        raise DataError(
            f"{str(top)!r} holds {what} for any class: put the images of each class into a folder of its name."
        )
    for name in found:
        if not is_unicode(name):
            raise DataError(f"The name of the folder {name!r} in {str(top)!r} is not valid UTF-8; rename it.")
    return found


def _files_below(folder: Path) -> list[Path]:
    """The files below a class folder that are not hidden, sorted; those whose names are not UTF-8 are left out."""

    def refuse(problem: OSError) -> None:
        raise DataError(f"The folder {str(problem.filename)!r} cannot be read: {problem.strerror}.")

    found: list[Path] = []
    for where, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        listed = [Path(where, name) for name in files if not name.startswith(".")]
        found += [one for one in listed if os.path.isfile(one)]  # not a pipe, nor a link to nowhere
    odd = [one for one in found if not is_unicode(str(one))]
    if odd:
        names = quote_some(one.name for one in odd)
        warn(f"{len(odd)} files are passed over, since their names are not valid UTF-8: {names}.")
    return sorted(one for one in found if one not in odd)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def files_of_table(frame: pl.DataFrame, folder: Path, file: str, label: str, suffix: str = "") -> ImageFiles:
    """The images that a table names, one per row.

    Args:
        folder: where relative names begin.
        file, label: columns with the file's name and its class.
        suffix: added to every name.

    Raises:
        DataError: no such column, no rows, or a row without a name or class.

    Warns:
        VectableWarning: a class with a single image.
    """
    require_columns([file, label], frame.columns, "The table")
    if len(frame) == 0:
        raise DataError("The table of images has no rows.")
    texts = {name: as_text(frame[name]).str.strip_chars() for name in (file, label)}
    for name, values in texts.items():
        gone = values.is_null() | (values == "")
        if gone.any():
            raise DataError(f"Row {int(gone.arg_true()[0]) + 1:,} of the table has nothing in the column {name!r}.")
    classes = _in_order(frame[label])
    numbers = {name: at for at, name in enumerate(classes)}
    labels = [numbers[name] for name in texts[label]]
    _warn_of_small_classes(labels, classes, "the table")
    return ImageFiles(tuple(folder / f"{name}{suffix}" for name in texts[file]), tuple(labels), classes)


def held_out_rows(frame: pl.DataFrame, column: str) -> NDArray[np.bool_]:
    """Whether each row is held out, (rows,), by a column of booleans, of 0 and 1, or of "train" and "valid"."""
    require_columns([column], frame.columns, "The table")
    texts = as_text(frame[column]).str.strip_chars().str.to_lowercase().to_list()
    for at, text in enumerate(texts):
        if text not in HELD_OUT:
            raise DataError(
                f"Row {at + 1:,} of the table has {frame[column][at]!r} in {column!r}, which says what to hold out: "
                "true or false, 1 or 0, 'valid' or 'train'."
            )
    return np.array([HELD_OUT[text] for text in texts], dtype=np.bool_)


def _in_order(labels: pl.Series) -> tuple[str, ...]:
    """The names of classes, sorted; numbers by their size."""
    if labels.dtype.is_numeric():
        return tuple(as_text(labels.unique().sort()))
    return tuple(as_text(labels).str.strip_chars().unique().sort())


def _warn_of_small_classes(labels: Sequence[int], classes: Sequence[str], where: str) -> None:
    counts = np.bincount(np.asarray(labels, dtype=np.int64), minlength=len(classes))
    small = [name for name, count in zip(classes, counts, strict=True) if count < 2]
    if len(small) > 3:
        message = f"{len(small)} of {len(classes)} classes in {where} have a single image"
        warn(f"{message}; they cannot be learned from that: {quote_some(small)}.")
        return
    for name in small:
        warn(f"The class {name!r} in {where} has a single image; it cannot be learned from that.")
