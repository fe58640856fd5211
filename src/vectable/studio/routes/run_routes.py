"""Runs: started, followed, stopped, taken up again, deleted."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from vectable.studio.bodies import mapping_in, read_json, text_in
from vectable.studio.events import next_events
from vectable.studio.run_view import run_view
from vectable.studio.state import Studio

Place = Annotated[int, Query(ge=0, description='Where to read on: the "next" of the answer before.')]


def run_routes(studio: Studio) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/projects/{name}/runs")

    @router.post("", status_code=201)
    async def start(request: Request, name: str) -> dict[str, Any]:
        project, body = studio.workspace.find(name), await read_json(request)
        async with studio.locks[name]:
            run = await asyncio.to_thread(
                studio.runs.start, project, str(text_in(body, "kind", "train")), mapping_in(body, "settings")
            )
        return run_view(project, run)

    @router.get("/{run}")
    async def show(name: str, run: str) -> dict[str, Any]:
        project = studio.workspace.find(name)
        return run_view(project, studio.runs.find(project, run))

    @router.get("/{run}/events")
    async def events(name: str, run: str, after: Place = 0) -> dict[str, Any]:
        return await next_events(studio.runs.find(studio.workspace.find(name), run), after)

    @router.post("/{run}/stop")
    async def stop(name: str, run: str) -> dict[str, Any]:
        project = studio.workspace.find(name)
        found = studio.runs.find(project, run)
        await asyncio.to_thread(studio.runs.stop, found)
        return run_view(project, found)

    @router.post("/{run}/continue")
    async def continue_(name: str, run: str) -> dict[str, Any]:
        project = studio.workspace.find(name)
        async with studio.locks[name]:
            found = studio.runs.find(project, run)
            await asyncio.to_thread(studio.runs.continue_, project, found)
        return run_view(project, found)

    @router.delete("/{run}")
    async def delete(name: str, run: str) -> dict[str, Any]:
        project = studio.workspace.find(name)
        async with studio.locks[name]:
            found = studio.runs.find(project, run)
            studio.models.forget(project, run)
            await asyncio.to_thread(studio.runs.delete, found)
        return {"deleted": run}

    return router
