"""What a project's columns are taken for: as the rules find it, and as the user chose."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vectable.errors import did_you_mean, require
from vectable.studio.helpers import Helpers
from vectable.studio.looking import find_problems, look_at
from vectable.studio.photographs import look_at_photographs
from vectable.studio.problems import conflict
from vectable.studio.tasks.catalogue import FROM_FILES, TASKS, suggested, task_named
from vectable.studio.tasks.choices import Choices, Column
from vectable.studio.tasks.settings import checked
from vectable.studio.workspace import Project

PHOTOGRAPHS = "photographs"
LONGEST_SEPARATOR = 10


def columns_of(about: Mapping[str, Any]) -> list[Column]:
    """What was found of the columns."""
    return [Column(**one) for one in about.get("look", {}).get("columns", [])]


def task_of(about: Mapping[str, Any]) -> str | None:
    """The project's task: as chosen, or as suggested; None before there is a file."""
    found: str | None = about.get("task") or about.get("suggested", {}).get("task")
    return found


def n_rows(about: Mapping[str, Any]) -> int:
    """Rows of a project's table, or its photographs; 0 where that is not known."""
    return int(about.get("look", {}).get("rows") or 0)


def choices_of(about: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> Choices:
    """All that decides how the model is trained.

    Args:
        settings: given for the training; the others are defaults.

    Raises:
        RefusalError: there is no file yet.
        VectableError: a setting that cannot be.
    """
    name = task_of(about)
    if name is None:
        raise conflict("There is no file in this project yet; drop one first.")
    task = task_named(name)
    columns = columns_of(about)
    named = about.get("roles", {}).get(name, {})
    found = Choices(
        label=str(about.get("label", "table.csv")),
        columns=columns,
        roles=task.roles(columns, named),
        named=named,
        settings=checked(task.settings(n_rows(about)), settings or {}),
        sep=about.get("sep"),
        has_header=about.get("has_header"),
        problems=frozenset(one["kind"] for one in about.get("problems", []) if one.get("kind")),
    )
    allowed = [value for value, _ in task.splits(found)]
    chosen = about.get("split", {}).get(name)
    return Choices(**{**vars(found), "split": chosen if chosen in allowed else allowed[0]})


async def read_source(project: Project, helpers: Helpers, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Look at a project's file, and keep what was found.

    Args:
        changes: of project.json: "source", "source_kind", "label", "sep", "has_header".

    Returns:
        What project.json holds now. It is unchanged where the file cannot be read.

    Raises:
        DataError: it cannot be read.
    """
    about = {**project.about(), **changes}
    source = project.folder / about["source"]
    if about["source_kind"] == PHOTOGRAPHS:
        look = await helpers.run(look_at_photographs, source)
        task, why = PHOTOGRAPHS, f"There is a folder for each of {len(look['classes'])} classes."
    else:
        look = await helpers.run(look_at, source, about.get("sep"), about.get("has_header"))
        task, why = suggested([Column(**one) for one in look["columns"]])
    about |= {"look": look, "suggested": {"task": task, "why": why}}
    return await keep(project, helpers, about)


async def keep(project: Project, helpers: Helpers, about: dict[str, Any]) -> dict[str, Any]:
    """Find which rows cannot be used as things are, and write project.json."""
    source = project.folder / about["source"]
    choices = choices_of(about)
    about["problems"] = []
    if about["source_kind"] != PHOTOGRAPHS:
        about["problems"] = await helpers.run(
            find_problems, source, choices.reading, str(task_of(about)), dict(choices.roles)
        )
    await asyncio.to_thread(project.write, about)
    return about


def changed(about: dict[str, Any], asked: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """project.json with what a request changes, and whether the file must be read again.

    Args:
        asked: "task", "roles" (by column), "header", "separator" (null for: as found), "split".

    Raises:
        VectableError: something that cannot be chosen.
    """
    about = dict(about)
    for name in asked:
        known = ("task", "roles", "header", "separator", "split")
        require(name in known, f"There is nothing to change called {name!r:.60}; there are {', '.join(known)}.")
    if "task" in asked:
        about["task"] = _checked_task(about, asked["task"])
    task = str(task_of(about))
    if "roles" in asked:
        about["roles"] = {**about.get("roles", {}), task: _checked_roles(about, task, asked["roles"])}
    again = False
    if "header" in asked:
        require(isinstance(asked["header"], bool), "header: true or false.")
        about["has_header"], again = None if asked["header"] else False, True
        about["roles"] = {}
    if "separator" in asked:
        sep = asked["separator"]
        fits = sep is None or (isinstance(sep, str) and 1 <= len(sep) <= LONGEST_SEPARATOR)
        require(fits, f"separator: a text of 1 to {LONGEST_SEPARATOR} characters, or null for as found.")
        about["sep"], again = sep, True
        about["roles"] = {}
    if "split" in asked:
        allowed = [value for value, _ in task_named(task).splits(choices_of(about))]
        require(
            asked["split"] in allowed, f"split: one of {', '.join(map(repr, allowed))}; got {asked['split']!r:.80}."
        )
        about["split"] = {**about.get("split", {}), task: asked["split"]}
    return about, again


def _checked_task(about: Mapping[str, Any], task: Any) -> str:
    require(isinstance(task, str) and task in TASKS, f"task: one of {', '.join(TASKS)}; got {task!r:.60}.")
    photographs = about.get("source_kind") == PHOTOGRAPHS
    fits = (task == PHOTOGRAPHS) == photographs
    what = "photographs are for telling classes apart" if photographs else f"a table is for {', '.join(FROM_FILES)}"
    require(fits, f"task: {what}; got {task!r}.")
    return str(task)


def _checked_roles(about: Mapping[str, Any], task: str, asked: Any) -> dict[str, str]:
    """Roles by column, as chosen until now and with those asked for; one that only one column may have moves."""
    require(isinstance(asked, dict), "roles: an object of columns and what each is taken for.")
    known, roles = [one.name for one in columns_of(about)], task_named(task).ROLES
    named: dict[str, str] = dict(about.get("roles", {}).get(task, {}))
    for column, role in asked.items():
        require(column in known, f"There is no column {column!r:.80}.{did_you_mean(column, known)}")
        if role is None:  # as the rule has it
            named.pop(column, None)
            continue
        require(role in roles, f"{column!r} can be {', '.join(map(repr, roles))}; got {role!r:.60}.")
        if role in SINGLE:
            named = {name: one for name, one in named.items() if one != role}
        named[column] = role
    return named


SINGLE = {"user", "item", "rating", "count", "title", "timestamp", "target"}


def relative(project: Project, path: Path) -> str:
    """A file or folder of a project, as project.json names it."""
    return str(path.relative_to(project.folder))
