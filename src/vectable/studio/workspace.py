"""The folder of projects: a folder for each, of plain files, so that a killed server loses nothing."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vectable.errors import did_you_mean
from vectable.studio.json_files import read_json_file, write_json
from vectable.studio.problems import conflict, not_found, told_when_full, unusable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
ABOUT = "project.json"


def now() -> str:
    """The time, in UTC, as ISO 8601 has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Project:
    """One project.

    Attributes:
        folder: of its files: project.json, data/, runs/.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def data(self) -> Path:
        """The folder of uploads."""
        return self.folder / "data"

    @property
    def runs(self) -> Path:
        """The folder of runs."""
        return self.folder / "runs"

    def about(self) -> dict[str, Any]:
        """What project.json holds; an empty mapping where it is damaged."""
        found = read_json_file(self.folder / ABOUT, {})
        return found if isinstance(found, dict) else {}

    def write(self, about: dict[str, Any]) -> None:
        """Replace project.json.

        Raises:
            RefusalError: the disk refuses.
        """
        with told_when_full("The project"):
            write_json(self.folder / ABOUT, {**about, "changed": now()})

    @property
    def source(self) -> Path | None:
        """The file or folder that was uploaded; None before."""
        inside = self.about().get("source")
        return None if inside is None else self.folder / inside


@dataclass(frozen=True)
class Workspace:
    """The folder of projects.

    Attributes:
        folder: that holds a folder for each.
    """

    folder: Path

    def __iter__(self) -> Iterator[Project]:
        """The projects, the one that changed last first."""
        found = [Project(one.parent) for one in self.folder.glob(f"*/{ABOUT}") if NAME.fullmatch(one.parent.name)]
        return iter(sorted(found, key=lambda one: str(one.about().get("changed")), reverse=True))

    def find(self, name: str) -> Project:
        """The project of a name.

        Raises:
            RefusalError: 404 where there is none.
        """
        project = Project(self.folder / name)
        if NAME.fullmatch(name) and (project.folder / ABOUT).is_file():
            return project
        hint = did_you_mean(name[:60], [one.name for one in self])
        raise not_found(f"There is no project {name[:60]!r}.{hint}")

    def create(self, name: str | None, label: str) -> Project:
        """A new, empty project.

        Args:
            name: of the folder; by default made from the label, and from a number where that is taken.
            label: to show.

        Raises:
            RefusalError: a name that cannot be a folder's, or is taken.
        """
        if name is not None and not NAME.fullmatch(name):
            raise unusable(f"A project's name has up to 60 letters, digits, '-' and '_'; got {name[:80]!r}.")
        with told_when_full("The project"):
            self.folder.mkdir(parents=True, exist_ok=True)
            folder = self._made(name, label)
            project = Project(folder)
            project.data.mkdir()
            project.runs.mkdir()
        project.write({"format": 1, "label": label, "created": now()})
        return project

    def delete(self, project: Project) -> None:
        """Remove a project with all that it holds."""
        (project.folder / ABOUT).unlink(missing_ok=True)  # from here on it is none
        shutil.rmtree(project.folder)

    def _made(self, name: str | None, label: str) -> Path:
        base = name or re.sub(r"[^A-Za-z0-9_-]+", "-", label.rpartition("/")[2].partition(".")[0]).strip("-_")[:50]
        base = base or "project"
        for number in range(1, 10_000):
            folder = self.folder / (base if number == 1 else f"{base}-{number}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                if name is not None:
                    raise conflict(f"There is a project {name!r} already; choose another name.") from None
        raise conflict(f"There are too many projects called {base!r}; name this one.")
