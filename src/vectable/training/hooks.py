"""What may listen to training: the events of a fit, down to the step."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.deprecation import renamed_hook, warn_renamed
from vectable.training.session import TrainingSession

Losses = NDArray[np.floating[Any]]


class Callback:
    """Called while models are trained; each method does nothing unless overridden.

    The members of an ensemble are trained one after the other: `on_fit_start` and `on_fit_end` come once for each, and
    ``session.position.member`` is its number. What is trained, how far it is and what happened so far stand in the
    session: ``session.plan``, ``session.position``, ``session.recorder``, ``session.options``, ``session.data``.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> class Hot(vt.Callback):
        ...     def on_epoch_end(self, session, model, row):
        ...         return row["train_loss"] < 0.9  # True ends the fit
        ...
        >>> learn = vt.collab_learner(data, progress=False)
        >>> _ = learn.fit(20, 5e-3, callbacks=[Hot()])
        >>> len(learn.recorder.to_frame()) < 20
        True
    """

    def on_fit_start(self, session: TrainingSession, model: nn.Module) -> None:
        """Training of `model` begins."""

    def on_step_end(self, session: TrainingSession, model: nn.Module, losses: Losses) -> bool | None:
        """Some steps are done, with these training losses, (steps,): one step, or several with an engine for ratings.

        Return True to end the fit here, as Ctrl-C would: what was trained until then is kept.
        """

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> bool | None:
        """An epoch of `model` is over, with these figures. Return True to go no further with this model."""

    def on_fit_end(self, session: TrainingSession, model: nn.Module) -> None:
        """Training of `model` is over, also when it was interrupted."""

    def on_message(self, session: TrainingSession, message: str) -> None:
        """A sentence for whoever watches, e.g. that the fit was interrupted or continues from a checkpoint."""

    def state(self) -> dict[str, Tensor]:
        """What is remembered from epoch to epoch, for a checkpoint."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Remember what `state` gave, after `on_fit_start`."""

    run_started = renamed_hook("run_started", "on_fit_start")
    epoch_ended = renamed_hook("epoch_ended", "on_epoch_end")
    run_ended = renamed_hook("run_ended", "on_fit_end")


RENAMED_HOOKS = {"run_started": "on_fit_start", "epoch_ended": "on_epoch_end", "run_ended": "on_fit_end"}
"""Methods of `Callback` by their former names."""


def with_new_hooks(callback: Callback, learn: Any) -> Callback:
    """A callback whose class overrides hooks by their former names, as one with today's; any other as it is.

    Args:
        learn: the learner, which the former hooks were given in the session's place.
    """
    former = [name for name in RENAMED_HOOKS if getattr(type(callback), name, None) is not getattr(Callback, name)]
    for name in former:
        warn_renamed(f"{type(callback).__name__}.{name}", RENAMED_HOOKS[name])
    return _FormerHooks(callback, learn, former) if former else callback


def hears_steps(callback: Callback) -> bool:
    """Whether a callback does something at the end of a step."""
    called = callback.callback if isinstance(callback, _FormerHooks) else callback
    return getattr(called.on_step_end, "__func__", None) is not Callback.on_step_end


def name_of(callback: Callback) -> str:
    """The name of a callback's class."""
    return type(callback.callback if isinstance(callback, _FormerHooks) else callback).__name__


class _FormerHooks(Callback):
    """Calls a callback by the former names of its hooks, where it overrides them."""

    def __init__(self, callback: Callback, learn: Any, former: list[str]) -> None:
        self.callback, self.learn = callback, learn
        self.former = {RENAMED_HOOKS[name]: getattr(callback, name) for name in former}

    def on_fit_start(self, session: TrainingSession, model: nn.Module) -> None:
        """Also by its former name."""
        self._call("on_fit_start", session, model)

    def on_step_end(self, session: TrainingSession, model: nn.Module, losses: Losses) -> bool | None:
        """Handed on."""
        return self.callback.on_step_end(session, model, losses)

    def on_epoch_end(self, session: TrainingSession, model: nn.Module, row: dict[str, float]) -> bool | None:
        """Also by its former name."""
        return bool(self._call("on_epoch_end", session, model, row))

    def on_fit_end(self, session: TrainingSession, model: nn.Module) -> None:
        """Also by its former name."""
        self._call("on_fit_end", session, model)

    def on_message(self, session: TrainingSession, message: str) -> None:
        """Handed on."""
        self.callback.on_message(session, message)

    def state(self) -> dict[str, Tensor]:
        """The callback's own."""
        return self.callback.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Handed on."""
        self.callback.load_state(state)

    def _call(self, name: str, session: TrainingSession, *what: Any) -> Any:
        if name in self.former:
            return self.former[name](self.learn, *what)
        return getattr(self.callback, name)(session, *what)
