"""Files that are dropped on a project."""

from typing import Any

from fastapi import APIRouter, Request

from vectable.studio.problems import conflict
from vectable.studio.routes.project_routes import shown
from vectable.studio.state import Studio
from vectable.studio.taking import take_file
from vectable.studio.uploads import receive


def file_routes(studio: Studio) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api")

    @router.post("/projects/{name}/file")
    async def upload(request: Request, name: str, label: str = "table.csv") -> dict[str, Any]:
        project = studio.workspace.find(name)
        length = request.headers.get("content-length", "")
        announced = int(length[:20]) if length.isdigit() else None
        file = await receive(request.stream(), label, project.data, announced)
        async with studio.locks[name]:
            if studio.runs.busy(project):
                file.unlink()
                raise conflict("A training of this project runs; stop it, or drop the file on a new project.")
            await take_file(studio, project, file, label[:200])
        return shown(studio, project)

    return router
