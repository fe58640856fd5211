"""The runs' models behind serving's routes: each is loaded when it is first asked for."""

import asyncio
from collections import OrderedDict
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from vectable.artifact import MANIFEST
from vectable.errors import VectableError
from vectable.serving.access import RefusalError
from vectable.serving.shelf import Shelf
from vectable.studio.problems import unusable
from vectable.studio.runs import Runs
from vectable.studio.workspace import Project, Workspace

KEPT = 6  # models in memory
ROUTE = "/v1/models/"


class Models:
    """Models by ``PROJECT.RUN``, those asked for last in memory.

    Args:
        workspace, runs: where they come from.

    Attributes:
        shelf: of those that are loaded.
    """

    def __init__(self, workspace: Workspace, runs: Runs) -> None:
        self.shelf = Shelf({}, may_be_empty=True)
        self._workspace, self._runs = workspace, runs
        self._loaded: OrderedDict[str, tuple[Path, float]] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def ready(self, name: str) -> None:
        """Load the model of a name, unless it is; nothing where there is no such run.

        Raises:
            RefusalError: it cannot be loaded.
        """
        project, _, run = name.partition("@")[0].rpartition(".")
        try:
            folder = self._runs.find(self._workspace.find(project), run).model
            stamp = (folder, (folder / MANIFEST).stat().st_mtime)
        except (RefusalError, OSError):
            return
        name = f"{project}.{run}"
        async with self._one_at_a_time:
            if self._loaded.get(name) != stamp:
                try:
                    await asyncio.to_thread(self.shelf.put, name, folder)
                except VectableError as why:
                    raise unusable(str(why)) from None
                self._loaded[name] = stamp
            self._loaded.move_to_end(name)
            while len(self._loaded) > KEPT:
                self.shelf.remove(self._loaded.popitem(last=False)[0])

    def forget(self, project: Project, run: str | None = None) -> None:
        """Let a run's model go, or all of a project's."""
        for name in list(self._loaded):
            if name == f"{project.name}.{run}" or (run is None and name.rpartition(".")[0] == project.name):
                del self._loaded[name]
                self.shelf.remove(name)


class LoadingFirst:
    """Serving's application, behind which the model of a request is loaded first.

    Args:
        app: of serving.
        models: that it answers from.
    """

    def __init__(self, app: ASGIApp, models: Models) -> None:
        self._app, self._models = app, models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
        if scope["type"] == "http" and path.startswith(ROUTE):
            await self._models.ready(path.removeprefix(ROUTE).partition("/")[0])
        await self._app(scope, receive, send)
