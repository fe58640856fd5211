"""A folder in which several processes keep tensors together, and any other number of them reads them again.

Each state is a folder of its own. Every process writes what it has in files of safetensors; the file `latest`, replaced
when all are done, names the state that is whole, and what is older is removed then. Nothing is pickled.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.distributed.world import World
from vectable.errors import ArtifactError

LATEST = "latest"
ABOUT = "about.json"
Arrays = Mapping[str, NDArray[Any]]


class ShardFolder:
    """The states of one training. All processes call `write` together; each reads by itself.

    Args:
        path: the folder, on a disk that all processes see.
        world: the processes.
    """

    def __init__(self, path: Path, world: World) -> None:
        self.path, self._world = path, world

    @property
    def latest(self) -> Path | None:
        """The folder of the last state that is whole; None where there is none."""
        file = self.path / LATEST
        return self.path / file.read_text(encoding="utf-8").strip() if file.is_file() else None

    def write(self, name: str, about: Mapping[str, Any], arrays: Arrays) -> None:
        """Keep a state, in the place of the one before.

        Args:
            name: of its folder; another one than the last state's.
            about: JSON values, those of process 0.
            arrays: of this process, by names that no other process has.

        Raises:
            ArtifactError: it cannot be written.
        """
        place = self.path / name
        problem = self._attempt(lambda: _emptied(place)) if self._world.rank == 0 else ""
        self._check(problem)
        self._check(self._attempt(lambda: self._write_own(place, about, arrays)))
        problem = self._attempt(lambda: self._publish(name)) if self._world.rank == 0 else ""
        self._check(problem)

    def about(self, place: Path) -> dict[str, Any]:
        """What was said of a state.

        Raises:
            ArtifactError: it is damaged.
        """
        try:
            said = json.loads((place / ABOUT).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise ArtifactError(f"{place / ABOUT} cannot be read: {problem}.") from None
        if not isinstance(said, dict):
            raise ArtifactError(f"{place / ABOUT} is damaged: it is no JSON object.")
        return said

    def names(self, place: Path) -> dict[str, Path]:
        """In which file of a state each array is.

        Raises:
            ArtifactError: a file is damaged or missing.
        """
        from safetensors import SafetensorError, safe_open

        found: dict[str, Path] = {}
        for number in range(int(self.about(place).get("processes", 0))):
            file = place / _file(number)
            try:
                with safe_open(file, framework="numpy") as opened:
                    found |= dict.fromkeys(opened.keys(), file)
            except (OSError, SafetensorError) as problem:
                raise ArtifactError(f"{file} cannot be read: {problem}.") from None
        return found

    def _write_own(self, place: Path, about: Mapping[str, Any], arrays: Arrays) -> None:
        from safetensors.numpy import save_file

        file = place / _file(self._world.rank)
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, file)
        _sync(file)
        if self._world.rank == 0:
            (place / ABOUT).write_text(json.dumps({**about, "processes": self._world.size}), encoding="utf-8")
            _sync(place / ABOUT)
            _sync(place)

    def _publish(self, name: str) -> None:
        new = self.path / f"{LATEST}.new"
        new.write_text(name, encoding="utf-8")
        _sync(new)
        os.replace(new, self.path / LATEST)
        _sync(self.path)
        for other in self.path.iterdir():
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)

    def _attempt(self, work: Callable[[], None]) -> str:
        try:
            work()
        except OSError as problem:
            return f"{self.path} cannot be written: {problem.strerror or problem}."
        return ""

    def _check(self, problem: str) -> None:
        """Wait for all, and raise where one of them had a problem."""
        failed = self._world.total(np.array([bool(problem)], dtype=np.int64))
        if failed[0]:
            raise ArtifactError(problem or f"{self.path} cannot be written by {failed[0]} of the processes.")


def read_rows(files: Mapping[str, Path], name: str, first: int = 0, last: int | None = None) -> NDArray[Any]:
    """Some rows of an array of a state.

    Raises:
        ArtifactError: it is not there, or damaged.
    """
    from safetensors import SafetensorError, safe_open

    if name not in files:
        raise ArtifactError(f"There is no {name!r} in the checkpoint.")
    try:
        with safe_open(files[name], framework="numpy") as opened:
            return np.asarray(opened.get_slice(name)[first:last])
    except (OSError, SafetensorError) as problem:
        raise ArtifactError(f"{files[name]} cannot be read: {problem}.") from None


def _file(rank: int) -> str:
    return f"process-{rank:05}.safetensors"


def _emptied(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)


def _sync(path: Path) -> None:
    """Let the disk have what was written, or a folder's new names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
