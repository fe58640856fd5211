"""What the routes of one studio share."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from vectable.studio.access import StudioAccess
from vectable.studio.helpers import Helpers
from vectable.studio.models import Models
from vectable.studio.runs import Runs
from vectable.studio.workspace import Workspace


@dataclass(frozen=True)
class Studio:
    """One studio.

    Attributes:
        workspace: its projects.
        access: who may ask.
        helpers: processes for what takes longer.
        runs: of its projects.
        models: of its runs.
        locks: one for each project: of two browsers one changes it at a time.
    """

    workspace: Workspace
    access: StudioAccess
    helpers: Helpers
    runs: Runs
    models: Models
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
