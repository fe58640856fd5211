"""What a run's model is asked besides serving's routes: maps, neighbours, names, reasons, predictions, insight."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from vectable.errors import require
from vectable.studio.asking import find_names, predict_csv
from vectable.studio.bodies import read_body, read_json
from vectable.studio.json_files import read_json_file
from vectable.studio.limits import MOST_POINTS, ROWS_BYTES
from vectable.studio.maps import PCA, map_of, neighbours_of
from vectable.studio.predicting import predicted
from vectable.studio.problems import conflict
from vectable.studio.run_folder import RunFolder
from vectable.studio.state import Studio

JSON, CSV = "application/json", "text/csv; charset=utf-8"
Component = Annotated[int, Query(ge=0, le=9)]
Few = Annotated[int, Query(ge=1, le=1_000)]
Points = Annotated[int, Query(ge=1, le=200_000)]
Text = Annotated[str, Query(max_length=1_000)]


def answer_routes(studio: Studio) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/projects/{name}/runs/{run}")

    @router.get("/map")
    async def map_(
        name: str, run: str, of: str | None = None, x: Component = 0, y: Component = 1, limit: Points = MOST_POINTS,
        method: Text = PCA,
    ) -> Response:  # fmt: skip
        results = finished(studio, name, run).results
        return Response(await studio.helpers.run(map_of, results, of, x, y, limit, method), media_type=JSON)

    @router.get("/neighbours")
    async def neighbours(
        name: str, run: str, thing: Annotated[str, Query(alias="name")], of: str | None = None, n: Few = 10
    ) -> dict[str, Any]:
        return await studio.helpers.run(neighbours_of, finished(studio, name, run).results, of, thing, n)

    @router.get("/names")
    async def names(name: str, run: str, of: str = "items", q: Text = "", n: Few = 20) -> dict[str, Any]:
        return await studio.helpers.run(find_names, finished(studio, name, run).model, of, q, n)

    @router.get("/insight")
    async def insight(name: str, run: str) -> dict[str, Any]:
        return _result(finished(studio, name, run), "insight.json", {"parts": []})

    @router.get("/columns")
    async def columns(name: str, run: str) -> dict[str, Any]:
        return _form(finished(studio, name, run))

    return router


def question_routes(studio: Studio) -> APIRouter:
    """The routes that are asked with a body."""
    router = APIRouter(prefix="/api/projects/{name}/runs/{run}")

    @router.post("/explain")
    async def explain(request: Request, name: str, run: str) -> dict[str, Any]:
        body, answers = await read_json(request), await _answers(studio, name, run)
        item = body.get("item")
        if "items" in body:
            require(isinstance(body["items"], list), "items: a list of names.")
            found: dict[str, Any] = answers.explain_new(body["items"], item)
        else:
            fits = isinstance(body.get("ratings"), list)
            require(fits, "ratings: a list of {item, rating}; or items: a list of names.")
            given = {one["item"]: one["rating"] for one in body["ratings"] if isinstance(one, dict) and len(one) == 2}
            found = answers.explain_new(given, item)
        return found

    @router.post("/predict")
    async def predict(request: Request, name: str, run: str) -> dict[str, Any]:
        body, answers = await read_json(request), await _answers(studio, name, run)
        rows = body.get("rows")
        fits = isinstance(rows, list) and all(isinstance(one, dict) for one in rows)
        require(fits, "rows: a list of objects, a value by column each.")
        form = _form(finished(studio, name, run))
        return await asyncio.to_thread(predicted, answers, form, rows if isinstance(rows, list) else [])

    @router.post("/predict.csv")
    async def predict_file(request: Request, name: str, run: str, label: Text = "rows.csv") -> Response:
        found = finished(studio, name, run)
        body = await read_body(request, ROWS_BYTES)
        written = await studio.helpers.run(predict_csv, found.model, body, Path(label).name, _form(found)["interval"])
        return Response(written, 200, {"Content-Disposition": 'attachment; filename="predictions.csv"'}, CSV)

    return router


def finished(studio: Studio, name: str, run: str) -> RunFolder:
    """A run with a model.

    Raises:
        RefusalError: 404 where there is none, 409 where it has no model yet.
    """
    found = studio.runs.find(studio.workspace.find(name), run)
    if not found.state().get("model"):
        raise conflict(f"Run {run} has no model yet: wait until it is done.")
    return found


async def _answers(studio: Studio, name: str, run: str) -> Any:
    finished(studio, name, run)
    await studio.models.ready(f"{name}.{run}")
    return studio.models.shelf.find(f"{name}.{run}").answers


def _form(run: RunFolder) -> dict[str, Any]:
    return _result(run, "form.json", {"fields": [], "classes": None, "interval": None})


def _result(run: RunFolder, name: str, default: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = read_json_file(run.results / name, default)
    return found
