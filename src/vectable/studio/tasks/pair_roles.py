"""What the columns of users and items are taken for."""

from collections.abc import Mapping, Sequence

from vectable.data.column_names import COUNTS, TIMES, Role, is_named_as, named_for, plain_name
from vectable.data.pair_columns import first_free
from vectable.studio.tasks.choices import Column

TITLES = {
    "title", "name", "itemname", "productname", "itemtitle", "producttitle", "movietitle", "booktitle", "moviename",
    "bookname", "songtitle", "description",
}  # fmt: skip
IGNORED = "ignore"


def pair_roles(
    columns: Sequence[Column], named: Mapping[str, str], wanted: Sequence[Role], more: Sequence[str]
) -> dict[str, str]:
    """The role of each column.

    Args:
        columns: of the file.
        named: roles by column, as chosen by hand.
        wanted: roles that some column must have, in their order: by name, or else the first columns that are left.
        more: further roles that a column may have by its name: "title", "timestamp", "count".
    """
    roles = dict.fromkeys((one.name for one in columns), IGNORED) | dict(named)
    taken: set[str | None] = set(named)
    usable = [one.name for one in columns if not one.numbers_rows and one.kind != "unusable"]
    lacking = [role for role in wanted if role not in named.values()]
    for wanting in lacking:
        if (by_name := named_for(wanting, usable, taken)) is not None:
            roles[by_name] = wanting
            taken.add(by_name)
    for wanting in lacking:
        if wanting not in roles.values() and (free := first_free(usable, wanted.index(wanting), taken)) is not None:
            roles[free] = wanting
    for column in columns:
        role = _further(column, more)
        if column.name not in taken and roles[column.name] == IGNORED and role and role not in roles.values():
            roles[column.name] = role
    return roles


def _further(column: Column, more: Sequence[str]) -> str | None:
    """What a column's name and values say that it is besides."""
    if "title" in more and plain_name(column.name) in TITLES and not column.numeric:
        return "title"
    if "timestamp" in more and (is_named_as(column.name, TIMES) or column.is_date) and not column.missing:
        return "timestamp" if column.numeric or column.is_date else None
    if "count" in more and is_named_as(column.name, COUNTS) and column.numeric:
        return "count"
    return None
