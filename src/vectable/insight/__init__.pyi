"""The public names of the room, read by `__init__.py`."""

from vectable.insight.distances import distance_test as distance_test
from vectable.insight.distances import distances_between as distances_between
from vectable.insight.distances import great_circle as great_circle
from vectable.insight.stability import map_stability as map_stability
