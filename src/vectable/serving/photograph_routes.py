"""The route that classifies photographs."""

from typing import Any

from fastapi import APIRouter, Request, Response

from vectable.serving import examples
from vectable.serving.access import RefusalError
from vectable.serving.asking import Asking
from vectable.serving.photographs import Photograph, photographs_of
from vectable.serving.questions import ModelName

_FILE = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {"photographs": {"type": "array", "items": _FILE, "minItems": 1}}}
BODY = {"required": True, "content": {"multipart/form-data": {"schema": _FORM}, "image/*": {"schema": _FILE}}}


def photograph_routes(asking: Asking) -> APIRouter:
    """The route, for models that `asking` asks."""
    router = APIRouter(prefix="/v1/models/{model}", tags=["answers"])
    limits, under_way = asking.limits, 0

    @router.post(
        "/classify", summary="The classes of photographs", openapi_extra={"requestBody": BODY}, **examples.CLASSES
    )
    async def classify(request: Request, model: ModelName) -> Response:
        nonlocal under_way
        served = asking.model(model, "classify")
        answers: Any = served.answers
        if under_way >= limits.uploads:
            raise RefusalError(503, f"{limits.uploads} requests with photographs are under way already; try again.")

        def ask(sent: list[Photograph]) -> dict[str, Any]:
            pictures = [answers.picture(one.content(), one.called, limits.photograph_pixels) for one in sent]
            found: dict[str, Any] = answers.classify(pictures)
            return {"classes": answers.classes, **found}

        under_way += 1
        try:
            async with photographs_of(request, limits) as sent:
                return await asking.answer(request, served, lambda: ask(sent), False)
        finally:
            under_way -= 1

    return router
