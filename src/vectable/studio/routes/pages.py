"""The pages: the start address that lets a browser in, and static files with a strict policy."""

import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from vectable.studio.access import StudioAccess
from vectable.studio.problems import not_found

FOLDER = Path(__file__).parent.parent / "pages"
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".html": "text/html"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
YEAR = 31_536_000


def page_routes(access: StudioAccess) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/start")
    async def start(request: Request, token: str = "") -> Response:
        if not access.is_known(dict(request.scope["headers"])):
            access.take_token(token)
        response = Response(None, 303, {"Location": "/", "Cache-Control": "no-store", **HEADERS})
        response.set_cookie(access.cookie, access.secret, max_age=YEAR, httponly=True, samesite="strict", path="/")
        return response

    @router.post("/api/address")
    async def address(request: Request) -> dict[str, str]:
        """An address that lets one more browser of this machine in."""
        return {"address": f"{request.base_url}start?token={access.new_token()}"}

    @router.get("/")
    async def index(request: Request) -> Response:
        return _file(request, "index.html")

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return Response(None, 204, {"Cache-Control": "max-age=86400"})

    @router.get("/pages/{path:path}")
    async def page(request: Request, path: str) -> Response:
        return _file(request, path)

    return router


def _file(request: Request, path: str) -> Response:
    """A file of the pages, by its tag where the browser has it."""
    known = _listed()
    if path not in known:
        raise not_found(f"There is no page {path[:100]!r}.")
    file = FOLDER / path
    body, tag = _read(path, file.stat().st_mtime_ns)
    headers = {**HEADERS, "Cache-Control": "no-cache", "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Response(body, 200, headers, kind)


def _listed() -> set[str]:
    """The files that may be asked for: those that are there, by their whole names."""
    return {one.relative_to(FOLDER).as_posix() for one in FOLDER.rglob("*") if one.is_file()}


@lru_cache(maxsize=256)
def _read(path: str, changed: int) -> tuple[bytes, str]:
    """A file and its tag; `changed` is part of what is remembered."""
    body = (FOLDER / path).read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'
