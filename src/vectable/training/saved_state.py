"""What a saved folder must hold of any learner: options, position, history, weights and optimizer state."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from vectable.artifact import Contents
from vectable.folder_schema import (
    Array,
    Default,
    Maybe,
    PartError,
    any_number,
    boolean,
    either,
    list_of,
    map_of,
    number,
    one_of,
    optional,
    record,
    take_arrays,
    text,
    whole,
)
from vectable.models.losses import LOSSES
from vectable.training.metrics import METRICS
from vectable.training.named_tensors import tensors_under
from vectable.training.options import OPTIMIZERS, PRECISIONS, WD_MODES

SETTINGS = record(
    model=text,
    loss_func=optional(one_of(*LOSSES)),
    metrics=Maybe(list_of(one_of(*METRICS))),
    opt=Maybe(optional(one_of(*OPTIMIZERS))),
    wd=Maybe(either(number(0), list_of(number(0)))),
    wd_mode=Maybe(one_of(*WD_MODES)),
    preset=Maybe(one_of("modern", "lesson")),
    seed=Maybe(whole(0, 2**63)),
    engine=Maybe(text),
    train_bn=Maybe(boolean),
    precision=Maybe(one_of(*PRECISIONS)),
    accumulate=Maybe(whole(1)),
    layer_groups=whole(1),
    frozen=Default(0, whole(0)),
    epochs_done=Default(0, whole(0)),
    trained_by=Default(None, optional(text)),
)
STATES = {
    "adam": {"step", "exp_avg", "exp_avg_sq"},
    "rmsprop": {"step", "square_avg"},
    "momentum": {"momentum_buffer"},
    "sgd": set[str](),
}
"""What each optimizer from torch remembers of a parameter."""

RUN = record(member=whole(0), epochs=list_of(map_of(any_number)), epoch_ends=list_of(whole(0)))
RUNS = list_of(RUN)


def checked_history(
    tables: Mapping[str, Any], tensors: Mapping[str, Mapping[str, Tensor]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The runs of a folder's history, and their losses, rates and momenta by step as arrays.

    Raises:
        PartError: they do not fit together.
    """
    if "epochs" not in tables:
        raise PartError("its file 'epochs' is missing")
    runs = RUNS(tables["epochs"], "epochs")
    sizes: dict[str, int] = {}
    schema = {}
    for at, run in enumerate(runs):
        schema[f"{at}.losses"] = Array("float32", f"steps_of_{at}_")
        schema |= {f"{at}.{name}": Array("float64", f"steps_of_{at}_ groups_of_{at}_") for name in ("lrs", "moms")}
        if len(run["epochs"]) != len(run["epoch_ends"]):
            raise PartError(f"epochs[{at}] has {len(run['epochs'])} rows and {len(run['epoch_ends'])} ends")
    arrays = take_arrays(tensors, "history", schema, sizes)
    for at, run in enumerate(runs):
        if max(run["epoch_ends"], default=0) > len(arrays[f"{at}.losses"]):
            raise PartError(f"epochs[{at}].epoch_ends goes beyond the steps of its history")
    return runs, arrays


def weights_in(contents: Contents) -> dict[str, Tensor]:
    """The saved weights.

    Raises:
        PartError: there are none.
    """
    if "weights" not in contents.tensors:
        raise PartError("its file 'weights' is missing")
    return contents.tensors["weights"]


def checked_optimizer(
    tensors: Mapping[str, Mapping[str, Tensor]], members: Sequence[nn.Module], settings: Mapping[str, Any]
) -> dict[str, Tensor]:
    """The optimizers' saved states by ``<member>.<name>``, each of the shape of the weights it goes with.

    Compiled code takes an optimizer's state for as large as the weights, so that another shape must not come near it.
    A custom optimizer's states may be of any shape.

    Args:
        settings: of the folder, checked.

    Raises:
        PartError: one of another shape, or of a member or parameter that there is not.
    """
    if "optimizer" not in tensors:
        raise PartError("its file 'optimizer' is missing")
    states, opt = dict(tensors["optimizer"]), settings.get("opt", "adam")
    for key in states:
        at = key.partition(".")[0]
        if not (at.isdecimal() and len(at) < 10 and int(at) < len(members)):
            raise PartError(f"optimizer.{key} belongs to none of the {len(members)} models")
    for number_of, member in enumerate(members):
        state = tensors_under(states, str(number_of))
        if state and settings["trained_by"] == "compiled":
            _check_moments(state, member)
        elif state and settings["trained_by"] == "sgd":
            _check_squares(state, member)
        elif settings["trained_by"] == "torch" and opt is not None:
            check_state(state, member, opt)
    return states if settings["trained_by"] else {}


def check_state(state: Mapping[str, Tensor], model: nn.Module, opt: str) -> None:
    """Raise a `PartError` unless the state of an optimizer from torch fits a model's parameters.

    Args:
        state: by ``<parameter>.<name of the state>``.
        opt: name of the optimizer.
    """
    parameters = dict(model.named_parameters())
    found: dict[str, set[str]] = {}
    for key, value in state.items():
        parameter, _, name = key.rpartition(".")
        found.setdefault(parameter, set()).add(name)
        shape = () if name == "step" else tuple(parameters[parameter].shape) if parameter in parameters else None
        if tuple(value.shape) != shape or not value.is_floating_point():
            raise PartError(
                f"optimizer.{key} is {value.dtype} of shape {tuple(value.shape)}; the parameter's is {shape}"
            )
    for parameter, names in found.items():
        if names != STATES[opt]:
            raise PartError(f"optimizer.{parameter} has {sorted(names)} and must have {sorted(STATES[opt])}")


def _check_squares(state: Mapping[str, Tensor], model: nn.Module) -> None:
    """Raise a `PartError` unless what sets the rate of every row fits a dot-product model's tables."""
    rows = {name: len(table) for name, table in model.named_parameters()}
    schema = {"step": Array("int64", least=0)}
    for side in ("user", "item"):
        schema[f"{side}.squares"] = Array("float32", str(rows.get(f"{side}_factors.weight", 0)), least=0)
    take_arrays({"optimizer": state}, "optimizer", schema, {})


def _check_moments(state: Mapping[str, Tensor], model: nn.Module) -> None:
    """Raise a `PartError` unless the compiled engine's moments fit a dot-product model's tables."""
    schema = {"step": Array("int64", least=0)}
    for name, table in model.named_parameters():
        rows, width = table.shape
        shape = f"{rows}" if width == 1 and "bias" in name else f"{rows} {width}"
        for moment, least in (("first", None), ("second", 0)):
            schema[f"{name.removesuffix('.weight')}.{moment}"] = Array("float32", shape, least=least)
    take_arrays({"optimizer": state}, "optimizer", schema, {})
