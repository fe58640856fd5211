"""A training session as what its saved folder holds, and back: weights, optimizer, history and options."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vectable.artifact import Contents
from vectable.errors import ArtifactError
from vectable.models.losses import loss_named, name_of_loss
from vectable.training.named_tensors import tensors_named
from vectable.training.options import TrainingOptions
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
    named = dict(more)
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
    settings = contents.settings
    weights, now = contents.tensors["weights"], session.model.state_dict()
    for name in [*weights, *now]:
        old, new = weights.get(name), now.get(name)
        if old is None or new is None or old.shape != new.shape:
            shapes = [None if one is None else tuple(one.shape) for one in (old, new)]
            raise ArtifactError(f"The saved model is another: {name!r} is {shapes[0]} there and {shapes[1]} here.")
    there, here = settings["layer_groups"], len(session.layer_groups)
    if there != here:
        raise ArtifactError(
            f"The saved model was split into {there} layer groups, and here there are {here}: hand in the function "
            "that split it, splitter=..."
        )
    session.model.load_state_dict(weights)
    session.drop_engines()
    session.freeze_to(settings["frozen"])
    session.saved_optimizer = contents.tensors["optimizer"]
    session.trained_by = settings["trained_by"]
    steps = {name: value.numpy() for name, value in contents.tensors["history"].items()}
    session.recorder.load_arrays(contents.tables["epochs"], steps)
    session.epochs_done = settings["epochs_done"]
