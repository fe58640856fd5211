"""Items named on the command line or in a file, one id or title per line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vectable.errors import DataError, VectableError

if TYPE_CHECKING:
    from vectable.data.vocabularies import Vocabularies


def items_named(
    data: "Vocabularies", names: Sequence[str] | None, files: Sequence[Path] | None, option: str
) -> list[str] | None:
    """The items that an option names: itself, as ``@file``, or in files named by the option that ends in ``-file``.

    Returns:
        Ids or titles; None where nothing was named.

    Raises:
        VectableError: a name that is not an item is the name of a file: which option reads it.
        DataError: a file cannot be read.
    """
    if not names and not files:
        return None
    found = [line for file in files or [] for line in _lines(file)]
    for name in names or []:
        if name.startswith("@") and not is_item(data, name):
            found += _lines(Path(name[1:]))
            continue
        if not is_item(data, name) and Path(name).is_file():
            raise VectableError(
                f"{option} is {name!r}, which is a file and not an item. To name the items in it, one per line, write "
                f"{option} @{name} or {option}-file {name}."
            )
        found.append(name)
    return found


def is_item(data: "Vocabularies", name: str) -> bool:
    """Whether an item has this id or title."""
    return name in data.codes_by_title or bool(data.item_ids.encode([name])[0])


def _lines(file: Path) -> list[str]:
    """The lines of a text file that are not blank."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise DataError(f"The file of items {str(file)!r} cannot be read: {problem.strerror or problem}.") from problem
    except UnicodeDecodeError as problem:
        raise DataError(f"The file of items {str(file)!r} is not UTF-8 text; it names one item per line.") from problem
    return [line.strip() for line in text.splitlines() if line.strip()]
