"""Saved folders: written in one step, read with every file checked. Loading never runs code from the folder.

A folder holds safetensors for numbers and JSON for everything else, and `vectable.json`, which names every other file
with its checksum and ends with its own. A save writes new files beside the old ones and then replaces `vectable.json`
in one step, so that a crash at any moment leaves the old model or the new one. One save at a time writes to a folder;
what is in its way to be read is read again.
"""

import hashlib
import os
import platform
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from vectable._version import __version__
from vectable.errors import ArtifactError, VectableError, quote_some, warn
from vectable.folder_files import (
    LONGEST_MANIFEST,
    count_numbers,
    from_json,
    read_arrays,
    read_tensors,
    to_json,
    to_tensor_file,
)
from vectable.folder_lock import LOCK_FILE, folder_lock
from vectable.folder_schema import PartError

if TYPE_CHECKING:
    from torch import Tensor

Numbers = TypeVar("Numbers")

FORMAT = "vectable"
FORMAT_VERSION, SERVING_VERSION = 1, 3
MANIFEST = "vectable.json"
ENTRIES = {"kind": str, "saved": str, "versions": dict, "settings": dict, "files": dict}
OURS = re.compile(rf"[a-z_]+-[0-9a-f]{{16}}\.(safetensors|json)|vectable\.json-[0-9a-f]{{16}}|{re.escape(LOCK_FILE)}")

CHECKPOINT = "checkpoint"  # the kind of a folder that a fit continues from
LONGEST_REASON = 400  # characters of what another library says
AGAIN = "Restore it or train again."


@dataclass
class Contents:
    """What a folder holds, in memory.

    Attributes:
        kind: what the folder is of: a key of `vectable.loading.LOADERS`, or `CHECKPOINT`.
        settings: anything JSON.
        tensors: by name of the file ("weights", "optimizer", "history", "data"), then by name of the tensor.
        tables: by name of the file, anything JSON that may be long (vocabularies, titles).
    """

    kind: str
    settings: dict[str, Any]
    tensors: dict[str, dict[str, "Tensor"]]
    tables: dict[str, Any]


@dataclass
class ArrayContents:
    """What a folder holds, as `Contents` and read without torch.

    Attributes:
        arrays: as `Contents.tensors`.
        version: twelve hexadecimal digits of the manifest's checksum, which tell this save from any other.
    """

    kind: str
    settings: dict[str, Any]
    arrays: dict[str, dict[str, NDArray[Any]]]
    tables: dict[str, Any]
    version: str


# ---------------------------------------------------------------- the folder


def write_folder(path: str | Path, contents: Contents) -> Path:
    """Write a folder, or replace what an earlier save left there, in one step.

    After an error, or when it is interrupted, the folder is as it was before.

    Raises:
        ArtifactError: the folder holds something else, cannot be written, or another program is saving to it for too
            long.
    """
    folder = check_target(path)
    made = [one for one in (folder, *folder.absolute().parents) if not one.exists()]
    try:
        with folder_lock(folder, make=True) as alone:
            return _replace_contents(folder, contents, alone, made)
    except OSError as problem:
        reason = problem.strerror or problem
        raise ArtifactError(f"The model cannot be saved to {str(folder)!r}: {reason}.") from problem


def check_target(path: str | Path) -> Path:
    """The folder that a save to `path` would write, checked before there is anything to lose.

    Raises:
        ArtifactError: it holds something else, or its place cannot be written.
    """
    folder = Path(path)
    if folder.exists() and not (folder.is_dir() and _is_free(folder)):
        raise ArtifactError(f"{str(folder)!r} exists and is not a saved model; choose another name.")
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        raise ArtifactError(f"The model cannot be saved to {str(folder)!r}: {str(place)!r} cannot be written to.")
    return folder


def read_manifest(path: str | Path) -> dict[str, Any]:
    """The manifest of a folder, checked to be ours and of a version that this program knows.

    Raises:
        ArtifactError: the folder is not there, not ours, newer or damaged.
    """
    folder = Path(path)
    file = folder / MANIFEST
    if not folder.exists():
        raise ArtifactError(f"There is no saved model at {str(folder)!r}.{_models_in(folder.parent)}")
    if not file.is_file():
        raise ArtifactError(f"{str(folder)!r} is not a saved model: it holds no {MANIFEST}.{_models_in(folder)}")
    try:
        if file.stat().st_size > LONGEST_MANIFEST:
            raise ArtifactError(f"it is longer than {LONGEST_MANIFEST:,} bytes")
        manifest = from_json(file.read_bytes())
    except (OSError, ArtifactError) as problem:
        raise ArtifactError(f"{str(file)!r} cannot be read ({problem}). {AGAIN}") from problem
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtifactError(f"{str(folder)!r} is not a saved model of vectable: its {MANIFEST} is something else's.")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version > SERVING_VERSION:
        raise ArtifactError(
            f"{str(folder)!r} has format version {version!r}, and this vectable {__version__} reads up to "
            f"{FORMAT_VERSION}: it was saved by a newer one ({_saved_by(manifest)}). Upgrade vectable."
        )
    if manifest.pop("sha256", None) != _checksum_of(manifest):
        raise ArtifactError(f"{str(file)!r} is damaged: it is not what was saved. {AGAIN}")
    for name, kind in ENTRIES.items():
        if not isinstance(manifest.get(name), kind):
            raise ArtifactError(f"{str(file)!r} is damaged: its {name!r} is missing. {AGAIN}")
    return manifest


def read_folder(path: str | Path) -> Contents:
    """Read a folder back, every file checked against its checksum.

    Where a save replaces the folder's contents meanwhile, they are read once more, with saves kept waiting.

    Raises:
        ArtifactError: not there, not ours, newer, damaged or incomplete.
    """
    manifest, tensors, tables = _read_whole(Path(path), read_tensors)
    return Contents(manifest["kind"], manifest["settings"], tensors, tables)


def read_arrays_of_folder(path: str | Path) -> ArrayContents:
    """Read a folder back as `read_folder` does, its numbers as NumPy arrays."""
    manifest, arrays, tables = _read_whole(Path(path), read_arrays)
    return ArrayContents(manifest["kind"], manifest["settings"], arrays, tables, _checksum_of(manifest)[:12])


def _read_whole(
    folder: Path, read: Callable[[Path], Numbers]
) -> tuple[dict[str, Any], dict[str, Numbers], dict[str, Any]]:
    """A folder's manifest, its files of numbers by name, and its JSON tables.

    Args:
        read: reads a file of numbers.
    """
    manifest = read_manifest(folder)
    try:
        return manifest, *_read_files(folder, manifest, read)
    except ArtifactError:
        if read_manifest(folder) == manifest:
            raise
    try:
        with folder_lock(folder, shared=True):
            manifest = read_manifest(folder)
            return manifest, *_read_files(folder, manifest, read)
    except OSError as problem:
        raise ArtifactError(f"{str(folder)!r} cannot be read: {problem.strerror or problem}. Try again.") from problem


def _replace_contents(folder: Path, contents: Contents, alone: bool, made: list[Path]) -> Path:
    """Write a folder's files and then its manifest, and leave no file that the manifest does not name.

    Args:
        alone: whether the folder is locked, so that whatever else lies in it was left by a save that was killed.
        made: folders that are there for this save only, the innermost first.
    """
    stamp = secrets.token_hex(8)
    before = _names_in_manifest(folder) or set()
    new: set[str] = set()
    try:
        files = {}
        for name, tensors in contents.tensors.items():
            new.add(f"{name}-{stamp}.safetensors")
            files[name] = _write_file(folder / f"{name}-{stamp}.safetensors", to_tensor_file(tensors))
        for name, table in contents.tables.items():
            new.add(f"{name}-{stamp}.json")
            files[name] = _write_file(folder / f"{name}-{stamp}.json", to_json(table))
        manifest = {
            "format": FORMAT,
            "format_version": SERVING_VERSION if contents.settings.get("serving") else FORMAT_VERSION,
            "kind": contents.kind,
            "saved": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": _versions(),
            "settings": contents.settings,
            "files": files,
        }
        _replace_manifest(folder, manifest, stamp)
    except BaseException:
        with suppress(OSError):
            _remove_leftovers(folder, None if alone else new)
            for one in made:
                one.rmdir()  # which it does only where it is empty
        raise
    try:
        _remove_leftovers(folder, None if alone else before)
    except OSError as problem:
        warn(f"The model is saved to {str(folder)!r}; files of the last save could not be removed: {problem}.")
    return folder


def _replace_manifest(folder: Path, manifest: Mapping[str, Any], stamp: str) -> None:
    """Let a folder's manifest be this one, in one step."""
    new = folder / f"{MANIFEST}-{stamp}"
    try:
        _write_file(new, to_json({**manifest, "sha256": _checksum_of(manifest)}, indent=1))
        os.replace(new, folder / MANIFEST)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    _fsync_folder(folder)


def _write_file(file: Path, content: bytes) -> dict[str, Any]:
    """Write a new file and make sure that it is on the disk; its entry in the manifest."""
    with file.open("xb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    return {"file": file.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _fsync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk, before the files that they replace are removed."""
    if sys.platform != "win32":
        opened = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # not every file system can
                os.fsync(opened)
        finally:
            os.close(opened)


def _remove_leftovers(folder: Path, some: set[str] | None) -> None:
    """Remove what saves wrote and the manifest does not name: files of these names, or with None whatever there is."""
    named = _names_in_manifest(folder)
    if named is None:
        return
    for name in os.listdir(folder) if some is None else some:
        if OURS.fullmatch(name) and name not in named and name != LOCK_FILE and (folder / name).is_file():
            (folder / name).unlink(missing_ok=True)


def _names_in_manifest(folder: Path) -> set[str] | None:
    """The files that a folder's manifest names: none where there is no manifest, None where it cannot be read."""
    try:
        manifest = from_json((folder / MANIFEST).read_bytes())
        return {entry["file"] for entry in manifest["files"].values()}
    except FileNotFoundError:
        return set()
    except (OSError, ArtifactError, KeyError, TypeError, AttributeError):
        return None


def _read_files(
    folder: Path, manifest: Mapping[str, Any], read: Callable[[Path], Numbers]
) -> tuple[dict[str, Numbers], dict[str, Any]]:
    numbers: dict[str, Numbers] = {}
    tables: dict[str, Any] = {}
    for name, entry in manifest["files"].items():
        file = _checked(folder, entry)
        try:
            if file.suffix == ".safetensors":
                numbers[name] = read(file)
            else:
                tables[name] = from_json(file.read_bytes())
        except (OSError, ArtifactError) as problem:
            raise ArtifactError(f"{str(file)!r} cannot be read ({problem}). {AGAIN}") from problem
    return numbers, tables


def _is_free(folder: Path) -> bool:
    """Whether a folder may be saved into: it holds a model of ours, the beginnings of one, or nothing."""
    try:
        manifest = from_json((folder / MANIFEST).read_bytes())
        return isinstance(manifest, dict) and manifest.get("format") == FORMAT
    except FileNotFoundError:
        return all(OURS.fullmatch(one.name) for one in folder.iterdir())
    except (OSError, ArtifactError):
        return False


def _models_in(folder: Path) -> str:
    """A sentence naming the saved models in a folder, with a leading space; empty where there are none."""
    near = sorted(str(found.parent) for found in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
    return f" Saved models there: {quote_some(near)}." if near else ""


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _checksum_of(manifest: Mapping[str, Any]) -> str:
    """The checksum of what a manifest says, however it is spaced."""
    return hashlib.sha256(to_json(manifest, sort_keys=True)).hexdigest()


def _checked(folder: Path, entry: Any) -> Path:
    """The file of an entry of the manifest, known to be what was saved."""
    kinds = {"file": str, "bytes": int, "sha256": str}
    if not (isinstance(entry, dict) and all(isinstance(entry.get(name), kind) for name, kind in kinds.items())):
        raise ArtifactError(f"{str(folder / MANIFEST)!r} is damaged: an entry of its 'files' is {entry!r:.80}. {AGAIN}")
    name: str = entry["file"]
    if Path(name).name != name or "\0" in name:
        raise ArtifactError(f"{str(folder)!r} names the file {name!r} outside itself and is not read.")
    file = folder / name
    try:
        if not file.is_file():
            raise ArtifactError(f"{str(folder)!r} is incomplete: its file {name} is missing. {AGAIN}")
        size = file.stat().st_size
        if size != entry["bytes"] or _checksum(file) != entry["sha256"]:
            raise ArtifactError(
                f"{str(file)!r} is damaged: it is not, byte for byte, what was saved ({entry['bytes']:,} bytes then, "
                f"{size:,} now). {AGAIN}"
            )
    except (OSError, ValueError) as problem:
        if isinstance(problem, ArtifactError):
            raise
        raise ArtifactError(f"{str(folder)!r} cannot be read: its file {name!r}: {problem}. {AGAIN}") from problem
    return file


def _versions() -> dict[str, str]:
    import numpy
    import torch

    return {
        "vectable": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }


def _saved_by(manifest: Mapping[str, Any]) -> str:
    versions = manifest.get("versions")
    return f"vectable {versions.get('vectable', 'unknown')}" if isinstance(versions, dict) else "version unknown"


# ---------------------------------------------------------------- models


@contextmanager
def contents_of_model(path: str | Path, alone: bool = True) -> Iterator[Contents]:
    """What the folder of a saved model holds, while something is made of it: what does not fit is reported.

    Args:
        alone: whether it is made of the folder alone; see `making_from`.

    Raises:
        ArtifactError: as `read_folder` and `making_from`; or the folder is a checkpoint.
    """
    contents = read_folder(path)
    check_is_model(contents, str(path))
    with making_from(str(path), alone):
        yield contents


@contextmanager
def making_from(where: str, alone: bool = True) -> Iterator[None]:
    """Report whatever goes wrong while something is made of a folder's contents as damage to the folder.

    Parts are declared and checked where they are used (`folder_schema`); what slips through there is caught here.

    Args:
        where: the folder's name.
        alone: whether only the folder can be wrong; otherwise the caller's module, data or options may be, whose
            errors pass.

    Raises:
        ArtifactError: a part is missing, or does not fit the others.
    """
    try:
        yield
    except PartError as problem:
        raise ArtifactError(f"{where!r} is damaged: {str(problem)[:LONGEST_REASON]}. {AGAIN}") from problem
    except ArtifactError:
        raise
    except (KeyError, IndexError) as problem:
        raise ArtifactError(f"{where!r} is damaged: {problem} is missing in it. {AGAIN}") from problem
    except Exception as problem:
        if not alone:
            raise
        what = problem if isinstance(problem, VectableError) else f"{type(problem).__name__}: {problem}"
        shown = str(what).partition("\n")[0][:LONGEST_REASON].rstrip(".")
        raise ArtifactError(f"{where!r} is damaged: {shown}. {AGAIN}") from problem


def check_is_model(contents: Contents | ArrayContents, where: str) -> None:
    """Raise an `ArtifactError` where the contents are a checkpoint's and not a model's."""
    if contents.kind == CHECKPOINT:
        raise ArtifactError(
            f"{where!r} holds the checkpoint of a fit, not a saved model: make the learner as it was made then, and "
            f"call the same fit with checkpoint={where!r}, resume=True."
        )


# ---------------------------------------------------------------- a folder's manifest and history alone


def add_settings(path: str | Path, saved: Mapping[str, Any], **settings: Any) -> bool:
    """Write more into the settings of a saved folder, e.g. what was measured of its model; its other files stay.

    Args:
        saved: the folder's manifest; where another save has replaced it since, nothing is written.

    Returns:
        Whether the settings were written.

    Raises:
        ArtifactError: the folder is not there, not ours or damaged, or cannot be written.
    """
    folder = Path(path)
    try:
        with folder_lock(folder):
            if read_manifest(folder) != saved:
                return False
            more = {**saved, "settings": {**saved["settings"], **settings}}
            _replace_manifest(folder, more, secrets.token_hex(8))
    except OSError as problem:
        reason = problem.strerror or problem
        raise ArtifactError(f"{str(folder)!r} cannot be written: {reason}.") from problem
    return True


def read_one_table(path: str | Path, name: str) -> Any:
    """One of a folder's JSON tables, checked; None where the folder has none of that name. Nothing else is read."""
    entry = read_manifest(path)["files"].get(name)
    if entry is None:
        return None
    file = _checked(Path(path), entry)
    try:
        return from_json(file.read_bytes())
    except (OSError, ArtifactError) as problem:
        raise ArtifactError(f"{str(file)!r} cannot be read ({problem}). {AGAIN}") from problem


def count_weights(path: str | Path) -> int:
    """The number of weights of a folder's model, from the header of their file; without torch."""
    entry = read_manifest(path)["files"].get("weights")
    if entry is None:
        return 0
    file = _checked(Path(path), entry)
    try:
        return count_numbers(file)
    except (OSError, ArtifactError) as problem:
        raise ArtifactError(f"{str(file)!r} cannot be read ({problem}). {AGAIN}") from problem
