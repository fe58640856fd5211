"""Refusals as RFC 9457 has them: `application/problem+json` with a sentence that says what was wrong and what to do."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from vectable.errors import UnknownNameError, VectableError, printable
from vectable.serving.access import RefusalError

MEDIA_TYPE = "application/problem+json"
SHOWN = 5  # mistakes of one request that are listed
RETRY_SECONDS = "1"


def problem(status: int, sentence: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """The answer that refuses, with ``{"type", "title", "status", "detail"}``; a 503 says when to try again."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": printable(sentence),
        **more,
    }
    sent = {**(headers or {}), "Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        sent["Retry-After"] = RETRY_SECONDS
    return Response(orjson.dumps(body), status, sent, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Let every refusal of an application be a problem."""

    async def refused(_: Request, why: RefusalError) -> Response:
        return problem(why.status_code, why.detail, **why.more)

    async def unusable(request: Request, why: VectableError) -> Response:
        is_address = isinstance(why, UnknownNameError) and request.method == "GET"  # names in bodies are values
        return problem(404 if is_address else 422, str(why))

    async def invalid(request: Request, why: RequestValidationError) -> Response:
        return _invalid(request, why.errors())

    async def other(request: Request, why: HTTPException) -> Response:
        return problem(why.status_code, _sentence_of(request, why), why.headers)

    app.exception_handler(RefusalError)(refused)
    app.exception_handler(VectableError)(unusable)
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(HTTPException)(other)


def _invalid(request: Request, errors: Sequence[Mapping[str, Any]]) -> Response:
    """What is wrong with the parameters or the body of a request."""
    if errors[0]["type"] == "json_invalid":
        return problem(400, f"The body is not JSON: {errors[0]['ctx']['error']}.")
    if errors[0]["loc"] == ("body",) and errors[0]["type"] != "missing":
        kind = request.headers.get("content-type")
        if kind is None or "json" not in kind:
            shown = "no Content-Type" if kind is None else f"Content-Type {kind[:80]!r}"
            return problem(415, f"The body must be JSON with Content-Type: application/json; it came with {shown}.")
    mistakes = [{"where": _where(one["loc"]), "mistake": _mistake(one)} for one in errors]
    more = f" There are {len(mistakes) - 1:,} more mistakes." if len(mistakes) > 1 else ""
    first = mistakes[0]
    return problem(422, f"{first['where']}: {first['mistake']}.{more}", mistakes=mistakes[:SHOWN])


def _where(place: Sequence[str | int]) -> str:
    """``ratings[3].item`` for the place of a mistake."""
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part:.80}" for part in place[1:])
    return printable(named.lstrip(".")) or str(place[0])


def _mistake(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    given = error.get("input")
    if error["type"] == "missing" or isinstance(given, dict | list):
        return message
    return f"{message}; got {given!r:.80}"


def _sentence_of(request: Request, why: HTTPException) -> str:
    path = request.url.path
    if why.status_code == HTTPStatus.NOT_FOUND:
        return f"There is nothing at {path[:200]!r}; the routes are described at /v1/openapi.json."
    if why.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (why.headers or {}).get("Allow", "another method")
        return f"{path[:200]!r} takes {allowed}, not {request.method[:20]}."
    if why.status_code == HTTPStatus.BAD_REQUEST:
        return "The body cannot be read as JSON."
    return f"{why.detail}."
