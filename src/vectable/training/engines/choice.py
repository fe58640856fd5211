"""Which engine trains a model: the first of the registry that can."""

from collections.abc import Callable

from vectable.compiling import EngineUnavailable
from vectable.errors import VectableError, did_you_mean, require, warn
from vectable.training.engines.compiled_engine import CompiledEngine
from vectable.training.engines.job import Job
from vectable.training.engines.nets.engine import NetEngine
from vectable.training.engines.protocol import Engine
from vectable.training.engines.sgd.engine import SgdEngine
from vectable.training.engines.sharded.engine import ShardedEngine
from vectable.training.engines.torch_engine import TorchEngine

AUTO = "auto"

ENGINES: tuple[type[Engine], ...] = (ShardedEngine, SgdEngine, CompiledEngine, NetEngine, TorchEngine)
"""All engines: the first that can train a job does, and the last one can train any. A new one is a file and a place in
this line."""


def make_engine(job: Job, report: Callable[[str], None] = lambda message: None) -> Engine:
    """The engine that the options name, or the first that can train this.

    Args:
        report: called with a sentence when something takes longer than one would expect.

    Raises:
        VectableError: the engine named cannot train this; the message says why.
    """
    wanted = job.options.engine
    for kind in ENGINES:
        if wanted not in (AUTO, kind.name):
            continue
        reason = kind.why_not(job)
        if reason is None:
            try:
                return kind.make(job, report)
            except EngineUnavailable as problem:
                reason = problem.reason
                if wanted == AUTO:
                    warn(f"The {kind.name} engine is not available, so training is slower: {reason}")
        if wanted == kind.name:
            raise VectableError(f"The {kind.name} engine cannot train this: {reason}. Use engine='{AUTO}'.")
    raise VectableError("No engine can train this.")


def check_engine(name: str) -> None:
    """Raise a sentence for an engine that does not exist."""
    known = [AUTO, *(kind.name for kind in ENGINES)]
    require(name in known, f"engine must be one of {known}; got {name!r}.{did_you_mean(name, known)}")


def state_format_of(name: str | None) -> str | None:
    """The format of the states that an engine of this name wrote; None where no engine has it."""
    return next((kind.state_format for kind in ENGINES if kind.name == name), None)
