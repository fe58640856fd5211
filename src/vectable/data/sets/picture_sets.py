"""Named sets of small pictures that come with the package."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.sets.shipped_files import read_shipped
from vectable.errors import DataError, UnknownNameError, did_you_mean, is_whole, quote_some, require

if TYPE_CHECKING:
    from vectable.data.images.image_data import ImageData

TRAIN, VALID = "train", "valid"


@dataclass(frozen=True)
class PictureInfo:
    """What is known of a named set of pictures before it is loaded.

    Attributes:
        name: for `vectable.datasets.load`.
        about: one line.
        pictures, classes: how many.
        licence, source: as in `PictureSet`.
        shipped: whether it comes with the package: all do.
    """

    name: str
    about: str
    pictures: int
    classes: int
    licence: str
    source: str
    shipped: bool = True

    def __str__(self) -> str:
        """A paragraph for people."""
        counts = f"{self.pictures:,} pictures, {self.classes} classes"
        return (
            f"{self.name}: {self.about} ({counts}). Comes with the package. Licence: {self.licence}. "
            f"Source: {self.source}."
        )


@dataclass(frozen=True, eq=False, repr=False)
class PictureSet:
    """Grey pictures of one size with their classes, split for training and validation.

    Attributes:
        name: as `vectable.datasets.load` knows it.
        pictures: (pictures, height, width) bytes.
        labels: name of each picture's class, (pictures,).
        held_out: whether each is for validation, (pictures,).
        classes: names, in the order of their numbers.
        licence: under which the data may be used.
        source: whom to name, and where the data comes from.
    """

    name: str
    pictures: NDArray[np.uint8]
    labels: NDArray[np.str_]
    held_out: NDArray[np.bool_]
    classes: tuple[str, ...]
    licence: str = ""
    source: str = ""

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """What is known of each picture: its class and its part of the split."""
        parts = np.where(self.held_out, VALID, TRAIN)
        return {"pictures": pl.DataFrame({"class": self.labels.tolist(), "split": parts.tolist()})}

    def to_data(
        self, classes: Sequence[str] | None = None, per_class: int | None = None, seed: int = 42, **how: Any
    ) -> "ImageData":
        """The pictures for a learner, with the split they come in.

        Args:
            classes: only these; by default all.
            per_class: train on this many of each class, drawn at random; by default on all. The validation rows stay.
            seed: of the draw.
            how: further arguments of `ImageData.from_arrays`: `size`, `batch_size`, `augment`.

        Raises:
            UnknownNameError: no such class; with the closest names.
        """
        from vectable.data.images.image_data import ImageData

        names = self.classes if classes is None else tuple(classes)
        for name in names:
            if name not in self.classes:
                hint = did_you_mean(name, self.classes)
                raise UnknownNameError(
                    f"{self.name} has no class {name!r}.{hint} There are {quote_some(self.classes, 20)}."
                )
        require(per_class is None or is_whole(per_class, 1), f"per_class must be a positive integer; got {per_class}.")
        rng = np.random.default_rng(seed)
        taken = np.isin(self.labels, names) & self.held_out
        for name in names:
            training = np.flatnonzero((self.labels == name) & ~self.held_out)
            taken[training if per_class is None else rng.permutation(training)[:per_class]] = True
        return ImageData.from_arrays(self.pictures[taken], self.labels[taken], self.held_out[taken], **how)

    def to_folder(self, path: str | Path) -> Path:
        """Write every picture as a PNG: ``path/train/CLASS/0000.png`` and so on; a slash in a class becomes a dash.

        Raises:
            DataError: a file cannot be written.
        """
        from PIL import Image

        top = Path(path)
        try:
            for at, (picture, label, held) in enumerate(zip(self.pictures, self.labels, self.held_out, strict=True)):
                folder = top / (VALID if held else TRAIN) / str(label).replace("/", "-")
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(folder / f"{at:04}.png")
        except OSError as problem:
            reason = problem.strerror or problem
            raise DataError(f"The images cannot be written to {str(top)!r}: {reason}.") from problem
        return top

    def __repr__(self) -> str:
        """Name, counts, licence."""
        height, width = self.pictures.shape[1:]
        what = f"{len(self.pictures):,} pictures of {len(self.classes)} classes, {height} x {width} pixels"
        held = f"{self.held_out.sum():,} of them for validation"
        return f"PictureSet({self.name!r}: {what}, {held}; {self.licence.split(';')[0]})"


def _fashion(known: PictureInfo) -> PictureSet:
    frame = read_shipped("fashion", "pictures.parquet")
    labels = frame["class"].to_numpy().astype(np.str_)
    return PictureSet(
        name=known.name,
        pictures=np.frombuffer(b"".join(frame["picture"]), dtype=np.uint8).reshape(-1, 28, 28),
        labels=labels,
        held_out=(frame["split"] == VALID).to_numpy(),
        classes=tuple(dict.fromkeys(labels.tolist())),
        licence=known.licence,
        source=known.source,
    )


PICTURES: dict[str, tuple[PictureInfo, Callable[[PictureInfo], PictureSet]]] = {
    "fashion": (
        PictureInfo(
            "fashion",
            "ten kinds of clothing, grey, 28 x 28 pixels, a sample of Fashion-MNIST",
            3_500,
            10,
            "MIT",
            "Han Xiao, Kashif Rasul and Roland Vollgraf, Zalando SE, Fashion-MNIST, "
            "https://github.com/zalandoresearch/fashion-mnist; sampled",
        ),
        _fashion,
    )
}
"""What is known of each, and what reads it."""
