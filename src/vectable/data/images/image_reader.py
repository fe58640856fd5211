"""Reading many image files: each decoded once in threads, those that fit kept in memory, bad ones left out by name."""

import fnmatch
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from vectable.data.images.image_decoding import Picture, decode_image
from vectable.data.images.image_files import ImageFiles
from vectable.data.images.image_rows import ImageRows
from vectable.errors import DataError, warn


class ImageReader:
    """Decodes images in threads (Pillow works without the interpreter's lock) and keeps those that fit.

    Args:
        size: side of the square that the model sees, in pixels.
        megabytes: of decoded images to keep; those beyond are decoded whenever they are asked for.
        on_bad: what to do with files that cannot be read: "skip" or "raise".
        exclude: patterns of names to leave out.

    Attributes:
        left_out: files that were not taken, each with the reason.
    """

    def __init__(self, size: int, megabytes: int, on_bad: str, exclude: Sequence[str]) -> None:
        self.size, self.room, self.on_bad, self.exclude = size, megabytes * 2**20, on_bad, tuple(exclude)
        self.left_out: list[tuple[Path, str]] = []

    def read(self, files: ImageFiles, augment: bool) -> ImageRows:
        """Look at every file once.

        Raises:
            DataError: a file that cannot be read, where `on_bad` is "raise".
        """
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

    def warn(self) -> None:
        """Warn of what was left out, with the reasons."""
        if self.left_out:
            reasons = " ".join(reason for _, reason in self.left_out[:8])
            warn(f"{len(self.left_out)} files are left out: {reasons}")

    def _decoded(self, path: Path) -> Picture | str:
        """The image, or why there is none."""
        for pattern in self.exclude:
            if fnmatch.fnmatch(path.name.lower(), pattern.lower()):
                return f"{str(path)!r} is excluded by {pattern!r}."
        try:
            return decode_image(path, self.size)
        except DataError as problem:
            if self.on_bad == "raise":
                raise
            return str(problem)
