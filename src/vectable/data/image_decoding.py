"""A photograph from a file: decoded, upright, in three colours, at a working size. Bad files are told in a sentence.

A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough, so memory stays bounded however
large it is. Other formats can only be decoded whole, and are refused beyond `MAX_PIXELS`.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.errors import DataError, VectableError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000  # of a picture that is decoded whole: 300 MB in three colours
LONGEST = 2.0  # times the shorter side that are kept of the longer one, around the middle
MARGIN = 8 / 7  # of the working size over the size asked for, so that crops have room to move


def decode_image(path: str | Path, size: int) -> NDArray[np.uint8]:
    """A picture with its shorter side a little above `size`, (height, width, 3), 0 to 255.

    The shorter side is ``size * 8 / 7`` where the file has so many pixels, its own length where that lies between, and
    `size` where it has fewer. Of the longer side at most twice as much is kept, around the middle. Orientation tags are
    obeyed; grey, palette and CMYK become RGB; what is transparent becomes white.

    Args:
        path: a file in any format that Pillow reads; of an animation, the first picture.
        size: pixels that the shorter side must have, 1 or more.

    Raises:
        DataError: no picture, cut short, damaged or too large; the message names the file.
    """
    from PIL import ImageOps

    if size < 1:
        raise VectableError(f"The size is {size!r}; it is a number of pixels, 1 or more.")
    try:
        with _open(Path(path)) as opened:
            room = round(size * MARGIN)
            full = opened.width * opened.height
            opened.draft("RGB", (room * 2, room * 2))
            _check_pixels(opened, full, path)
            upright = ImageOps.exif_transpose(opened)
            return np.array(_at_working_size(_middle(_in_colour(upright)), size), dtype=np.uint8)
    except FileNotFoundError as problem:
        raise DataError(f"There is no file {str(path)!r}.") from problem
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as problem:
        if isinstance(problem, DataError):
            raise
        raise DataError(f"{str(path)!r} is not a picture that can be read: {_reason(problem, path)}.") from problem


def center_crop(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The middle of a picture, (size, size, 3), of one with both sides at least `size`."""
    top, left = ((side - size) // 2 for side in picture.shape[:2])
    return picture[top : top + size, left : left + size]


def _open(path: Path) -> "Image":
    """Open without decoding; Pillow's own guard against huge pictures gives way to ours, which knows of drafts."""
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return Image.open(path)
        except Image.DecompressionBombError:
            with path.open("rb") as file:
                if file.read(2) != b"\xff\xd8":
                    raise DataError(
                        f"{str(path)!r} is too large to decode (more than {MAX_PIXELS:,} pixels): make it smaller, or "
                        "a JPEG, which is read at a part of its size."
                    ) from None
            return JpegImageFile(str(path))


def _check_pixels(image: "Image", full: int, path: str | Path) -> None:
    """Refuse what is too large to decode. A progressive JPEG keeps every coefficient in memory, drafted or not."""
    pixels = full if image.info.get("progressive") else image.width * image.height
    if pixels > MAX_PIXELS:
        raise DataError(
            f"{str(path)!r} has {full:,} pixels, and {MAX_PIXELS:,} is the most that is decoded whole: make it "
            "smaller, or a baseline JPEG, which is read at a part of its size."
        )


def _in_colour(image: "Image") -> "Image":
    """RGB; what is transparent over white, 16-bit grey brought down to 8."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        over = Image.new("RGBA", image.size, (255, 255, 255, 255))
        over.alpha_composite(image.convert("RGBA"))
        image = over
    return image.convert("RGB")


def _middle(image: "Image") -> "Image":
    """At most `LONGEST` times the shorter side of the longer one."""
    width, height = image.size
    most = max(1, int(min(width, height) * LONGEST))
    kept = min(width, most), min(height, most)
    left, top = (width - kept[0]) // 2, (height - kept[1]) // 2
    return image.crop((left, top, left + kept[0], top + kept[1])) if kept != (width, height) else image


def _at_working_size(image: "Image", size: int) -> "Image":
    from PIL.Image import Resampling

    short = min(image.size)
    wanted = min(round(size * MARGIN), max(size, short))
    if wanted == short:
        return image
    width, height = (max(wanted, round(side * wanted / short)) for side in image.size)
    return image.resize((width, height), Resampling.BICUBIC, reducing_gap=3.0)


def _reason(problem: BaseException, path: str | Path) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(problem, UnidentifiedImageError):
        return "no known picture format" if Path(path).stat().st_size else "the file is empty"
    known: Any = getattr(problem, "strerror", None)
    return str(known or problem).rstrip(".")
