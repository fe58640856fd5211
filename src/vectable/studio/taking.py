"""What a project takes: a shipped data set, a folder on this machine, an upload."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from vectable.artifact import MANIFEST
from vectable.errors import VectableError
from vectable.studio.archives import MODEL, unpack
from vectable.studio.choosing import read_source, relative
from vectable.studio.problems import unusable
from vectable.studio.shipped import write_shipped
from vectable.studio.state import Studio
from vectable.studio.workspace import Project

ZIP = b"PK\x03\x04"


async def take_shipped(studio: Studio, project: Project, dataset: str) -> None:
    """Take a data set that comes with the package."""
    path, label, task = await studio.helpers.run(write_shipped, dataset, project.data)
    kind = "photographs" if task == "photographs" else "table"
    changes = {"source": relative(project, path), "source_kind": kind, "label": label, "dataset": dataset, "task": task}
    await read_source(project, studio.helpers, changes)


async def take_folder(studio: Studio, project: Project, folder: Path) -> None:
    """Take a folder on this machine: a saved model is copied, photographs stay where they are."""
    if not folder.is_dir():
        raise unusable(f"There is no folder {str(folder)[:200]!r} on this machine.")
    if (folder / MANIFEST).is_file():
        await _open_model(studio, project, folder)
        return
    changes = {"source": str(folder.resolve()), "source_kind": "photographs", "label": folder.name}
    await read_source(project, studio.helpers, changes)


async def take_file(studio: Studio, project: Project, file: Path, label: str) -> None:
    """Take an upload: a table as it is, of a zip what it holds. It is removed where it cannot be used."""
    kept: Path | None = file
    try:
        with file.open("rb") as opened:
            is_zip = opened.read(4) == ZIP
        if not is_zip:
            await _read_new(studio, project, file, "table", label)
            kept = None
            return
        kind, found = await studio.helpers.run(unpack, file, file.with_name(f"{file.stem}-unpacked"))
        if kind == MODEL:
            await _open_model(studio, project, found)
            return
        await _read_new(studio, project, found, kind, label.removesuffix(".zip") or label)
    except VectableError as why:
        raise type(why)(str(why).replace(str(file), label).replace(str(file.parent), "the project")) from None
    finally:
        if kept is not None:
            await asyncio.to_thread(partial(kept.unlink, missing_ok=True))


async def _read_new(studio: Studio, project: Project, path: Path, kind: str, label: str) -> None:
    fresh: dict[str, Any] = {"task": None, "roles": {}, "split": {}, "sep": None, "has_header": None, "dataset": None}
    changes = {"source": relative(project, path), "source_kind": kind, "label": label}
    await read_source(project, studio.helpers, {**fresh, **changes})


async def _open_model(studio: Studio, project: Project, folder: Path) -> None:
    kind = await studio.runs.open_model(project, folder)
    about = {**project.about(), "source_kind": MODEL}
    await asyncio.to_thread(project.write, {**about, "suggested": {"task": kind, "why": "The saved model says so."}})
