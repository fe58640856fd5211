"""Questions to a model: the quick ones at once, on the event loop, the long ones in one of two threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from fastapi import Request, Response

from vectable.errors import UnknownNameError
from vectable.serving.access import RefusalError
from vectable.serving.limits import MOST_SCORES, Limits
from vectable.serving.metrics import Metrics
from vectable.serving.shelf import ServedModel, Shelf

QUESTIONS = ("recommend", "recommend_many", "fold_in", "recommend_new", "similar", "explain", "predict", "classify")
THREADS = 2


class Asking:
    """Asks the models of a shelf and writes the answers as JSON.

    Args:
        shelf: of models.
        limits: of requests.
        metrics: that count what was unknown.
    """

    def __init__(self, shelf: Shelf, limits: Limits, metrics: Metrics) -> None:
        self.shelf, self.limits, self.metrics = shelf, limits, metrics
        self._threads = ThreadPoolExecutor(THREADS, "vectable-long")
        self._long = 0

    def model(self, name: str, question: str) -> ServedModel:
        """The model of a name, which answers this question.

        Raises:
            RefusalError: there is no model of this name, or it does not answer such a question.
        """
        try:
            model = self.shelf.find(name)
        except UnknownNameError as why:
            raise RefusalError(404, str(why)) from None
        if not hasattr(model.answers, question):
            listed = ", ".join(questions_of(model))
            raise RefusalError(404, f"The model {model.name!r} of kind {model.kind!r} does not {question}: {listed}.")
        return model

    def is_quick_list(self, n_lists: int, n_items: int, searched: bool) -> bool:
        """Whether lists can be made at once.

        Args:
            searched: whether they are chosen item by item.

        Raises:
            RefusalError: they would take too long.
        """
        scores = n_lists * max(n_items, 1) * (20 if searched else 1)
        if scores > MOST_SCORES and n_lists > 1:
            most = max(1, n_lists * MOST_SCORES // scores)
            raise RefusalError(
                422, f"users: lists for {n_lists:,} users of {n_items:,} items take too long; ask for at most {most:,}."
            )
        return scores <= self.limits.quick_scores

    def check_takers(self, n_items: int, n_users: int) -> None:
        """Raise a `RefusalError` where new items times users are too many scores."""
        if n_items * n_users > MOST_SCORES:
            most = max(1, MOST_SCORES // n_users)
            raise RefusalError(
                422, f"items: {n_items:,} of them for {n_users:,} users take too long; ask for {most:,}."
            )

    async def answer(
        self, request: Request, model: ServedModel, ask: Callable[[], dict[str, Any]], quick: bool
    ) -> Response:
        """What a model says, with its name and version; 304 where the client has the answer of this version.

        Args:
            ask: asks the model.
            quick: whether it may be asked on the event loop.

        Raises:
            RefusalError: too many long questions wait.
        """
        tag = f'"{model.version}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.method == "GET" and tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        found = ask() if quick else await self._ask_long(ask)
        self.metrics.count_notes(model.name, found.get("notes", ()))
        named = {"model": {"name": model.name, "version": model.version}, **found}
        return Response(orjson.dumps(named, default=str), 200, headers, "application/json")

    async def _ask_long(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if self._long >= self.limits.long_waiting:
            raise RefusalError(503, f"{self._long:,} long requests wait already; try again in a second, or ask less.")
        self._long += 1
        asked = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        asked.add_done_callback(self._one_less)
        return await asked

    def _one_less(self, _: "asyncio.Future[Any]") -> None:
        self._long -= 1


def questions_of(model: ServedModel) -> list[str]:
    """The questions that a model answers."""
    return [one for one in QUESTIONS if hasattr(model.answers, one)]
