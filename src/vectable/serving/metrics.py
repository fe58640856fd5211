"""What Prometheus reads: requests by route and status, their seconds, those in flight, unknown names, versions."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from vectable.serving.server_options import SHARED_FOLDER
from vectable.serving.shelf import Reloaded, Shelf

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one application; those of several workers are added up where `SHARED_FOLDER` is set."""

    def __init__(self) -> None:
        disable_created_metrics()  # when each series began: as many lines again, which nobody asks for
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "vectable_requests", "Requests answered", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "vectable_request_seconds",
            "Seconds from headers to the end of the answer",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._in_flight = Gauge(
            "vectable_requests_in_flight",
            "Requests under way",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._notes = Counter(
            "vectable_notes", "Names or values that a note was on", ["model", "code"], registry=self._registry
        )
        self._reloads = Counter("vectable_reloads", "Folders read again", ["model", "outcome"], registry=self._registry)
        self._info = Gauge(
            "vectable_model_loaded_seconds",
            "When the model that answers was loaded, in seconds since 1970",
            ["model", "version"],
            registry=self._registry,
            multiprocess_mode="livemax",
        )

    def began(self) -> None:
        """A request began."""
        self._in_flight.inc()

    def ended(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request ended."""
        self._in_flight.dec()
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_notes(self, model: str, notes: Iterable[Mapping[str, Any]]) -> None:
        """Count what an answer took in its stride."""
        for note in notes:
            self._notes.labels(model, note["code"]).inc(note["count"])

    def reloaded(self, done: Iterable[Reloaded], shelf: Shelf) -> None:
        """Folders were read again."""
        for one in done:
            outcome = "failed" if one.problem else ("changed" if one.changed else "same")
            self._reloads.labels(one.name, outcome).inc()
        self.versions(shelf)

    def versions(self, shelf: Shelf) -> None:
        """Tell which versions answer."""
        self._info.clear()
        for model in shelf:
            name = model.name if model.label is None else f"{model.name}@{model.label}"
            self._info.labels(name, model.version).set(model.loaded.timestamp())

    def text(self) -> tuple[bytes, str]:
        """All of it in Prometheus' format, and the format's media type."""
        registry = self._registry
        if SHARED_FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry), TEXT_FORMAT
