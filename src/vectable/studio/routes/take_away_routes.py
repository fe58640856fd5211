"""What can be taken away from a run, and the same by Python and by command."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from vectable.studio.choosing import choices_of, task_of
from vectable.studio.problems import conflict
from vectable.studio.results.vectors import listed_vectors
from vectable.studio.routes.answer_routes import finished
from vectable.studio.script import commands_of
from vectable.studio.state import Studio
from vectable.studio.taking_away import FILES, FOLDER, TYPES, made, why_not

Screen = Annotated[str, Query(max_length=40)]
WHOLE = {
    "start": ("import vectable as vt\n\nprint(vt.datasets.names())", "vectable studio"),
    "lesson": ("from vectable.lesson import recompute\n\nprint(recompute().rows)", "vectable lab lesson"),
}


def take_away_routes(studio: Studio) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api")

    @router.get("/projects/{name}/runs/{run}/take-away")
    async def listed(name: str, run: str) -> dict[str, Any]:
        found = finished(studio, name, run)
        job = found.job()
        vectors = bool(listed_vectors(found.results))
        files = []
        for file, (label, line) in FILES.items():
            reason = why_not(file, str(job["task"]), str(job["kind"]), vectors)
            there = found.folder / FOLDER / file
            size = there.stat().st_size if there.is_file() else None
            about = {"name": file, "label": label, "line": line, "bytes": size}
            files.append({**about, "ready": reason is None, "why_not": reason})
        return {"files": files, "serve": f"vectable serve model={name}", "folder": str(found.model)}

    @router.get("/projects/{name}/runs/{run}/take-away/{file}")
    async def take(name: str, run: str, file: str) -> Response:
        found = finished(studio, name, run)
        path = await studio.helpers.run(made, found, file, name)
        body = await asyncio.to_thread(path.read_bytes)
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return Response(body, 200, headers, TYPES[path.suffix])

    @router.get("/projects/{name}/runs/{run}/commands")
    async def of_run(name: str, run: str, screen: Screen = "train") -> dict[str, str]:
        job = studio.runs.find(studio.workspace.find(name), run).job()
        if job["kind"] == "opened":
            return _of_opened(str(job["task"]))
        return commands_of(job["task"], choices_of(job["about"], job["settings"]), screen, "model")

    @router.get("/projects/{name}/commands")
    async def of_project(name: str, screen: Screen = "data") -> dict[str, str]:
        about = studio.workspace.find(name).about()
        if about.get("source_kind") == "model":
            return _of_opened(str(task_of(about)))
        if task_of(about) is None:
            raise conflict("There is no file in this project yet; drop one first.")
        return commands_of(str(task_of(about)), choices_of(about), screen, "model")

    @router.get("/commands")
    async def of_screen(screen: Screen = "start") -> dict[str, str]:
        python, command = WHOLE.get(screen, WHOLE["start"])
        return {"python": python, "command": command, "serve": ""}

    return router


def _of_opened(task: str) -> dict[str, str]:
    asked = {"table": "predict model FILE"}.get(task, "recommend model USER")
    python = 'import vectable as vt\n\nlearn = vt.load_learner("model")\nprint(learn)'
    return {"python": python, "command": f"vectable {asked}", "serve": "vectable serve model"}
