"""The saved folder: safetensors for numbers and JSON for everything else. Loading never runs code from the folder.

The folder holds `vectable.json`, which names every other file with its checksum and ends with its own. A save writes
new files beside the old ones and then replaces `vectable.json` in one step, so that a crash at any moment leaves the
old model or the new one.
"""

import hashlib
import json
import os
import platform
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectable._version import __version__
from vectable.errors import ArtifactError, quote_some

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "vectable"
FORMAT_VERSION = 1
MANIFEST = "vectable.json"
ENTRIES = {"kind": str, "saved": str, "versions": dict, "settings": dict, "files": dict}
OURS = re.compile(r"[a-z_]+-[0-9a-f]{16}\.(safetensors|json)|vectable\.json-[0-9a-f]{16}")

CHECKPOINT = "checkpoint"  # the kind of a folder that a fit goes on from
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


# ---------------------------------------------------------------- the folder


def write_folder(path: str | Path, contents: Contents) -> Path:
    """Write a folder, or replace what a former save left there, in one step.

    Raises:
        ArtifactError: the folder holds something else, or cannot be written.
    """
    from safetensors.torch import save

    folder = check_target(path)
    stamp = secrets.token_hex(8)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files: dict[str, dict[str, Any]] = {}
        for name, tensors in contents.tensors.items():
            file = folder / f"{name}-{stamp}.safetensors"
            file.write_bytes(save({key: value.detach().cpu().contiguous() for key, value in tensors.items()}))
            files[name] = _settle(file)
        for name, table in contents.tables.items():
            file = folder / f"{name}-{stamp}.json"
            file.write_text(_json(table), encoding="utf-8")
            files[name] = _settle(file)
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "kind": contents.kind,
            "saved": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": _versions(),
            "settings": contents.settings,
            "files": files,
        }
        new = folder / f"{MANIFEST}-{stamp}"
        new.write_text(_json({**manifest, "sha256": _checksum_of(manifest)}, indent=1), encoding="utf-8")
        _settle(new)
        os.replace(new, folder / MANIFEST)
        for leftover in folder.iterdir():  # of former saves, finished or not
            if OURS.fullmatch(leftover.name) and stamp not in leftover.name:
                leftover.unlink()
    except OSError as problem:
        reason = problem.strerror or problem
        raise ArtifactError(f"The model cannot be saved to {str(folder)!r}: {reason}.") from problem
    return folder


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
    """The manifest of a folder, checked to be ours and of a version that this program knows."""
    folder = Path(path)
    if not folder.exists():
        raise ArtifactError(f"There is no saved model at {str(folder)!r}.{_models_in(folder.parent)}")
    if not (folder / MANIFEST).is_file():
        raise ArtifactError(f"{str(folder)!r} is not a saved model: it holds no {MANIFEST}.{_models_in(folder)}")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise ArtifactError(f"{str(folder / MANIFEST)!r} cannot be read ({problem}). {AGAIN}") from problem
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtifactError(f"{str(folder)!r} is not a saved model of vectable: its {MANIFEST} is something else's.")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ArtifactError(
            f"{str(folder)!r} has format version {version!r}, and this vectable {__version__} reads up to "
            f"{FORMAT_VERSION}: it was saved by a newer one ({_saved_by(manifest)}). Upgrade vectable."
        )
    if manifest.pop("sha256", None) != _checksum_of(manifest):
        raise ArtifactError(f"{str(folder / MANIFEST)!r} is damaged: it is not what was saved. {AGAIN}")
    for name, kind in ENTRIES.items():
        if not isinstance(manifest.get(name), kind):
            raise ArtifactError(f"{str(folder / MANIFEST)!r} is damaged: its {name!r} is missing. {AGAIN}")
    return manifest


def read_folder(path: str | Path) -> Contents:
    """Read a folder back, every file checked against its checksum.

    Raises:
        ArtifactError: not there, not ours, newer, damaged or incomplete.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder, manifest = Path(path), read_manifest(path)
    tensors: dict[str, dict[str, Tensor]] = {}
    tables: dict[str, Any] = {}
    try:
        for name, entry in manifest["files"].items():
            file = _checked(folder, entry)
            if file.suffix == ".safetensors":
                tensors[name] = load_file(file)
            else:
                tables[name] = json.loads(file.read_text(encoding="utf-8"))
        return Contents(manifest["kind"], manifest["settings"], tensors, tables)
    except ArtifactError:
        raise
    except (OSError, KeyError, TypeError, AttributeError, ValueError, SafetensorError) as problem:
        raise ArtifactError(f"{str(folder)!r} cannot be read ({problem!r}). {AGAIN}") from problem


def _is_free(folder: Path) -> bool:
    """Whether a folder may be saved into: it holds a model of ours, the beginnings of one, or nothing."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return isinstance(manifest, dict) and manifest.get("format") == FORMAT
    except FileNotFoundError:
        return all(OURS.fullmatch(one.name) for one in folder.iterdir())
    except (OSError, ValueError, RecursionError):
        return False


def _models_in(folder: Path) -> str:
    """A sentence naming the saved models in a folder, with a leading space; empty where there are none."""
    near = sorted(str(found.parent) for found in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
    return f" Saved models there: {quote_some(near)}." if near else ""


def _settle(file: Path) -> dict[str, Any]:
    """Make sure that a file is on the disk; its entry in the manifest."""
    with file.open("r+b") as opened:
        os.fsync(opened.fileno())
    return {"file": file.name, "bytes": file.stat().st_size, "sha256": _checksum(file)}


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _checksum_of(manifest: Mapping[str, Any]) -> str:
    """Of what a manifest says, however it is spaced."""
    return hashlib.sha256(_json(manifest, sort_keys=True).encode()).hexdigest()


def _json(value: Any, **how: Any) -> str:
    """JSON text; numbers of NumPy are written as Python's."""
    return json.dumps(value, ensure_ascii=False, default=lambda number: number.item(), **how)


def _checked(folder: Path, entry: Mapping[str, Any]) -> Path:
    name: str = entry["file"]
    if Path(name).name != name:
        raise ArtifactError(f"{str(folder)!r} names the file {name!r} outside itself and is not read.")
    file = folder / name
    if not file.is_file():
        raise ArtifactError(f"{str(folder)!r} is incomplete: its file {name} is missing. {AGAIN}")
    if file.stat().st_size != entry["bytes"] or _checksum(file) != entry["sha256"]:
        raise ArtifactError(
            f"{str(file)!r} is damaged: it is not, byte for byte, what was saved ({entry['bytes']:,} bytes then, "
            f"{file.stat().st_size:,} now). {AGAIN}"
        )
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
def contents_of_model(path: str | Path) -> Iterator[Contents]:
    """What the folder of a saved model holds, while something is made of it: a name missing there is reported.

    Raises:
        ArtifactError: as `read_folder`; or the folder is a checkpoint, or lacks an entry that is looked up inside.
    """
    contents = read_folder(path)
    check_is_model(contents, str(path))
    try:
        yield contents
    except (KeyError, IndexError) as problem:
        raise ArtifactError(f"{str(path)!r} is damaged: {problem} is missing in it. {AGAIN}") from problem


def check_is_model(contents: Contents, where: str) -> None:
    """Raise an `ArtifactError` where the contents are a checkpoint's and not a model's."""
    if contents.kind == CHECKPOINT:
        raise ArtifactError(
            f"{where!r} holds the checkpoint of a fit and no saved model: make the learner as it was made then, and "
            f"call the same fit with checkpoint={where!r}, resume=True."
        )
