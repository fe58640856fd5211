"""Data sets of the catalogue, named where a file could be named too."""

from pathlib import Path
from typing import Any, TypeVar

from vectable.errors import DataError, VectableError, closest, did_you_mean

Wanted = TypeVar("Wanted")


def named_set(file: str, wanted: type[Wanted]) -> Wanted | None:
    """The data set of the catalogue that `file` names; None where it names a file.

    Args:
        wanted: the kind of data set that is asked for: `RatingsSet` or `TableSet`.

    Raises:
        DataError: there is no such file, and a data set has almost that name.
        VectableError: the data set is of another kind.
    """
    from vectable.data.sets import catalogue

    if Path(file).is_file():
        return None
    if file in catalogue.names():
        chosen = catalogue.load(file)
        if isinstance(chosen, wanted):
            return chosen
        raise VectableError(f"{file!r} is {_about(chosen, file)}.")
    if closest(file, catalogue.names()):
        raise DataError(f"There is no file and no data set {file!r}.{did_you_mean(file, catalogue.names())}")
    return None


def _about(chosen: Any, file: str) -> str:
    """What a data set is, and the command that trains on it."""
    return {
        "RatingsSet": f"a set of ratings: vectable train ratings {file}",
        "TableSet": f"a table of mixed columns: vectable train table {file}",
        "PictureSet": f"a set of images: vectable datasets {file} -o FOLDER writes them for vectable train images",
    }[type(chosen).__name__]


def is_table_set(file: str) -> bool:
    """Whether a data set of the catalogue is meant that is a table of mixed columns."""
    from vectable.data.sets.table_sets import TABLES

    return file in TABLES and not Path(file).is_file()
