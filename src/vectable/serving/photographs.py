"""Photographs in the body of a request: the files of a form, or one image as it is."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from vectable.serving.access import RefusalError
from vectable.serving.limits import Limits

FORM, IMAGE, BYTES = "multipart/form-data", "image/", "application/octet-stream"
SHOWN = 80  # characters of a client's text
HOW = (
    'send the files of a form (curl -F "photographs=@ant.jpg") or one image as the body, with Content-Type: image/jpeg'
)


@dataclass(frozen=True)
class Photograph:
    """A file that a client sent; on disk where it is large.

    Attributes:
        called: what messages call it.
        file: its bytes.
    """

    called: str
    file: BinaryIO

    def content(self) -> bytes:
        """The bytes, from the first."""
        self.file.seek(0)
        return self.file.read()


@asynccontextmanager
async def photographs_of(request: Request, limits: Limits) -> AsyncIterator[list[Photograph]]:
    """The photographs of a request, deleted at the end.

    Raises:
        RefusalError: 415 for another body, 413 for too many or too large files, 400 for a form that cannot be read, 422
            for a form without files or with other fields.
    """
    kind = request.headers.get("content-type", "")
    async with AsyncExitStack() as stack:
        try:
            if kind.lower().startswith(FORM):
                sent = await _files_of_form(request, limits, stack)
            elif kind.lower().startswith((IMAGE, BYTES)):
                sent = [await _whole_body(request, limits)]
            else:
                shown = f"Content-Type {kind[:SHOWN]!r}" if kind else "no Content-Type"
                raise RefusalError(415, f"The body must be photographs, and it came with {shown}: {HOW}.")
        except ClientDisconnect as why:
            raise RefusalError(400, "The connection ended before the photographs were there.") from why
        if not sent:
            raise RefusalError(422, f"The request has no photograph: {HOW}.")
        yield [Photograph(_name(at, one), one.file) for at, one in enumerate(sent, start=1)]


async def _files_of_form(request: Request, limits: Limits, stack: AsyncExitStack) -> list[UploadFile]:
    try:
        form = await request.form(max_files=limits.photographs, max_fields=0)
    except (HTTPException, FormParserError) as why:
        said = str(getattr(why, "detail", why)).rstrip(".")
        if said.startswith("Too many files"):
            raise RefusalError(
                413, f"There are more than {limits.photographs} photographs; ask several times."
            ) from why
        if said.startswith("Too many fields"):
            raise RefusalError(422, f"The form has a field that is not a file: {HOW}.") from why
        raise RefusalError(400, f"The form cannot be read: {said[:1].lower()}{said[1:]:.{SHOWN}}.") from why
    stack.push_async_callback(form.close)
    files = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
    for at, one in enumerate(files, start=1):
        if (one.size or 0) > limits.photograph_bytes:
            raise _too_long(_name(at, one), limits)
    return files


async def _whole_body(request: Request, limits: Limits) -> UploadFile:
    file, length = BytesIO(), 0
    async for part in request.stream():
        length += len(part)
        if length > limits.photograph_bytes:
            raise _too_long("Photograph 1", limits)
        file.write(part)
    return UploadFile(file, size=length)


def _name(at: int, one: UploadFile) -> str:
    return f"Photograph {at} ({one.filename[:SHOWN]!r})" if one.filename else f"Photograph {at}"


def _too_long(called: str, limits: Limits) -> RefusalError:
    return RefusalError(413, f"{called} is longer than {limits.photograph_bytes:,} bytes; make it smaller.")
