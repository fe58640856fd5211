"""Data sets that come with the package, as files of a project. Runs beside the server."""

from pathlib import Path
from typing import Any

from vectable.data.io.writing import write_table
from vectable.data.sets import catalogue
from vectable.data.sets.picture_sets import PictureInfo, PictureSet
from vectable.data.sets.ratings_set import RatingsSet, SetInfo
from vectable.data.sets.table_sets import TableSet
from vectable.errors import UnknownNameError, did_you_mean


def shipped_sets() -> list[dict[str, Any]]:
    """What there is to choose: ``{"name", "label", "task", "rows", "about", "shipped"}``."""
    found = [catalogue.info(name) for name in catalogue.names()]
    return [_about(one) for one in found if one.shipped]


def write_shipped(name: str, folder: Path) -> tuple[Path, str, str]:
    """Write a data set: a table as CSV, titles of items beside their ratings, pictures into a folder for each class.

    Returns:
        The file or folder, its label, and the task.

    Raises:
        UnknownNameError: there is none of this name in the package.
    """
    known = {one["name"] for one in shipped_sets()}
    if name not in known:
        raise UnknownNameError(f"There is no data set {name!r:.60}.{did_you_mean(name, known)}")
    chosen = catalogue.load(name)
    if isinstance(chosen, PictureSet):
        top = chosen.to_folder(folder / f"{name}-parts")
        return _joined(top, folder / name), name, "photographs"
    label = f"{name}.csv"
    if isinstance(chosen, TableSet):
        return write_table(chosen.train, folder / label), label, "table"
    return write_table(_with_titles(chosen), folder / label), label, "ratings"


def _with_titles(chosen: RatingsSet) -> Any:
    if chosen.items is None or chosen.title is None:
        return chosen.ratings
    names = chosen.items.select(chosen.item, chosen.title).unique(chosen.item, keep="first", maintain_order=True)
    return chosen.ratings.join(names, on=chosen.item, how="left", maintain_order="left")


def _joined(parts: Path, target: Path) -> Path:
    """The images of all parts in one folder for each class."""
    for part in sorted(parts.iterdir()):
        for kind in sorted(part.iterdir()):
            (target / kind.name).mkdir(parents=True, exist_ok=True)
            for file in kind.iterdir():
                file.replace(target / kind.name / f"{part.name}-{file.name}")
            kind.rmdir()
        part.rmdir()
    parts.rmdir()
    return target


def _about(known: Any) -> dict[str, Any]:
    if isinstance(known, SetInfo):
        task, rows = "ratings", known.ratings
    elif isinstance(known, PictureInfo):
        task, rows = "photographs", known.pictures
    else:
        task, rows = "table", known.rows
    return {
        "name": known.name,
        "label": known.name,
        "task": task,
        "rows": rows,
        "about": known.about,
        "shipped": True,
        "licence": known.licence,
    }
