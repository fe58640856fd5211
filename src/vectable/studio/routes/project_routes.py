"""Projects: made, listed, looked at, changed, deleted."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from vectable._version import __version__
from vectable.studio import limits
from vectable.studio.archives import MODEL
from vectable.studio.bodies import read_json, text_in
from vectable.studio.choosing import changed, keep, read_source, task_of
from vectable.studio.problems import conflict, unusable
from vectable.studio.project_view import view
from vectable.studio.run_view import run_view
from vectable.studio.shipped import shipped_sets
from vectable.studio.state import Studio
from vectable.studio.taking import take_folder, take_shipped
from vectable.studio.workspace import Project


def project_routes(studio: Studio) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api")

    @router.get("/start")
    async def start() -> dict[str, Any]:
        return {
            "version": __version__,
            "folder": str(studio.workspace.folder),
            "projects": [_in_list(one) for one in studio.workspace],
            "datasets": shipped_sets(),
            "limits": {"upload_bytes": limits.UPLOAD_BYTES, "points": limits.MOST_POINTS},
        }

    @router.post("/projects", status_code=201)
    async def create(request: Request) -> dict[str, Any]:
        return await _create(studio, await read_json(request))

    @router.get("/projects/{name}")
    async def show(name: str) -> dict[str, Any]:
        project = studio.workspace.find(name)
        if project.about().get("source") is not None:
            await asyncio.to_thread(studio.runs.prepare)
        return shown(studio, project)

    @router.patch("/projects/{name}")
    async def change(request: Request, name: str) -> dict[str, Any]:
        project, body = studio.workspace.find(name), await read_json(request)
        async with studio.locks[name]:
            about, again = changed(project.about(), body)
            if about.get("source_kind") in (None, MODEL):
                raise conflict("There is no file in this project whose columns could be changed.")
            if again:
                await read_source(project, studio.helpers, about)
            else:
                await keep(project, studio.helpers, about)
        return shown(studio, project)

    @router.delete("/projects/{name}")
    async def delete(name: str) -> dict[str, Any]:
        project = studio.workspace.find(name)
        async with studio.locks[name]:
            if studio.runs.busy(project):
                raise conflict("A training of this project runs; stop it first.")
            studio.models.forget(project)
            await asyncio.to_thread(studio.workspace.delete, project)
        return {"deleted": name}

    return router


def shown(studio: Studio, project: Project) -> dict[str, Any]:
    """A project as the pages see it."""
    return view(project, project.about(), [run_view(project, one) for one in studio.runs.of(project)])


def _in_list(project: Project) -> dict[str, Any]:
    about = project.about()
    return {
        "name": project.name,
        "task": task_of(about),
        "label": about.get("label"),
        "rows": about.get("look", {}).get("rows"),
        "changed": about.get("changed"),
        "runs": sum(1 for one in project.runs.glob("*/job.json")),
    }


async def _create(studio: Studio, body: dict[str, Any]) -> dict[str, Any]:
    """Make a project, empty, of a shipped data set or of a folder on this machine."""
    name, dataset, folder = (text_in(body, one) for one in ("name", "dataset", "folder"))
    if dataset is not None and folder is not None:
        raise unusable("Give a dataset or a folder, not both.")
    label = dataset or Path(folder or name or "project").name
    project = studio.workspace.create(name, label)
    try:
        if dataset is not None:
            await take_shipped(studio, project, dataset)
        elif folder is not None:
            await take_folder(studio, project, Path(folder).expanduser())
    except BaseException:
        studio.workspace.delete(project)
        raise
    return shown(studio, project)
