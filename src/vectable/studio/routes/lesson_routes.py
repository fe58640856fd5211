"""The student's screen: worked out by a process of its own when it is first asked for, and kept."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from vectable._version import __version__
from vectable.studio.json_files import read_json_file
from vectable.studio.problems import conflict
from vectable.studio.state import Studio

KEPT = ".lesson.json"


def lesson_routes(studio: Studio) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api")
    one_at_a_time = asyncio.Lock()

    @router.get("/lesson")
    async def lesson() -> dict[str, Any]:
        async with one_at_a_time:
            return await _lesson(studio.workspace.folder / KEPT)

    return router


async def _lesson(path: Path) -> dict[str, Any]:
    """What is kept, or worked out now where that is of another version.

    Raises:
        RefusalError: it cannot be worked out.
    """
    kept = read_json_file(path)
    if kept is None or kept.get("version") != __version__:
        command = [sys.executable, "-m", "vectable.studio.lesson_steps", str(path)]
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        _, said = await process.communicate()
        kept = read_json_file(path)
        if process.returncode or kept is None:
            words = said.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise conflict(f"The lesson could not be worked out: {' '.join(words)[:300] or 'its process ended'}.")
    found: dict[str, Any] = kept
    return found
