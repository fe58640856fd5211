"""The routes for whoever runs the server: which models there are, health, readiness, metrics, reloading."""

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from vectable.serving import examples
from vectable.serving.asking import questions_of
from vectable.serving.metrics import Metrics
from vectable.serving.questions import ModelName
from vectable.serving.reloading import Reloading
from vectable.serving.shelf import ServedModel, Shelf

NO_STORE = {"Cache-Control": "no-store"}


def operation_routes(shelf: Shelf, metrics: Metrics, reloading: Reloading) -> APIRouter:
    """The routes, for the models of a shelf."""
    router = APIRouter(tags=["operations"])

    @router.get("/v1/models", summary="The models", **examples.MODELS)
    async def models() -> Response:
        return _json({"models": [_about(shelf, one) for one in shelf]})

    @router.get("/v1/models/{model}", summary="One model", **examples.MODEL)
    async def model_of_name(model: ModelName) -> Response:
        return _json({**_about(shelf, shelf.find(model)), **_details(shelf.find(model))})

    @router.post("/v1/admin/reload", summary="Read the folders again", **examples.RELOADED)
    async def reload(request: Request) -> Response:
        done = await reloading.reload()
        failed = any(one.problem for one in done)
        models = [
            {"name": one.name, "version": one.version, "changed": one.changed, "problem": one.problem} for one in done
        ]
        return _json({"models": models}, 409 if failed else 200)

    @router.get("/health", summary="Whether the process answers", **examples.HEALTH)
    async def health() -> Response:
        return _json({"status": "ok"})

    @router.get("/ready", summary="Whether models are loaded", **examples.HEALTH)
    async def ready() -> Response:
        return _json({"status": "ready", "models": [one.name for one in shelf]})

    @router.get("/metrics", summary="Figures for Prometheus", **examples.METRICS)
    async def figures() -> Response:
        text, kind = await asyncio.to_thread(metrics.text)
        return Response(text, 200, NO_STORE, kind)

    return router


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value, default=str), status, NO_STORE, "application/json")


def _about(shelf: Shelf, model: ServedModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "label": model.label,
        "version": model.version,
        "kind": model.kind,
        "answers": questions_of(model),
        "loaded": model.loaded.isoformat(timespec="seconds"),
        "problem": shelf.problem_of(model),
    }


def _details(model: ServedModel) -> dict[str, Any]:
    answers: Any = model.answers
    data, encoder = getattr(answers, "data", None), getattr(answers, "encoder", None)
    columns = getattr(data, "columns", None)
    search = getattr(answers, "search", None)
    named = {one: getattr(columns, one, None) for one in ("user", "item", "rating")} if columns else None
    return {
        "about": model.settings.get("about"),
        "columns": named or getattr(encoder, "raw_columns", None),
        "classes": getattr(answers, "classes", None),
        "search": None if search is None else {"recall": search.recall},
    }
