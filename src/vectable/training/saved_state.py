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
    tensors: Mapping[str, Mapping[str, Tensor]], members: Sequence[nn.Module], custom: bool
) -> dict[str, Tensor]:
    """The optimizers' saved states by ``<member>.<name>``: each a number, or of the shape of the weights it goes with.

    Compiled code takes an optimizer's state for as large as the weights, so that another shape must not come near it.

    Args:
        custom: whether the optimizer was the caller's own, whose states may be of any shape.

    Raises:
        PartError: one of another shape, or of a member or parameter that there is not.
    """
    if "optimizer" not in tensors:
        raise PartError("its file 'optimizer' is missing")
    shapes = [{name: tuple(one.shape) for name, one in member.named_parameters()} for member in members]
    for key, value in ({} if custom else tensors["optimizer"]).items():
        check_state(key, value, shapes)
    return dict(tensors["optimizer"])


def check_state(key: str, value: Tensor, shapes: Sequence[Mapping[str, tuple[int, ...]]]) -> None:
    """Raise an `PartError` unless a state's tensor has the shape of the parameter that its key names.

    Args:
        key: ``<member>.<parameter>.<name of the state>``; of the compiled engine ``<member>.<table>.<name>``, where a
            bias has one dimension; or ``<member>.step``.
        shapes: of every member's parameters, by name.
    """
    number_of, _, rest = key.partition(".")
    name, _, _ = rest.rpartition(".")
    if not number_of.isdigit() or len(number_of) > 9 or int(number_of) >= len(shapes):
        raise PartError(f"optimizer.{key} belongs to none of the {len(shapes)} models")
    known = shapes[int(number_of)]
    shape = known.get(name, known.get(f"{name}.weight"))
    if value.numel() == 1 and value.dim() == 0:
        return
    if shape is None or tuple(value.shape) not in (shape, shape[:1] if shape[1:] == (1,) else shape):
        raise PartError(f"optimizer.{key} has the shape {tuple(value.shape)} and must have {shape}")
    if not value.is_floating_point():
        raise PartError(f"optimizer.{key} is {value.dtype} and must be a float")
