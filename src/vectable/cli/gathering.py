"""Commands that take their options in groups: a parameter that is a dataclass stands for one option per field."""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer.models import OptionInfo

Command = Callable[..., None]


def grouped(command: Command) -> Command:
    """A command that typer sees with one option per field of its dataclass parameters.

    A group is a frozen dataclass whose fields are annotated as typer wants them, with a class variable ``panel``: the
    heading under which the help lists its options, or None for no heading. The command receives the groups, built.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)}
    parameters = list(_parameters(command, hints, groups))

    @wraps(command)
    def call(**given: Any) -> None:
        built = {}
        for name, group in groups.items():
            built[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**built, **given)

    call.__dict__["__signature__"] = Signature(parameters)  # what typer reads
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def _parameters(command: Command, hints: dict[str, Any], groups: dict[str, type[Any]]) -> Iterator[Parameter]:
    """The command's parameters, those that are groups replaced by their fields."""
    for name, parameter in signature(command).parameters.items():
        if name in groups:
            annotations = get_type_hints(groups[name], include_extras=True)
            for field in fields(groups[name]):
                annotation = _under(groups[name].panel, annotations[field.name])
                yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=_default(field), annotation=annotation)
        else:
            yield parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default


def _under(panel: str | None, annotation: Any) -> Any:
    """The same annotation with its option listed under the heading `panel`."""
    if panel is None or get_origin(annotation) is not Annotated:
        return annotation
    kind, *about = get_args(annotation)
    annotated: Any = Annotated  # built while running, which type checkers do not follow
    return annotated[(kind, *(_moved(one, panel) for one in about))]


def _moved(about: Any, panel: str) -> Any:
    if not isinstance(about, OptionInfo) or about.rich_help_panel:
        return about
    moved = copy(about)
    moved.rich_help_panel = panel
    return moved
