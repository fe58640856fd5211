"""The application: routes over a shelf of models, behind a guard. Other applications can mount it."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from vectable._version import __version__
from vectable.serving.access import Access
from vectable.serving.answer_routes import answer_routes
from vectable.serving.asking import Asking
from vectable.serving.guard import Guard
from vectable.serving.limits import Limits
from vectable.serving.metrics import Metrics
from vectable.serving.operation_routes import operation_routes
from vectable.serving.photograph_routes import photograph_routes
from vectable.serving.problems import add_problem_handlers
from vectable.serving.reloading import Reloading
from vectable.serving.shelf import Shelf

ABOUT = "Recommendations, similar items, explanations and predictions of models that vectable trained."


@dataclass(frozen=True)
class Serving:
    """An application and what keeps its models fresh.

    Attributes:
        app: to run, or to mount: ``other.mount("/models", serving.app)``. It needs no start-up of its own.
        shelf: of its models.
        reloading: of their folders.
    """

    app: FastAPI
    shelf: Shelf
    reloading: Reloading


def make_serving(
    shelf: Shelf,
    access: Access | None = None,
    limits: Limits | None = None,
    tell_others: Callable[[], None] | None = None,
) -> Serving:
    """The application that answers from the models of a shelf.

    Args:
        access: who may ask; anybody who reaches it by default.
        limits: of requests.
        tell_others: called after a reload that a request asked for.
    """
    access, limits, metrics = access or Access(), limits or Limits(), Metrics()
    reloading = Reloading(shelf, metrics, tell_others)
    app = FastAPI(
        title="vectable", version=__version__, description=ABOUT, openapi_url="/v1/openapi.json", docs_url=None
    )
    app.router.redirect_slashes = False
    add_problem_handlers(app)
    asking = Asking(shelf, limits, metrics)
    app.include_router(answer_routes(asking))
    app.include_router(photograph_routes(asking))
    app.include_router(operation_routes(shelf, metrics, reloading))
    app.add_middleware(Guard, access=access, limits=limits, metrics=metrics)
    if access.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(access.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    return Serving(app, shelf, reloading)
