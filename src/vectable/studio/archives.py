"""What an uploaded zip holds: photographs, a saved model, or one table; nothing of it is trusted.

Runs beside the server.
"""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from vectable.artifact import MANIFEST
from vectable.data.images.image_files import SUFFIXES
from vectable.errors import DataError, require
from vectable.studio.limits import ARCHIVED_BYTES, ARCHIVED_FILES

ARCHIVES = {".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"}
TABLES = {".csv", ".tsv", ".txt", ".parquet", ".pq", ".arrow", ".feather", ".ipc", ".json", ".jsonl", ".ndjson"}
BLOCK = 1 << 20
MODEL, PHOTOGRAPHS, TABLE = "model", "photographs", "table"


def unpack(archive: Path, into: Path) -> tuple[str, Path]:
    """Unpack a zip into a folder that is not there yet; all of it or nothing.

    Returns:
        "model", "photographs" or "table", and the folder or file.

    Raises:
        DataError: it is damaged, too large, holds links or names that lead out of it, or none of these three.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            files = _files_of(opened)
            kind = _kind(files)
            into.mkdir(parents=True)
            try:
                _extract(opened, files, into)
                return kind, _top_of(kind, files, into)
            except BaseException:
                shutil.rmtree(into, ignore_errors=True)
                raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as why:
        raise DataError(f"The zip is damaged, or packed in a way that is not known here: {why}.") from None


def _files_of(opened: zipfile.ZipFile) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The files of an archive by their places, once all of them were found harmless."""
    found = {}
    listed = opened.infolist()
    require(len(listed) <= ARCHIVED_FILES, f"The zip holds more than {ARCHIVED_FILES:,} files; leave some out.")
    total = sum(one.file_size for one in listed)
    if total > ARCHIVED_BYTES:
        raise DataError(
            f"The zip holds {total / 1e9:.1f} GB unpacked; at most {ARCHIVED_BYTES / 1e9:.0f} GB are taken."
        )
    for one in listed:
        place = PurePosixPath(one.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in one.filename or "\0" in one.filename:
            raise DataError(f"The zip names {one.filename[:80]!r}, which leads out of it; such a zip is not unpacked.")
        mode = one.external_attr >> 16
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
            raise DataError(f"The zip holds a link or device, {one.filename[:80]!r}; such a zip is not unpacked.")
        if one.flag_bits & 1:
            raise DataError("The zip is encrypted; pack it without a password.")
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in place.parts)
        if not one.is_dir() and not hidden:
            found[place] = one
    return found


def _kind(files: dict[PurePosixPath, zipfile.ZipInfo]) -> str:
    if any(place.name == MANIFEST and len(place.parts) <= 2 for place in files):
        return MODEL
    images = sum(place.suffix.lower() in SUFFIXES for place in files)
    tables = [place for place in files if place.suffix.lower() in TABLES]
    inner = [place for place in files if place.suffix.lower() in ARCHIVES]
    if images:
        return PHOTOGRAPHS
    if len(tables) == 1:
        return TABLE
    if inner:
        raise DataError(f"The zip holds other archives, as {str(inner[0])[:80]!r}: unpack it and pack what is in them.")
    if tables:
        raise DataError(f"The zip holds {len(tables)} tables; drop the one that is meant.")
    raise DataError("The zip holds neither photographs in a folder for each class, nor a saved model, nor a table.")


def _extract(opened: zipfile.ZipFile, files: dict[PurePosixPath, zipfile.ZipInfo], into: Path) -> None:
    """Write the files; what the archive says of their sizes is not believed."""
    left = ARCHIVED_BYTES
    for place, one in files.items():
        target = into.joinpath(*place.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(one) as packed, target.open("xb") as file:
            while block := packed.read(BLOCK):
                left -= len(block)
                require(left >= 0, f"The zip holds more than {ARCHIVED_BYTES / 1e9:.0f} GB unpacked.")
                file.write(block)


def _top_of(kind: str, files: dict[PurePosixPath, zipfile.ZipInfo], into: Path) -> Path:
    """The model's folder, the folder of classes, or the table."""
    if kind == MODEL:
        return into.joinpath(*next(place for place in files if place.name == MANIFEST).parent.parts)
    if kind == TABLE:
        return into.joinpath(*next(place for place in files if place.suffix.lower() in TABLES).parts)
    depth = min(len(place.parts) for place in files if place.suffix.lower() in SUFFIXES)
    top = into
    while depth > 2 and len(inside := [one for one in top.iterdir() if one.is_dir()]) == 1:
        top, depth = inside[0], depth - 1
    return top
