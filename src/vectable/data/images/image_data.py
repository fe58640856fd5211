"""Photographs with their classes for the Learner: decoded once, kept small in memory, augmented as batches are made."""

import fnmatch
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.batches import BatchPlan, Rows, count_steps, shuffled_batches
from vectable.data.images.image_decoding import MAX_SIZE, Picture, center_crop, decode_image
from vectable.data.images.image_files import ImageFiles, files_of_table, held_out_rows, list_images
from vectable.data.io.files import read_table
from vectable.data.io.frames import FrameKind, from_polars, to_polars
from vectable.data.splits import random_split
from vectable.data.tensors import TensorSet, check_batch_size
from vectable.errors import DataError, is_whole, quote_some, require, warn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GIFS = ("*.gif",)
PARTS = {"train", "training", "valid", "val", "validation", "test"}  # names of folders that are no classes


class ImageRows(TensorSet):
    """Photographs as rows; those that fit are kept decoded, the others are decoded whenever they are asked for.

    Augmented only where gradients are taken, so that measuring on the training rows sees them as they are. What is
    drawn comes from torch's random numbers, which the Learner seeds.
    """

    predict_rows = 16  # activations of more leave the processor's cache

    def __init__(
        self, paths: Sequence[Path], kept: Sequence[Picture | None], target: Tensor, size: int, augment: bool = False
    ) -> None:
        super().__init__((), target)
        self.paths, self.kept, self.size, self.augment = list(paths), list(kept), size, augment

    def batch(self, rows: Rows | slice) -> tuple[tuple[Tensor, ...], Tensor]:
        """Pictures, (batch, 3, size, size) bytes, and the numbers of their classes."""
        numbers = [int(at) for at in (range(len(self))[rows] if isinstance(rows, slice) else rows)]
        if all(self.kept[at] is not None for at in numbers):
            pictures = [self.picture(at) for at in numbers]
        else:
            with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
                pictures = list(threads.map(self.picture, numbers))
        if self.augment and torch.is_grad_enabled():
            stacked = torch.stack([_augmented(one, self.size) for one in pictures])
        else:
            middles = [center_crop(one, self.size) for one in pictures]
            empty = np.empty((0, self.size, self.size, 3), dtype=np.uint8)
            stacked = torch.from_numpy(np.stack(middles) if middles else empty).permute(0, 3, 1, 2)
        return (stacked.to(self.target.device),), self.target[self._at(rows)]

    def to(self, device: torch.device) -> "ImageRows":
        """The same rows, whose batches come on `device`."""
        return ImageRows(self.paths, self.kept, self.target.to(device), self.size, self.augment)

    def picture(self, at: int) -> Picture:
        """One photograph at its working size, (height, width, 3), 0 to 255."""
        kept = self.kept[at]
        return decode_image(self.paths[at], self.size) if kept is None else kept


class ImageData:
    """Training and validation photographs of named classes.

    Attributes:
        train, valid: the rows.
        classes: names, in the order of their numbers.
        size: side of the square that the model sees, in pixels.
        batch_size: photographs a step.
        left_out: files that were not taken, each with the reason.
        kind: the kind of frame the user works with.
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
        """Photographs from a folder with a folder a class.

        Args:
            path: holds the class folders; or, with `valid`, the folders `train` and `valid` which hold them.
            train, valid: names of folders in `path`. Without `valid`, a share of the photographs is held out.
            valid_pct: that share, 0 to 1.
            size: side of the square that the model sees, in pixels.
            batch_size: photographs a step.
            augment: whether training flips, crops and changes brightness and contrast a little, at random.
            on_bad: what to do with files that cannot be read: "skip" tells their names, "raise" refuses.
            exclude: patterns of names to leave out, told by name. GIFs are by default: they are hardly photographs, and
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
        size: int = 224,
        batch_size: int = 32,
        augment: bool = True,
        *,
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
            path: holds a folder a class.
            classes: the model's, as `learn.classes`.
            size: the model's, as `learn.recipe.size`.
            batch_size: photographs a step.
        """
        cache = _Cache(size, 1024, "skip", GIFS)
        held = cache.read(list_images(path, tuple(classes)), False)
        cache.tell()
        return cls(_part(held, np.arange(0), False), held, classes, batch_size, cache.left_out)

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
        return cls(_part(rows, train_at, augment), _part(rows, valid_at, False), found.classes, batch_size)

    @classmethod
    def _read(
        cls, found: ImageFiles, held: ImageFiles | float, where: str, size: int, batch_size: int, augment: bool, *,
        on_bad: str = "skip", exclude: Sequence[str] = GIFS, seed: int = 42, cache_mb: int = 1024,
        kind: FrameKind = "polars",
    ) -> "ImageData":  # fmt: skip
        """Decode every file once, and hold out a share where the files to hold out are not given."""
        require(on_bad in ("skip", "raise"), f"on_bad is {on_bad!r}; it is 'skip' or 'raise'.")
        _check_size(size)
        require(
            is_whole(cache_mb, 0),
            f"cache_mb is {cache_mb!r}; it is a number of megabytes, 0 or more: with 0 none is kept.",
        )
        check_batch_size(batch_size)
        _check_classes(found, where)
        if isinstance(held, float | int):
            random_split(0, held, seed)  # refuses a share or a seed before anything is decoded
        cache = _Cache(size, cache_mb, on_bad, exclude)
        rows = cache.read(found, augment)
        if isinstance(held, ImageFiles):
            valid = cache.read(held, False)
        else:
            train_at, valid_at = random_split(len(rows), held, seed)
            rows, valid = _part(rows, train_at, augment), _part(rows, valid_at, False)
        cache.tell()
        if len(rows) == 0:
            raise DataError(f"{where} has no photographs to train on that can be read.")
        return cls(rows, valid, found.classes, batch_size, cache.left_out, kind)

    def show_batch(self, n: int = 9, seed: int = 0, path: str | None = None) -> "Figure":
        """Training photographs as the model sees them, augmented where training is, with their classes.

        Args:
            n: how many.
            seed: which ones, and what augmentation draws.
            path: file to write, .png, .svg or .pdf.
        """
        from vectable.plotting import photograph_grid

        require(is_whole(n, 1), f"n is {n!r}; it is a number of photographs, 1 or more.")
        require(len(self.train) > 0, "There are no photographs to train on: these were read for measuring alone.")
        at = np.random.default_rng(seed).permutation(len(self.train))[:n].astype(np.int32)
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            (pictures,), target = self.train.batch(at)
        titles = [self.classes[one] for one in target.tolist()]
        return photograph_grid(list(pictures.permute(0, 2, 3, 1).cpu().numpy()), titles, path)

    @property
    def n_steps(self) -> int:
        """Steps an epoch."""
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


class _Cache:
    """Decodes photographs in threads (Pillow works without the interpreter's lock) and keeps those that fit."""

    def __init__(self, size: int, megabytes: int, on_bad: str, exclude: Sequence[str]) -> None:
        self.size, self.room, self.on_bad, self.exclude = size, megabytes * 2**20, on_bad, tuple(exclude)
        self.left_out: list[tuple[Path, str]] = []

    def read(self, files: ImageFiles, augment: bool) -> ImageRows:
        """Every file looked at once."""
        taken: list[tuple[Path, Picture | None, int]] = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            for first in range(0, len(files), 256):  # so that what does not fit is let go soon
                part = files.paths[first : first + 256]
                for path, picture, label in zip(
                    part, threads.map(self._decoded, part), files.labels[first : first + 256], strict=True
                ):
                    if isinstance(picture, str):
                        self.left_out.append((path, picture))
                        continue
                    self.room -= picture.nbytes
                    taken.append((path, picture if self.room >= 0 else None, label))
        target = torch.tensor([label for _, _, label in taken], dtype=torch.long)
        return ImageRows([one[0] for one in taken], [one[1] for one in taken], target, self.size, augment)

    def tell(self) -> None:
        """Warn of what was left out, with the reasons."""
        if self.left_out:
            told = " ".join(reason for _, reason in self.left_out[:8])
            warn(f"{len(self.left_out)} files are left out: {told}")

    def _decoded(self, path: Path) -> Picture | str:
        """The picture, or why there is none."""
        for pattern in self.exclude:
            if fnmatch.fnmatch(path.name.lower(), pattern.lower()):
                return f"{str(path)!r} is excluded by {pattern!r}."
        try:
            return decode_image(path, self.size)
        except DataError as problem:
            if self.on_bad == "raise":
                raise
            return str(problem)


def _check_size(size: object) -> None:
    require(
        is_whole(size, 1) and int(size) <= MAX_SIZE,  # type: ignore[call-overload]
        f"The size is {size!r}; it is a number of pixels, 1 to {MAX_SIZE:,}.",
    )


def _check_classes(found: ImageFiles, where: str) -> None:
    if len(found.classes) < 2:
        raise DataError(f"{where} has one class alone, {found.classes[0]!r}: there is nothing to tell apart.")


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


def _part(rows: ImageRows, at: NDArray[Any], augment: bool) -> ImageRows:
    chosen = [int(one) for one in at]
    paths, kept = [rows.paths[one] for one in chosen], [rows.kept[one] for one in chosen]
    return ImageRows(paths, kept, rows.target[chosen], rows.size, augment)


def _augmented(picture: Picture, size: int) -> Tensor:
    """A random crop of at least 60 % of a picture, perhaps mirrored, a little lighter or darker; (3, size, size)."""
    from vectable.data.images.torchvision_transforms import light_augmentation

    augmented: Tensor = light_augmentation(size)(torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1))
    return augmented
