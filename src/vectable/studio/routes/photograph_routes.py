"""Photographs of a run: their classes and probabilities, thumbnails, what decided."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from vectable.studio.json_files import read_json_file
from vectable.studio.problems import not_found
from vectable.studio.results.photographs import FOLDER, INDEX
from vectable.studio.routes.answer_routes import finished
from vectable.studio.state import Studio

PNG = "image/png"


def photograph_routes(studio: Studio) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/projects/{name}/runs/{run}/photographs")

    @router.get("")
    async def photographs(
        name: str,
        run: str,
        mistakes: bool = False,
        of: Annotated[str | None, Query(alias="class")] = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=400)] = 100,
    ) -> dict[str, Any]:
        known = _index(studio, name, run)
        wanted = [
            one
            for one in known["images"]
            if (of is None or one["class"] == of) and (not mistakes or one["class"] != one["predicted"])
        ]
        start = f"/api/projects/{name}/runs/{run}/photographs"
        shown = [
            {
                **{part: one[part] for part in ("id", "name", "class", "predicted", "probabilities")},
                "thumbnail": f"{start}/{one['id']}.png",
                "decided": f"{start}/{one['id']}-decided.png" if one["decided"] else None,
                "alike": f"{start}/{one['id']}/alike" if one["alike"] else None,
            }
            for one in wanted[offset : offset + limit]
        ]
        return {
            "classes": known["classes"],
            "of": known["of"],
            "total": known["total"],
            "kept": len(known["images"]),
            "matching": len(wanted),
            "shown": len(shown),
            "images": shown,
        }

    @router.get("/{number}/alike")
    async def alike(name: str, run: str, number: int) -> dict[str, Any]:
        images = _index(studio, name, run)["images"]
        if not 0 <= number < len(images):
            raise not_found(f"There is no photograph {number}.")
        return {"images": images[number]["alike"]}

    @router.get("/{file}")
    async def picture(name: str, run: str, file: str) -> Response:
        number = file.removesuffix(".png").removesuffix("-decided")
        folder = finished(studio, name, run).results / FOLDER
        if not (number.isdigit() and number.isascii() and file in (f"{number}.png", f"{number}-decided.png")):
            raise not_found(f"There is no photograph {file[:40]!r}.")
        if not (folder / file).is_file():
            raise not_found(f"There is no photograph {file[:40]!r}.")
        return Response((folder / file).read_bytes(), 200, {"Cache-Control": "max-age=3600"}, PNG)

    return router


def _index(studio: Studio, name: str, run: str) -> dict[str, Any]:
    found: dict[str, Any] | None = read_json_file(finished(studio, name, run).results / FOLDER / INDEX)
    if found is None:
        raise not_found("This run is of no photographs.")
    return found
