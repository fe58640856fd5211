"""Saved folders elsewhere: an address such as ``hf://user/model`` is downloaded once and read like any other folder.

fsspec reads them, so whatever it has a file system for can be named: the Hugging Face hub, S3, HTTP, a zip. A folder is
kept in the user's cache under the checksum of its manifest; a newer save at the same address is another one.
"""

import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from vectable.artifact import AGAIN, MANIFEST, read_manifest
from vectable.data.sets.cache_folder import cache_dir
from vectable.errors import ArtifactError, VectableError
from vectable.folder_files import LONGEST_MANIFEST

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::.+)?://")
AT_A_TIME = 2**20  # bytes
CACHE_VARIABLE = "VECTABLE_CACHE"


def local_folder(path: str | Path) -> Path:
    """The folder on this machine that a path or an address stands for, downloaded where it is not there yet.

    Args:
        path: a path, which is given back; or an address that fsspec reads, e.g. ``hf://user/model``.

    Raises:
        VectableError: the extra `remote` is not installed, or there is no such kind of address.
        ArtifactError: there is no saved model, or a file of it is not what was saved.
    """
    if not (isinstance(path, str) and ADDRESS.match(path)):
        return Path(path)
    shown = _without_secrets(path)
    files, root = _file_system(path, shown)
    manifest = _read(files, f"{root}/{MANIFEST}", shown, LONGEST_MANIFEST)
    folder = cache_folder() / hashlib.sha256(manifest).hexdigest()[:32]
    if (folder / MANIFEST).is_file():
        return folder
    coming = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        coming.mkdir(parents=True)
        (coming / MANIFEST).write_bytes(manifest)
        for entry in read_manifest(coming)["files"].values():
            _download(files, root, entry, coming, shown)
        if not folder.exists():
            coming.rename(folder)
    except OSError as problem:
        raise ArtifactError(f"{shown!r} cannot be kept in {str(folder.parent)!r}: {problem}.") from None
    finally:
        shutil.rmtree(coming, ignore_errors=True)
    return folder


def cache_folder() -> Path:
    """Where downloaded folders are kept: what VECTABLE_CACHE names, else the platform's cache folder for this user."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser() / "models"
    return cache_dir() / "models"


def _file_system(address: str, shown: str) -> tuple[Any, str]:
    """What reads an address, and the place in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise VectableError(
            f"{shown!r} needs fsspec, which is not installed: pip install 'vectable[remote]'."
        ) from None
    try:
        files, root = url_to_fs(address)
    except ImportError as problem:
        raise VectableError(
            f"{shown!r} needs a package that is not installed: pip install 'vectable[remote]', or what fsspec asks for "
            f"({problem})."
        ) from None
    except ValueError as problem:
        raise VectableError(f"{shown!r} is no address that fsspec reads: {problem}.") from None
    except Exception as problem:
        raise ArtifactError(f"{shown!r} cannot be read: {_words(problem)}.") from None
    return files, str(root).rstrip("/")


def _read(files: Any, place: str, shown: str, most: int) -> bytes:
    """A small file, whole."""
    try:
        with files.open(place, "rb") as opened:
            content = bytes(opened.read(most + 1))
    except FileNotFoundError:
        raise ArtifactError(f"There is no saved model at {shown!r}: it holds no {MANIFEST}.") from None
    except Exception as problem:  # each file system has errors of its own
        raise ArtifactError(f"{shown!r} cannot be read: {_words(problem)}.") from None
    if len(content) > most:
        raise ArtifactError(f"{shown!r} cannot be read: its {MANIFEST} is longer than {most:,} bytes.")
    return content


def _download(files: Any, root: str, entry: Any, folder: Path, shown: str) -> None:
    """One file that the manifest names, known to be what was saved."""
    name, size, checksum = (entry.get(key) if isinstance(entry, dict) else None for key in ("file", "bytes", "sha256"))
    if not (isinstance(name, str) and Path(name).name == name and "\0" not in name and isinstance(size, int)):
        raise ArtifactError(f"{shown!r} is damaged: an entry of its {MANIFEST} is {entry!r:.80}. {AGAIN}")
    digest, left = hashlib.sha256(), size
    try:
        with files.open(f"{root}/{name}", "rb") as opened, (folder / name).open("xb") as written:
            while left >= 0 and (block := opened.read(min(AT_A_TIME, left + 1))):
                digest.update(block)
                written.write(block)
                left -= len(block)
    except FileNotFoundError:
        raise ArtifactError(f"{shown!r} is incomplete: its file {name} is missing. {AGAIN}") from None
    except Exception as problem:
        raise ArtifactError(f"{shown!r} cannot be read: its file {name!r}: {_words(problem)}.") from None
    if left != 0 or digest.hexdigest() != checksum:
        raise ArtifactError(f"{shown!r} is damaged: {name} is not, byte for byte, what was saved. {AGAIN}")


def _without_secrets(address: str) -> str:
    """An address as it may be shown: without a password, and without what stands behind a question mark."""
    return re.sub(r"://[^/@]*@", "://", address.partition("?")[0])


def _words(problem: Exception) -> str:
    """What another library says, in one line and without addresses, which may hold a token."""
    said = str(problem).strip().partition("\n")[0] or type(problem).__name__
    return re.sub(r"\S+://\S+", "the address", said).rstrip(".")[:300]
