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

Picture = NDArray[np.uint8]  # (height, width, 3)

MAX_PIXELS = 100_000_000  # of a picture that is decoded whole: 300 MB in three colours
LONGEST = 2.0  # times the shorter side that are kept of the longer one, around the middle
MAX_SIZE = 4096  # of the square that a model sees: 50 MB a picture in three colours
MARGIN = 8 / 7  # of the working size over the size asked for, so that crops have room to move


def decode_image(source: "str | Path | Image | NDArray[np.uint8]", size: int) -> Picture:
    """A picture with its shorter side a little above `size`, (height, width, 3), 0 to 255.

    The shorter side is ``size * 8 / 7`` where the file has so many pixels, its own length where that lies between, and
    `size` where it has fewer. Of the longer side at most twice as much is kept, around the middle. Orientation tags are
    obeyed; grey, palette and CMYK become RGB; what is transparent becomes white.

    Args:
        source: a file in any format that Pillow reads (of an animation, the first picture); a picture of Pillow's; or
            an array of bytes, (height, width), (height, width, 3) or with transparency (height, width, 4).
        size: pixels that the shorter side must have, 1 or more.

    Raises:
        DataError: no picture, cut short, damaged or too large; the message names the file.
    """
    from PIL import Image

    if size < 1:
        raise VectableError(f"The size is {size!r}; it is a number of pixels, 1 or more.")
    told = repr(str(source)) if isinstance(source, str | Path) else f"This {type(source).__name__}"
    try:
        if isinstance(source, Image.Image):
            return _working_picture(source, size)
        if not isinstance(source, str | Path):
            return _working_picture(_from_array(source), size)
        with _open(Path(source)) as opened:
            room = round(size * MARGIN)
            full = opened.width * opened.height
            opened.draft("RGB", (room * 2, room * 2))
            _check_pixels(opened, full, source)
            return _working_picture(opened, size)
    except FileNotFoundError as problem:
        raise DataError(f"There is no file {told}.") from problem
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as problem:
        if isinstance(problem, DataError):
            raise
        raise DataError(f"{told} is not a picture that can be read: {_reason(problem, source)}.") from problem


def _working_picture(image: "Image", size: int) -> Picture:
    """Upright, in three colours, at the working size."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    return np.array(_at_working_size(_middle(_in_colour(upright)), size), dtype=np.uint8)


def _from_array(values: Any) -> "Image":
    from PIL import Image

    if not hasattr(values, "__array__"):
        raise DataError(f"{values!r:.80} is no photograph: give a path, a picture of Pillow's or an array of bytes.")
    array = np.asarray(values)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise DataError(
            f"A picture as an array has bytes, 0 to 255, in the shape (height, width), (height, width, 3) or (height, "
            f"width, 4); this one has {array.dtype} in {array.shape}."
        )
    if 0 in array.shape:
        raise DataError(f"This array is a picture without pixels: its shape is {array.shape}.")
    return Image.fromarray(array)


def center_crop(picture: Picture, size: int) -> Picture:
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


def _reason(problem: BaseException, source: Any) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(problem, UnidentifiedImageError):
        return "no known picture format" if Path(source).stat().st_size else "the file is empty"
    known: Any = getattr(problem, "strerror", None)
    return str(known or problem).rstrip(".")
