"""Images with their classes for the Learner: from folders, tables or arrays, split for training and validation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from vectable.data.batches import BatchPlan, count_steps, shuffled_batches
from vectable.data.images.image_decoding import MAX_SIZE, Picture, decode_image
from vectable.data.images.image_files import ImageFiles, files_of_table, held_out_rows, list_images
from vectable.data.images.image_reader import ImageReader
from vectable.data.images.image_rows import ImageRows
from vectable.data.io.files import read_table
from vectable.data.io.frames import FrameKind, from_polars, to_polars
from vectable.data.splits import random_split
from vectable.data.tensors import check_batch_size
from vectable.errors import DataError, is_whole, quote_some, require, warn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GIFS = ("*.gif",)
PARTS = {"train", "training", "valid", "val", "validation", "test"}  # names of folders that are not classes


class ImageData:
    """Training and validation photographs of named classes.

    Attributes:
        train, valid: the rows.
        classes: names, in the order of their numbers.
        size: side of the square that the model sees, in pixels.
        batch_size: photographs a step.
        left_out: files that were not taken, each with the reason.
        kind: the kind of frame the user works with.

    Examples:
        >>> import vectable as vt
        >>> images = vt.datasets.load("fashion").to_data(["Coat", "Ankle boot"], per_class=20)
        >>> images.classes
        ('Ankle boot', 'Coat')
        >>> images.show_batch(4).savefig("batch.png")
    """

    def __init__(
        self, train: ImageRows, valid: ImageRows, classes: Sequence[str], batch_size: int = 32,
        left_out: Sequence[tuple[Path, str]] = (), kind: FrameKind = "polars",
    ) -> None:  # fmt: skip
        check_batch_size(batch_size)
        self.train, self.valid, self.classes, self.size = train, valid, tuple(classes), train.size
        self.batch_size, self.left_out, self.kind = batch_size, list(left_out), kind

    @classmethod
    def from_folder(
        cls,
        path: str | Path,
        train: str = "train",
        valid: str | None = None,
        valid_pct: float = 0.2,
        size: int = 224,
        batch_size: int = 32,
        augment: bool = True,
        *,
        on_bad: str = "skip",
        exclude: Sequence[str] = GIFS,
        seed: int = 42,
        cache_mb: int = 1024,
    ) -> "ImageData":
        """Photographs from a folder with a folder per class.

        Args:
            path: holds the class folders; or, with `valid`, the folders `train` and `valid` which hold them.
            train, valid: names of folders in `path`. Without `valid`, a share of the photographs is held out.
            valid_pct: that share, 0 to 1.
            size: side of the square that the model sees, in pixels.
            batch_size: photographs a step.
            augment: whether training flips, crops and changes brightness and contrast a little, at random.
            on_bad: what to do with files that cannot be read: "skip" tells their names, "raise" refuses.
            exclude: patterns of names to leave out, and to report. GIFs are by default, as they are rarely photos, and
                where one lies among photographs it is as a rule a notice that the photograph is gone.
            seed: of the hold-out.
            cache_mb: megabytes for decoded photographs; those beyond are decoded in every epoch.

        Raises:
            DataError: no photographs, one class alone, or, with ``on_bad="raise"`` a file that cannot be read.
        """
        top = Path(path)
        found = list_images(top / train if valid is not None else top)
        if valid is None and train in found.classes and PARTS.issuperset({*found.classes} - {train}):
            raise DataError(
                f"{str(top)!r} holds {quote_some(found.classes)}, which look like parts and not like classes: name the "
                "one to measure on, as valid='val' (--valid val)."
            )
        held = list_images(top / valid, found.classes) if valid is not None else valid_pct
        return cls._read(
            found, held, repr(str(top)), size, batch_size, augment,
            on_bad=on_bad, exclude=exclude, seed=seed, cache_mb=cache_mb,
        )  # fmt: skip

    @classmethod
    def from_df(
        cls,
        df: Any,
        folder: str | Path = ".",
        file: str | None = None,
        label: str | None = None,
        valid: str | None = None,
        valid_pct: float = 0.2,
        *,
        size: int = 224,
        batch_size: int = 32,
        augment: bool = True,
        suffix: str = "",
        **how: Any,
    ) -> "ImageData":
        """Photographs that a table names, a row each.

        Args:
            df: pandas, polars or pyarrow table.
            folder: where the names begin.
            file, label: columns with the file's name and its class; by default the first and the second.
            valid: column that marks the rows to hold out: true or false, 1 or 0, "valid" or "train". Without it a share
                is held out at random.
            valid_pct: that share, 0 to 1.
            size, batch_size, augment: as in `from_folder`.
            suffix: added to every name, as ".jpg".
            how: `on_bad`, `exclude`, `seed` and `cache_mb`, as in `from_folder`.

        Raises:
            DataError: a column or value that cannot be used, with its row; and as in `from_folder`.
        """
        frame, kind = to_polars(df)
        if len(frame.columns) < 2:
            raise DataError(f"The table has the columns {frame.columns}; it needs a file's name and its class.")
        file, label = file or frame.columns[0], label or frame.columns[1]
        found = files_of_table(frame, Path(folder), file, label, suffix)
        if not any(path.exists() for path in found.paths):
            raise DataError(
                f"The table has no photographs to train on. No file that the column {file!r} names is there; the first "
                f"would be {str(found.paths[0])!r}. "
                "Say where the names begin, folder=... (--folder), and which column holds them, file=... (--file)."
            )
        held: ImageFiles | float = valid_pct
        if valid is not None:
            train_at, valid_at = _marked_split(frame, valid, found)
            found, held = found.take(train_at), found.take(valid_at)
        return cls._read(found, held, "The table", size, batch_size, augment, kind=kind, **how)

    @classmethod
    def from_csv(cls, path: str | Path, folder: str | Path | None = None, *how: Any, **more: Any) -> "ImageData":
        """Photographs that a file names, a row each: CSV, TSV, Parquet or any other that `read_table` knows.

        Args:
            path: the file.
            folder: where the names begin; by default the file's own folder.
            how, more: as in `from_df`.
        """
        return cls.from_df(read_table(path), Path(path).parent if folder is None else folder, *how, **more)

    @classmethod
    def for_measuring(cls, path: str | Path, classes: Sequence[str], size: int, batch_size: int = 32) -> "ImageData":
        """Photographs to measure a trained model on, all of them: none is left for training.

        Args:
            path: holds a folder per class.
            classes: the model's, as `learn.classes`.
            size: the model's, as `learn.recipe.size`.
            batch_size: photographs a step.
        """
        reader = ImageReader(size, 1024, "skip", GIFS)
        held = reader.read(list_images(path, tuple(classes)), False)
        reader.warn()
        return cls(held.take([], False), held, classes, batch_size, reader.left_out)

    @classmethod
    def from_arrays(
        cls,
        pictures: Any,
        labels: Any,
        valid: Any = None,
        valid_pct: float = 0.2,
        size: int | None = None,
        batch_size: int = 32,
        augment: bool = True,
        *,
        seed: int = 42,
    ) -> "ImageData":
        """Pictures in memory.

        Args:
            pictures: bytes, 0 to 255, (pictures, height, width) if grey, else (pictures, height, width, 3); or a list
                of such pictures of any sizes.
            labels: the class of each, a text or a number.
            valid: marks the pictures to hold out: true or false, 1 or 0, "valid" or "train". Without it a share is held
                out at random.
            valid_pct: that share, 0 to 1.
            size: side of the square that the model sees, in pixels; by default the shorter side of the first picture.
            batch_size, augment: as in `from_folder`.
            seed: of the hold-out.

        Raises:
            DataError: no pictures, one class alone, numbers that do not fit, or a picture that is none, by its number.
        """
        marks = {} if valid is None else {"valid": np.asarray(valid)}
        columns = {"label": np.asarray(labels), **marks}
        for name, values in columns.items():
            if values.shape != (len(pictures),):
                raise DataError(f"There are {len(pictures):,} pictures, and the {name} has the shape {values.shape}.")
        named = {"picture": [f"picture {at}" for at in range(len(pictures))]}
        frame = pl.DataFrame(named | {name: values.tolist() for name, values in columns.items()}, strict=False)
        found = files_of_table(frame, Path(), "picture", "label")
        _check_classes(found, "The data")
        size = min(np.shape(pictures[0])[:2]) if size is None else size
        _check_size(size)
        kept = [_numbered(picture, size, at) for at, picture in enumerate(pictures)]
        rows = ImageRows(found.paths, kept, torch.tensor(found.labels), size)
        split = random_split(len(rows), valid_pct, seed) if valid is None else _marked_split(frame, "valid", found)
        train_at, valid_at = split
        if len(train_at) == 0:
            raise DataError("All pictures are held out: there are none to train on.")
        return cls(rows.take(train_at, augment), rows.take(valid_at, False), found.classes, batch_size)

    @classmethod
    def _read(
        cls, found: ImageFiles, held: ImageFiles | float, where: str, size: int, batch_size: int, augment: bool, *,
        on_bad: str = "skip", exclude: Sequence[str] = GIFS, seed: int = 42, cache_mb: int = 1024,
        kind: FrameKind = "polars",
    ) -> "ImageData":  # fmt: skip
        """Decode every file once, and hold out a share where the files to hold out are not given."""
        require(on_bad in ("skip", "raise"), f"on_bad must be 'skip' or 'raise'; got {on_bad!r}.")
        _check_size(size)
        require(
            is_whole(cache_mb, 0),
            f"cache_mb must be a non-negative number of megabytes (0 keeps none); got {cache_mb!r}.",
        )
        check_batch_size(batch_size)
        _check_classes(found, where)
        if isinstance(held, float | int):
            random_split(0, held, seed)  # refuses a share or a seed before anything is decoded
        reader = ImageReader(size, cache_mb, on_bad, exclude)
        rows = reader.read(found, augment)
        valid = reader.read(held, False) if isinstance(held, ImageFiles) else rows.take([], False)
        reader.warn()
        classes = _classes_with_images(rows, found.classes, where)
        rows, valid = (_of_classes(part, found.classes, classes) for part in (rows, valid))
        if not isinstance(held, ImageFiles):
            train_at, valid_at = random_split(len(rows), held, seed)
            rows, valid = rows.take(train_at, augment), rows.take(valid_at, False)
        return cls(rows, valid, classes, batch_size, reader.left_out, kind)

    def show_batch(self, n: int = 9, seed: int = 0, path: str | None = None) -> "Figure":
        """Training photographs as the model sees them, augmented where training is, with their classes.

        Args:
            n: how many.
            seed: which ones, and what augmentation draws.
            path: file to write, .png, .svg or .pdf.
        """
        from vectable.plotting import photograph_grid

        require(is_whole(n, 1), f"n must be a positive integer; got {n!r}.")
        require(len(self.train) > 0, "There are no photographs to train on: these were read for measuring alone.")
        at = np.random.default_rng(seed).permutation(len(self.train))[:n].astype(np.int32)
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            (pictures,), target = self.train.batch(at)
        titles = [self.classes[one] for one in target.tolist()]
        return photograph_grid(list(pictures.permute(0, 2, 3, 1).cpu().numpy()), titles, path)

    @property
    def n_steps(self) -> int:
        """Steps per epoch."""
        return count_steps(len(self.train), self.batch_size)

    def plan(self, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch.

        Raises:
            DataError: no photographs to train on.
        """
        if len(self.train) == 0:
            raise DataError("There are no photographs to train on: these were read for measuring alone.")
        return shuffled_batches(len(self.train), self.batch_size, rng)

    def to_native(self, frame: pl.DataFrame) -> Any:
        """A frame as the kind that the user works with."""
        return from_polars(frame, self.kind)

    def __repr__(self) -> str:
        """Counts, classes and size."""
        counts = f"{len(self.train):,} training and {len(self.valid):,} validation photographs"
        return f"ImageData({counts} of {quote_some(self.classes)}; {self.size} x {self.size} pixels)"


def _check_size(size: object) -> None:
    require(
        is_whole(size, 1) and size <= MAX_SIZE,
        f"The size must be 1 to {MAX_SIZE:,} pixels; got {size!r}.",
    )


def _check_classes(found: ImageFiles, where: str) -> None:
    if len(found.classes) < 2:
        raise DataError(f"{where} has one class alone, {found.classes[0]!r}: there is nothing to tell apart.")


def _classes_with_images(rows: ImageRows, classes: Sequence[str], where: str) -> tuple[str, ...]:
    """Those classes of which an image could be read: a class that no image shows would only be predicted wrongly.

    Raises:
        DataError: fewer than two are left.
    """
    seen = set(rows.target.tolist())
    left = tuple(name for number, name in enumerate(classes) if number in seen)
    if not left:
        raise DataError(f"{where} has no images to train on that can be read.")
    if len(left) < 2:
        raise DataError(f"{where} has images that can be read of one class alone, {left[0]!r}.")
    if len(left) < len(classes):
        gone = [name for name in classes if name not in left]
        warn(f"No image of {quote_some(gone)} can be read: a class without images is left out.")
    return left


def _of_classes(rows: ImageRows, before: Sequence[str], after: Sequence[str]) -> ImageRows:
    """The rows whose class is still one of `after`, with its number there."""
    if len(before) == len(after):
        return rows
    numbers = torch.tensor([after.index(name) if name in after else -1 for name in before])
    part = rows.take(np.flatnonzero(numbers[rows.target].numpy() >= 0), rows.augment)
    part.target = numbers[part.target]
    return part


def _marked_split(frame: pl.DataFrame, column: str, found: ImageFiles) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows that a column leaves for training, and those that it marks to hold out.

    Raises:
        DataError: a mark that is none, or a class that is held out alone.
    """
    marked = held_out_rows(frame, column)
    labels = np.asarray(found.labels)
    untaught = [found.classes[at] for at in np.setdiff1d(labels[marked], labels[~marked])]
    if untaught:
        raise DataError(f"The rows that validate hold the classes {quote_some(untaught)}, which training lacks.")
    return np.flatnonzero(~marked), np.flatnonzero(marked)


def _numbered(picture: Any, size: int, at: int) -> Picture:
    try:
        return decode_image(picture, size)
    except DataError as problem:
        raise DataError(f"Picture {at}: {problem}") from problem
