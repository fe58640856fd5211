"""A learner as what its saved folder holds, and back: weights, optimizer, history and settings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vectable.artifact import Contents
from vectable.errors import ArtifactError
from vectable.models.losses import loss_named, name_of_loss
from vectable.training.data_protocol import NoData
from vectable.training.metrics import METRICS

if TYPE_CHECKING:
    from vectable.training.learner import Learner

OPTIONS = ("metrics", "opt", "wd", "wd_mode", "preset", "seed", "engine", "threads", "train_bn", "precision",
           "accumulate")  # fmt: skip
"""Arguments of the Learner that a folder keeps."""


def contents_of(learn: "Learner") -> Contents:
    """Everything that a saved folder holds of any learner; applications add their data's encoders."""
    history, steps = learn.recorder.to_arrays()
    optimizer = learn._saved_optimizer or tensors_named(
        {str(member): engine.state() for member, engine in enumerate(learn._engines)}
    )
    tensors = {
        "weights": {name: value.clone() for name, value in learn.model.state_dict().items()},
        "optimizer": optimizer,
        "history": {name: torch.from_numpy(values) for name, values in steps.items()},
    }
    return Contents("own module", settings_of(learn), tensors, {"epochs": history})


def settings_of(learn: "Learner") -> dict[str, Any]:
    """How a learner trains, and how far it is, as JSON values."""
    trained_by = learn._engines[0].name if learn._engines else learn._trained_by
    return {
        "model": type(learn.members[0]).__name__,
        "loss_func": name_of_loss(learn.loss_func),
        "metrics": [name for name in learn.metrics if name in METRICS],
        "opt": learn.opt if isinstance(learn.opt, str) else None,
        "wd": learn.wd,
        "wd_mode": learn.wd_mode,
        "preset": learn.preset.name,
        "seed": learn.seed,
        "engine": learn.engine,
        "threads": learn.threads,
        "train_bn": learn.train_bn,
        "precision": learn.precision,
        "accumulate": learn.accumulate,
        "layer_groups": len(learn.layer_groups),
        "frozen": learn.frozen,
        "epochs_done": learn.epochs_done,
        "trained_by": trained_by,
    }


def saved_options(settings: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a learner from a saved folder's settings, and `more` that takes precedence.

    Raises:
        ArtifactError: the loss or the optimizer was a function, which no folder holds, and `more` has none.
    """
    options = {key: settings[key] for key in OPTIONS} | {"loss_func": loss_named(settings["loss_func"])}
    options |= {name: value for name, value in more.items() if not (name == "loss_func" and value is None)}
    for name in ("loss_func", "opt"):
        if options[name] is None:
            raise ArtifactError(f"This folder was saved by a learner with a {name} of its own: hand it in, {name}=...")
    return options


def learner_for_own_module(
    kind: type["Learner"], contents: Contents, model: nn.Module | None, **more: Any
) -> "Learner":
    """A learner for a module of your own, from a saved folder's contents."""
    settings = contents.settings
    if model is None:
        raise ArtifactError(
            f"This folder holds the weights of a module of your own ({settings['model']}), and no code: make one "
            f"and hand it in, load_learner(path, model={settings['model']}(...))."
        )
    options = saved_options(settings, more)
    learn = kind(options.pop("data", NoData()), model, **options)
    learn.take_state(contents)
    return learn


def take_state(learn: "Learner", contents: Contents) -> None:
    """Give a learner the weights, optimizer state, freezing and history of a saved folder's contents.

    Raises:
        ArtifactError: they are of a model of another shape, or in other layer groups.
    """
    settings = contents.settings
    weights, now = contents.tensors["weights"], learn.model.state_dict()
    for name in [*weights, *now]:
        old, new = weights.get(name), now.get(name)
        if old is None or new is None or old.shape != new.shape:
            shapes = [None if one is None else tuple(one.shape) for one in (old, new)]
            raise ArtifactError(f"The saved model is another: {name!r} is {shapes[0]} there and {shapes[1]} here.")
    there, here = settings["layer_groups"], len(learn.layer_groups)
    if there != here:
        raise ArtifactError(
            f"The saved model was split into {there} layer groups, and here there are {here}: hand in the function "
            "that split it, splitter=..."
        )
    learn.model.load_state_dict(weights)
    learn._drop_engines()
    learn.freeze_to(settings["frozen"])
    learn._saved_optimizer = contents.tensors["optimizer"]
    learn._trained_by = settings["trained_by"]
    steps = {name: value.numpy() for name, value in contents.tensors["history"].items()}
    learn.recorder.load_arrays(contents.tables["epochs"], steps)
    learn.epochs_done = settings["epochs_done"]


def tensors_named(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of several parts as one file's: ``<part>.<name>``."""
    return {f"{part}.{name}": value for part, tensors in parts.items() for name, value in tensors.items()}


def tensors_under(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """One part's tensors back."""
    return {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}
