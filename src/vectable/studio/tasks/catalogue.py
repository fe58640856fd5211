"""The tasks by name, and which one a file suggests."""

from collections.abc import Sequence
from types import ModuleType

from vectable.data.column_names import named_for
from vectable.errors import UnknownNameError, did_you_mean
from vectable.studio.tasks import interactions, photographs, ratings, table
from vectable.studio.tasks.choices import Column

TASKS: dict[str, ModuleType] = {one.NAME: one for one in (ratings, interactions, table, photographs)}
"""Each has NAME, LABEL and ROLES, and the functions `settings`, `roles`, `splits`, `plan` and `command`."""

FROM_FILES = (ratings.NAME, interactions.NAME, table.NAME)


def task_named(name: str) -> ModuleType:
    """A task.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in TASKS:
        raise UnknownNameError(
            f"There is no task {name!r:.60}.{did_you_mean(name, TASKS)} There are {', '.join(TASKS)}."
        )
    return TASKS[name]


def suggested(columns: Sequence[Column]) -> tuple[str, str]:
    """The task that a file's columns suggest, and why, in a sentence."""
    names = [one.name for one in columns if not one.numbers_rows]
    numeric = [one.name for one in columns if one.numeric]
    user, item = named_for("user", names, ()), named_for("item", names, ())
    rating = named_for("rating", numeric, (user, item))
    if user and item and rating:
        return ratings.NAME, f"{user!r} names users, {item!r} items, and {rating!r} holds their ratings."
    if user and item and len(names) <= 8:
        return interactions.NAME, f"{user!r} names users and {item!r} items, and no column is called a rating."
    target = next(name for name, role in table.roles(columns, {}).items() if role == "target")
    return (
        table.NAME,
        f"No columns are called users and items, so one column, {target!r}, is predicted from the others.",
    )
