"""Looking at what was learned: summaries, components, maps, distances, neighbours, reasons. Knows nothing of training
loops."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vectable.insight.distances import distance_test as distance_test
    from vectable.insight.distances import distances_between as distances_between
    from vectable.insight.distances import great_circle as great_circle
    from vectable.insight.stability import map_stability as map_stability

_HOMES = {
    "distance_test": "vectable.insight.distances",
    "distances_between": "vectable.insight.distances",
    "great_circle": "vectable.insight.distances",
    "map_stability": "vectable.insight.stability",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'vectable.insight' has no attribute {name!r}")
