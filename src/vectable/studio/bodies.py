"""Bodies of requests, read no further than they may be long."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request

from vectable.serving.access import RefusalError
from vectable.studio.limits import BODY_BYTES
from vectable.studio.problems import unusable


async def read_body(request: Request, most: int = BODY_BYTES) -> bytes:
    """A whole body.

    Raises:
        RefusalError: 413 where it is longer than `most` bytes.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is longer than {most:,} bytes.")
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request, most: int = BODY_BYTES) -> dict[str, Any]:
    """A body that is a JSON object; an empty body counts as an empty one.

    A page of another site can send a form or plain text without asking first, so JSON alone is taken.

    Raises:
        RefusalError: 413 where it is too long, 415 for another type, 422 where it is no object.
    """
    body = await read_body(request, most)
    if not body:
        return {}
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON: Content-Type: application/json.")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as why:
        raise unusable(f"The body is not JSON: {why}.") from None
    if not isinstance(found, dict):
        raise unusable("The body must be a JSON object.")
    return found


def text_in(body: Mapping[str, Any], name: str, default: str | None = None) -> str | None:
    """A text of a body, None or the default where it is not there.

    Raises:
        RefusalError: it is something else, or longer than a text of a form.
    """
    value = body.get(name, default)
    if value is None or (isinstance(value, str) and len(value) <= 4_000):
        return value
    raise unusable(f"{name}: give a text of at most 4,000 characters.")


def mapping_in(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object of a body; empty where it is not there.

    Raises:
        RefusalError: it is something else.
    """
    value = body.get(name, {})
    if isinstance(value, dict):
        return value
    raise unusable(f"{name}: give an object of names and values.")
