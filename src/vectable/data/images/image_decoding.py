"""An image file as an array: decoded, upright, in RGB, at a working size. A bad file gets a sentence.

Memory stays bounded. A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough. Other
formats can only be decoded whole, and are refused beyond `MAX_PIXELS`; those beyond `LARGE` are decoded one at a time,
and shrunk strip by strip.

Only `FORMATS` are opened, whatever a file is called: some other readers in Pillow start programs (PostScript is
handed to Ghostscript), and many are old and rarely used.
"""

import io
import threading
import warnings
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.errors import DataError, VectableError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

Picture = NDArray[np.uint8]  # (height, width, 3)

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF")
MAX_PIXELS = 100_000_000  # of an image that is decoded whole: 400 MB with transparency
MAX_PIXELS_COPIED = 25_000_000  # of a format whose decoder keeps several copies
COPIED = ("WEBP", "AVIF")
LARGE = 1 << 23  # pixels from which on images are decoded one at a time
STRIP = 16  # rows of the shrunk image that are made at a time
GAP = 3.0  # times the final size to which an image is first reduced by averaging
LONGEST = 2.0  # times the shorter side that are kept of the longer one, around the middle
MAX_SIZE = 4096  # of the square that a model sees: 50 MB per image
ORIENTATION = 0x0112  # the tag that says how the camera was held
MARGIN = 8 / 7  # of the working size over the size asked for, so that crops have room to move


_ONE_LARGE = threading.Lock()


def decode_image(
    source: "str | Path | bytes | Image | NDArray[np.uint8]",
    size: int,
    *,
    called: str | None = None,
    most_pixels: int | None = None,
) -> Picture:
    """An image with its shorter side a little above `size`, (height, width, 3), 0 to 255.

    The shorter side is ``size * 8 / 7`` where the file has as many pixels, its own length where that lies between, and
    `size` where it has fewer. Of the longer side at most twice as much is kept, around the middle. Orientation tags are
    obeyed; grey, palette and CMYK become RGB; what is transparent becomes white.

    Args:
        source: a file in one of `FORMATS` (of an animation, the first frame), by its path or as the bytes in it; a
            Pillow image; or an array of bytes, (height, width), (height, width, 3) or with transparency (height, width,
            4).
        size: pixels that the shorter side must have, 1 or more.
        called: what messages call it; by default its path.
        most_pixels: a limit for files besides `MAX_PIXELS`, however they are decoded.

    Raises:
        DataError: not an image, cut short, damaged or too large; the message names the file.
    """
    from PIL import Image

    if size < 1:
        raise VectableError(f"The size must be a positive integer; got {size!r}.")
    is_file = isinstance(source, str | Path | bytes)
    named = called or (repr(str(source)) if isinstance(source, str | Path) else f"This {type(source).__name__}")
    try:
        if isinstance(source, Image.Image):
            return _working_picture(source, size)
        if not is_file:
            return _working_picture(_from_array(source), size)
        with _open(source, named) as opened:
            room = round(size * MARGIN)
            full = opened.width * opened.height
            if most_pixels is not None and full > most_pixels:
                raise DataError(f"{named} has {full:,} pixels, and {most_pixels:,} is the most; make it smaller.")
            opened.draft("RGB", (room * 2, room * 2))
            _check_pixels(opened, full, _length_of(source), named)
            with _ONE_LARGE if opened.width * opened.height > LARGE else nullcontext():
                return _working_picture(opened, size)
    except VectableError:
        raise
    except FileNotFoundError as problem:
        raise DataError(f"There is no file {named}.") from problem
    except Exception as problem:  # a damaged file leads Pillow's readers to raise anything
        raise DataError(f"{named} is not an image that can be read: {_reason(problem, source)}.") from problem


def _working_picture(image: "Image", size: int) -> Picture:
    """Upright, in three colours, at the working size."""
    from PIL import ImageOps

    if image.width * image.height > LARGE:
        upright = _turned(_shrunk(image, size), image.getexif().get(ORIENTATION, 1))
    else:
        upright = _in_colour(ImageOps.exif_transpose(image))
    return np.array(_at_working_size(_middle(upright), size), dtype=np.uint8)


def _shrunk(image: "Image", size: int) -> "Image":
    """RGB, reduced by averaging to some `GAP` times the working size: strip by strip, so that no whole copy is made."""
    from PIL import Image

    factor = max(1, int(min(image.size) / round(size * MARGIN) / GAP))
    width, height = (side // factor for side in image.size)
    left, top = ((side % factor) // 2 for side in image.size)  # a few pixels at the edges fill no block
    shrunk = Image.new("RGB", (width, height))
    image.load()
    for row in range(0, height, STRIP):
        rows = min(STRIP, height - row)
        box = (left, top + row * factor, left + width * factor, top + (row + rows) * factor)
        shrunk.paste(_in_colour(image.crop(box)).reduce(factor), (0, row))
    return shrunk


def _turned(image: "Image", orientation: object) -> "Image":
    """An image as its orientation tag, 1 to 8, says that it is to be seen."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }  # fmt: skip
    return image.transpose(turns[orientation]) if orientation in turns else image


def _from_array(values: Any) -> "Image":
    from PIL import Image

    if not hasattr(values, "__array__"):
        raise DataError(f"{values!r:.80} is not an image: give a path, a Pillow image or an array of bytes.")
    array = np.asarray(values)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise DataError(
            f"An image as an array has bytes, 0 to 255, in the shape (height, width), (height, width, 3) or (height, "
            f"width, 4); this one has {array.dtype} in {array.shape}."
        )
    if 0 in array.shape:
        raise DataError(f"This array is an image without pixels: its shape is {array.shape}.")
    return Image.fromarray(array)


def center_crop(picture: Picture, size: int) -> Picture:
    """The middle of an image, (size, size, 3), both of whose sides are at least `size`."""
    top, left = ((side - size) // 2 for side in picture.shape[:2])
    return picture[top : top + size, left : left + size]


def _open(source: Any, named: str) -> "ImageFile":
    """Open without decoding; Pillow's own guard against huge pictures gives way to ours, which knows of drafts."""
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return Image.open(_readable(source), formats=_known_formats())
        except Image.DecompressionBombError:
            begin = source[:2] if isinstance(source, bytes) else _first_bytes(source)
            if begin != b"\xff\xd8":
                raise DataError(
                    f"{named} is too large to decode (more than {MAX_PIXELS:,} pixels): make it smaller, or a JPEG, "
                    "which is read at a part of its size."
                ) from None
            return JpegImageFile(_readable(source))


def _readable(source: Any) -> Any:
    """What Pillow opens."""
    return io.BytesIO(source) if isinstance(source, bytes) else str(source)


def _first_bytes(path: str | Path) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(2)


def _length_of(source: Any) -> int:
    """Bytes of a file."""
    return len(source) if isinstance(source, bytes) else Path(source).stat().st_size


@cache
def _known_formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow was built with."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _check_pixels(image: "ImageFile", full: int, length: int, named: str) -> None:
    """Refuse what is too large to decode, or smaller than it says: uncompressed pixels take a bit each, at least.

    A progressive JPEG keeps every coefficient in memory, drafted or not.
    """
    pixels = full if image.info.get("progressive") else image.width * image.height
    most = MAX_PIXELS_COPIED if image.format in COPIED else MAX_PIXELS
    if pixels > most:
        raise DataError(
            f"{named} has {full:,} pixels, and {most:,} is the most that is decoded whole: make it smaller, or a "
            "baseline JPEG, which is read at a part of its size."
        )
    if image.tile and all(tile[0] == "raw" for tile in image.tile) and pixels > 8 * length:
        raise DataError(f"{named} is cut short or damaged: it says that it has {full:,} pixels.")


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
    return image.resize((width, height), Resampling.BICUBIC, reducing_gap=GAP)


def _reason(problem: BaseException, source: Any) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(problem, UnidentifiedImageError):
        return f"not in any of the formats {', '.join(FORMATS)}" if _length_of(source) else "the file is empty"
    if isinstance(problem, MemoryError):
        return "it does not fit into memory"
    known: Any = getattr(problem, "strerror", None)
    return str(known or problem or type(problem).__name__).rstrip(".")
