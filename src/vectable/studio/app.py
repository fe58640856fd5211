"""The studio's application: its own routes, and serving's below them, behind one guard."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vectable._version import __version__
from vectable.serving.app import make_serving
from vectable.serving.guard import Guard
from vectable.serving.limits import Limits
from vectable.serving.metrics import Metrics
from vectable.serving.problems import add_problem_handlers
from vectable.studio.access import StudioAccess
from vectable.studio.helpers import Helpers
from vectable.studio.limits import QUESTION_SECONDS, REQUESTS
from vectable.studio.models import LoadingFirst, Models
from vectable.studio.routes.answer_routes import answer_routes, question_routes
from vectable.studio.routes.file_routes import file_routes
from vectable.studio.routes.lesson_routes import lesson_routes
from vectable.studio.routes.pages import HEADERS, page_routes
from vectable.studio.routes.photograph_routes import photograph_routes
from vectable.studio.routes.project_routes import project_routes
from vectable.studio.routes.run_routes import run_routes
from vectable.studio.routes.take_away_routes import take_away_routes
from vectable.studio.runs import Runs
from vectable.studio.state import Studio
from vectable.studio.workspace import Workspace

ANY_LENGTH = 1 << 62  # of a body: routes read no more than they may
LIMITS = Limits(ANY_LENGTH, seconds=QUESTION_SECONDS, write_seconds=QUESTION_SECONDS, in_flight=REQUESTS)


@dataclass(frozen=True)
class StudioServer:
    """The studio, ready to be run.

    Attributes:
        app: answers requests.
        studio: what its routes share; `studio.helpers.stop` ends its processes.
    """

    app: ASGIApp
    studio: Studio


def make_studio(folder: Path, access: StudioAccess) -> StudioServer:
    """The application.

    Args:
        folder: of the projects; it is made with the first of them.
        access: who may ask.
    """
    workspace, runs = Workspace(folder), Runs()
    studio = Studio(workspace, access, Helpers(), runs, Models(workspace, runs))
    app = FastAPI(title="vectable studio", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False
    add_problem_handlers(app)
    for routes in (
        project_routes,
        file_routes,
        run_routes,
        answer_routes,
        question_routes,
        photograph_routes,
        take_away_routes,
        lesson_routes,
    ):
        app.include_router(routes(studio))
    app.include_router(page_routes(access))
    app.mount("", LoadingFirst(make_serving(studio.models.shelf).app, studio.models))
    return StudioServer(Guard(_Hardened(app), access, LIMITS, Metrics()), studio)


class _Hardened:
    """Adds the headers of a strict page to every answer that lacks them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                there = {name.lower() for name, _ in headers}
                more = {**HEADERS, "Cache-Control": "no-store"}
                lacking = {name.lower().encode(): value.encode() for name, value in more.items()}
                headers.extend((name, value) for name, value in lacking.items() if name not in there)
            await send(message)

        await self._app(scope, receive, send_with)
