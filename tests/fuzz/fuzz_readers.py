"""Mutated files for every reader: each must end in an answer or in the sentence of a VectableError.

    python tests/fuzz/fuzz_readers.py --cases 1000 --seed 1 [--formats csv png ...]

A small valid file of each format is changed at random (bits, bytes, cuts, copies, numbers that are huge) and read, in a
child process whose memory is limited; see `driver.py`.
"""

import gzip
import io
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from driver import main

ROWS = 60
INTERESTING = [b"\0", b"\xff" * 4, b"\x7f\xff\xff\xff", b'"', b",", b"\n", b"\r", b"\t", b"::", b"nan", b"-1", b"1e999"]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        suffix: of its name.
        make: the content of a small valid one.
        read: the reader under test.
    """

    suffix: str
    make: Callable[[], bytes]
    read: Callable[[Path], object]

    def write(self, name: str, number: int, seed: int, folder: Path) -> Path:
        """Write the file of a case."""
        path = folder / f"case{self.suffix}"
        path.write_bytes(case_content(name, number, seed))
        return path

    def try_it(self, path: Path) -> object:
        """Read it."""
        return self.read(path)


# ------------------------------------------------------------------------------------------- valid files


def _ratings() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    pairs = rng.permutation(8 * 12)[:ROWS]
    return pl.DataFrame(
        {
            "user": [f"u{one // 12}" for one in pairs],
            "item": (pairs % 12).tolist(),
            "rating": (rng.integers(1, 11, ROWS) / 2).tolist(),
            "day": [f"2024-05-{1 + one % 28:02}" for one in range(ROWS)],
        }
    )


def _table() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "kind": rng.choice(["red", "green", 'say "hi", all'], ROWS).tolist(),
            "size": rng.normal(size=ROWS).tolist(),
            "day": [f"2024-05-{1 + one % 28:02}" for one in range(ROWS)],
            "target": rng.integers(0, 2, ROWS).tolist(),
        }
    )


def _written(how: str, frame: Callable[[], pl.DataFrame], **more: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        file = io.BytesIO()
        getattr(frame(), f"write_{how}")(file, **more)
        return file.getvalue()

    return make


def _gzipped(make: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: gzip.compress(make(), mtime=0)


def _idx() -> bytes:
    numbers = np.arange(2 * 28 * 28, dtype=np.uint16).astype(np.uint8)
    return b"\0\0\x08\x03" + b"".join(one.to_bytes(4, "big") for one in (2, 28, 28)) + numbers.tobytes()


def _digits() -> bytes:
    rng = np.random.default_rng(0)
    pairs = tuple((rng.random((2, 784), dtype=np.float32), rng.integers(0, 10, 2)) for _ in range(3))
    return pickle.dumps(pairs, protocol=2)


def _image(kind: str, mode: str = "RGB", **how: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        from PIL import Image

        pixels = np.random.default_rng(0).integers(0, 255, (36, 40, 4 if mode == "RGBA" else 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(file, kind, **how)
        return file.getvalue()

    return make


# ------------------------------------------------------------------------------------------- the readers


def _read_table(path: Path) -> object:
    from vectable.data.io.files import read_table

    return read_table(path)


def _read_ratings(path: Path) -> object:
    from vectable import RatingsData

    return repr(RatingsData.from_file(path, timestamp="day"))


def _read_wide(path: Path) -> object:
    from vectable import RatingsData

    return repr(RatingsData.from_wide(path))


def _read_table_data(path: Path) -> object:
    from vectable import TableData

    return repr(TableData.from_file(path, "target"))


def _read_idx(path: Path) -> object:
    from vectable.lab.idx import read_idx

    return read_idx(path)


def _read_digits(path: Path) -> object:
    from vectable.lab.pickled_digits import read_pickled_mnist

    return read_pickled_mnist(path)


def _read_image(path: Path) -> object:
    from vectable.data.images.image_decoding import decode_image

    return decode_image(path, 28)


FORMATS: dict[str, Format] = {
    "csv": Format(".csv", _written("csv", _table), _read_table),
    "tsv": Format(".tsv", _written("csv", _table, separator="\t"), _read_table),
    "txt": Format(".txt", _written("csv", _ratings, separator=" "), _read_table),
    "csv.gz": Format(".csv.gz", _gzipped(_written("csv", _table)), _read_table),
    "parquet": Format(".parquet", _written("parquet", _table), _read_table),
    "arrow": Format(".arrow", _written("ipc", _table), _read_table),
    "json": Format(".json", _written("json", _table), _read_table),
    "jsonl": Format(".jsonl", _written("ndjson", _table), _read_table),
    "ratings": Format(".csv", _written("csv", _ratings), _read_ratings),
    "ratings.parquet": Format(".parquet", _written("parquet", _ratings), _read_ratings),
    "wide": Format(".csv", lambda: b"user,a,b,c\nann,5,,1\nbob,,2.5,4\neve,3,3,\n", _read_wide),
    "table": Format(".csv", _written("csv", _table), _read_table_data),
    "idx": Format("", _idx, _read_idx),
    "idx.gz": Format(".gz", _gzipped(_idx), _read_idx),
    "digits": Format(".pkl", _digits, _read_digits),
    "digits.gz": Format(".pkl.gz", _gzipped(_digits), _read_digits),
    "png": Format(".png", _image("PNG"), _read_image),
    "png.rgba": Format(".png", _image("PNG", "RGBA"), _read_image),
    "jpg": Format(".jpg", _image("JPEG"), _read_image),
    "progressive": Format(".jpg", _image("JPEG", progressive=True), _read_image),
    "gif": Format(".gif", _image("GIF", "P"), _read_image),
    "bmp": Format(".bmp", _image("BMP"), _read_image),
    "webp": Format(".webp", _image("WEBP"), _read_image),
    "tiff": Format(".tif", _image("TIFF", compression="tiff_deflate"), _read_image),
    "ppm": Format(".ppm", _image("PPM"), _read_image),
}


# ------------------------------------------------------------------------------------------- mutations


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The content after one to four changes."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        changed = _changed(changed, rng)
    return bytes(changed)


def _changed(content: bytearray, rng: np.random.Generator) -> bytearray:
    if not content:
        return bytearray(INTERESTING[int(rng.integers(len(INTERESTING)))])
    at = int(rng.integers(len(content)))
    length = int(min(2 ** rng.integers(0, 8), len(content) - at))
    other = int(rng.integers(len(content)))
    how = int(rng.integers(8))
    if how == 0:  # a bit
        content[at] ^= 1 << int(rng.integers(8))
    elif how == 1:  # a byte
        content[at] = int(rng.integers(256))
    elif how == 2:  # cut off
        del content[at:]
    elif how == 3:  # something missing
        del content[at : at + length]
    elif how == 4:  # something twice
        content[at:at] = content[other : other + length]
    elif how == 5:  # something over something else
        content[at : at + length] = content[other : other + length]
    elif how == 6:  # what readers stumble over, inserted
        content[at:at] = INTERESTING[int(rng.integers(len(INTERESTING)))]
    else:  # the same, written over
        what = INTERESTING[int(rng.integers(len(INTERESTING)))]
        content[at : at + len(what)] = what
    return content


def case_content(name: str, number: int, seed: int) -> bytes:
    """The file of one case; number 0 is the valid one."""
    content = FORMATS[name].make()
    return content if number == 0 else mutated(content, np.random.default_rng([seed, number, *name.encode()]))


if __name__ == "__main__":
    sys.exit(main(__doc__.splitlines()[0], __file__, FORMATS))
