"""The encoder of a table as folders of version 0.1 hold it."""

from typing import Any

from vectable.data.encoders.dates import CATEGORIES, NUMBERS
from vectable.data.encoders.number_column import NA


def columns_of_older_form(form: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns in the form of today.

    Version 0.1 kept the categories of all columns together, the numbers too, and named the raw columns by kind.
    """
    raw = {*form["cat_names"], *form["cont_names"], *form["dates"]}
    categories, missing = form["categories"], set(form["with_holes"])

    def number(name: str) -> dict[str, Any]:
        memory = None if name + NA in form["cat_names"] else categories.get(name + NA)
        return {"name": name, **form["numbers"][name], "memory": memory}

    columns = [
        {"kind": "category", "name": name, "categorify": categories[name], "had_missing": name in missing}
        for name in form["cat_names"]
    ]
    columns += [{"kind": "number", **number(name)} for name in form["cont_names"]]
    for date in form["dates"]:
        own = {part: f"{date}_{part}" for part in (*CATEGORIES, *NUMBERS) if f"{date}_{part}" not in raw}
        parts = {part: number(name) if part in NUMBERS else categories[name] for part, name in own.items()}
        had_missing = any(parts[part]["fill"]["had_missing"] for part in NUMBERS if part in parts)
        columns.append({"kind": "date", "name": date, "parts": parts, "had_missing": had_missing})
    return columns
