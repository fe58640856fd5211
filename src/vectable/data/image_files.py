"""Which photographs a folder holds, and of what class: a folder a class."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from vectable.errors import DataError, VectableWarning, quote_some

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
# looked at as pictures; whether they are is for the decoder to say


@dataclass(frozen=True)
class ImageFiles:
    """Photographs with their classes.

    Attributes:
        paths: of the files, in the order of their names.
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
        if len(pictures) < 2:
            told = f"The class {name!r} in {str(top)!r} has {'one picture' if pictures else 'no picture'}"
            warnings.warn(f"{told}; it cannot be learned from that.", VectableWarning, stacklevel=2)
    if passed_over:
        told = quote_some([str(one.relative_to(top)) for one in passed_over])
        warnings.warn(f"{len(passed_over)} files are passed over, being no pictures: {told}.", VectableWarning, 2)
    if not paths:
        raise DataError(f"{str(top)!r} holds no pictures; known are files ending in {', '.join(sorted(SUFFIXES))}.")
    return ImageFiles(tuple(paths), tuple(labels), names, tuple(passed_over))


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)
