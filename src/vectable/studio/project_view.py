"""A project as the pages see it."""

from collections.abc import Mapping, Sequence
from typing import Any

from vectable.studio.choosing import choices_of, n_rows, task_of
from vectable.studio.tasks.catalogue import TASKS, task_named
from vectable.studio.workspace import Project

SPLIT_REASONS = {
    "random": "Rows held out at random measure how well rows of the same kind are predicted.",
    "time": "The latest rows measure how well what comes next is predicted.",
    "last": "Each user's last one tests and the one before validates: it measures what is taken next.",
    "users": "Whole users are held out: it measures lists for users that training never saw.",
}


def view(project: Project, about: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All that the Data screen shows, and the runs.

    Args:
        about: what project.json holds.
        runs: of the project, as the pages see them.
    """
    look = about.get("look", {})
    shown: dict[str, Any] = {
        "name": project.name,
        "label": about.get("label"),
        "dataset": about.get("dataset"),
        "source": about.get("source_kind"),
        "task": task_of(about),
        "rows": look.get("rows"),
        "separator": look.get("separator"),
        "header": look.get("header"),
        "classes": look.get("classes", []),
        "notes": look.get("notes", []),
        "problems": about.get("problems", []),
        "suggested": about.get("suggested"),
        "tasks": tasks_for(about),
        "columns": [],
        "roles": {},
        "split": None,
        "settings": [],
        "changed": about.get("changed"),
        "runs": list(runs),
    }
    if task_of(about) is None:
        return shown
    choices, task = choices_of(about), task_named(str(task_of(about)))
    listed = [{"value": value, "label": label} for value, label in task.ROLES.items()]
    return shown | {
        "columns": [
            {
                "name": one.name,
                "role": choices.roles[one.name],
                "named": one.name in choices.named,
                "kind": one.kind,
                "why": _why(one.name, choices.roles[one.name], one.why, choices.named),
                "examples": one.examples,
                "missing": one.missing,
                "unique": one.unique,
            }
            for one in choices.columns
        ],
        "roles": {one.name: listed for one in choices.columns},
        "split": {
            "kind": choices.split,
            "why": SPLIT_REASONS.get(choices.split, "The latest rows measure how well what comes next is predicted."),
            "choices": [{"value": value, "label": label} for value, label in task.splits(choices)],
        },
        "settings": [one.to_json() for one in task.settings(n_rows(about))],
    }


def tasks_for(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tasks that a project's file allows."""
    photographs = about.get("source_kind") == "photographs"
    return [
        {"value": one.NAME, "label": one.LABEL} for one in TASKS.values() if (one.NAME == "photographs") == photographs
    ]


def _why(name: str, role: str, why: str, named: Mapping[str, str]) -> str:
    if name in named:
        return "as you chose"
    return why if role in ("number", "category", "ordinal", "date", "ignore") else f"by its name or place; {why}"
