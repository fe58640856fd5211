"""A training session as what its saved folder holds, and back: weights, optimizer, history and options."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vectable.artifact import Contents
from vectable.errors import ArtifactError
from vectable.folder_schema import PartError
from vectable.models.losses import loss_named, name_of_loss
from vectable.models.saved_model import check_weights
from vectable.training.named_tensors import tensors_named
from vectable.training.options import TrainingOptions
from vectable.training.saved_state import SETTINGS, checked_history, checked_optimizer, weights_in
from vectable.training.session import TrainingSession

CUSTOM_MODULE = "own module"
"""The kind of a folder whose model is a module of the caller's own; the name that the format has for it."""


def contents_of(session: TrainingSession) -> Contents:
    """Everything that a saved folder holds of any learner; applications add their data's encoders."""
    optimizer = session.saved_optimizer or tensors_named(
        {str(member): engine.state() for member, engine in enumerate(session.engines)}
    )
    history, steps = history_of(session)
    tensors = {"weights": weights_of(session), "optimizer": optimizer, "history": steps}
    return Contents(CUSTOM_MODULE, settings_of(session), tensors, {"epochs": history})


def settings_of(session: TrainingSession) -> dict[str, Any]:
    """How a session trains, and how far it is, as JSON values."""
    return {
        "model": type(session.members[0]).__name__,
        "loss_func": name_of_loss(session.loss_func),
        **session.options.to_json(),
        "layer_groups": len(session.layer_groups),
        "frozen": session.frozen,
        "epochs_done": session.epochs_done,
        "trained_by": session.engines[0].name if session.engines else session.trained_by,
    }


def weights_of(session: TrainingSession) -> dict[str, Tensor]:
    """A copy of all weights by name."""
    return {name: value.clone() for name, value in session.model.state_dict().items()}


def history_of(session: TrainingSession) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """The recorder's rows per epoch, and its numbers per step as tensors."""
    history, steps = session.recorder.to_arrays()
    return history, {name: torch.from_numpy(values) for name, values in steps.items()}


def saved_options(settings: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a learner from a saved folder's settings, and `more` that takes precedence.

    Raises:
        ArtifactError: the loss or the optimizer was a function, which no folder holds, and `more` has none.
    """
    settings, named = SETTINGS(settings, "settings"), dict(more)
    loss = named.pop("loss_func", None)
    options = TrainingOptions.from_json(settings).arguments()
    arguments = {**options, "loss_func": loss_named(settings["loss_func"]) if loss is None else loss, **named}
    if settings.get("opt", "adam") is None and "opt" not in more:
        arguments["opt"] = None
    for name in ("loss_func", "opt"):
        if arguments[name] is None:
            raise ArtifactError(f"This folder was saved by a learner with a custom {name}: hand it in, {name}=...")
    return arguments


def take_state(session: TrainingSession, contents: Contents) -> None:
    """Give a session the weights, optimizer state, freezing and history of a saved folder's contents.

    Raises:
        ArtifactError: they belong to a model of another shape, or in other layer groups.
    """
    settings = SETTINGS(contents.settings, "settings")
    check_weights(session.model.state_dict(), weights_in(contents))
    optimizer = checked_optimizer(contents.tensors, session.members, settings)
    runs, steps = checked_history(contents.tables, contents.tensors)
    if settings["frozen"] >= settings["layer_groups"]:
        raise PartError(f"settings.frozen is {settings['frozen']} and must be below settings.layer_groups")
    there, here = settings["layer_groups"], len(session.layer_groups)
    if there != here:
        raise ArtifactError(
            f"The saved model was split into {there} layer groups, and here there are {here}: hand in the function "
            "that split it, splitter=..."
        )
    session.model.load_state_dict(contents.tensors["weights"])
    session.drop_engines()
    session.freeze_to(settings["frozen"])
    session.saved_optimizer = optimizer
    session.trained_by = settings["trained_by"]
    session.recorder.load_arrays(runs, steps)
    session.epochs_done = settings["epochs_done"]
