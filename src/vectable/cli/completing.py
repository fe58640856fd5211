"""What the shell completes: saved models, data sets, files, and the values of options that have a few."""

from collections.abc import Callable
from pathlib import Path


def complete_model(incomplete: str) -> list[str]:
    """Saved models whose path begins with `incomplete`, and other folders to look into."""
    from vectable.artifact import MANIFEST

    folders = [one for one in _entries(incomplete) if one.is_dir()]
    models = [str(one) for one in folders if (one / MANIFEST).is_file()]
    return models + [f"{one}/" for one in folders if str(one) not in models]


def complete_data(incomplete: str) -> list[str]:
    """Data sets of the catalogue, and files, whose names begin with `incomplete`."""
    from vectable.data.sets import catalogue

    return [name for name in catalogue.names() if name.startswith(incomplete)] + complete_path(incomplete)


def complete_path(incomplete: str) -> list[str]:
    """Files and folders whose path begins with `incomplete`."""
    return [f"{one}/" if one.is_dir() else str(one) for one in _entries(incomplete)]


def complete_one_of(*values: str) -> Callable[[str], list[str]]:
    """A completer for an option that has these values."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def _entries(incomplete: str) -> list[Path]:
    """What lies where `incomplete` points and begins with its last part, hidden names left out."""
    start = Path(incomplete)
    parent, beginning = (start, "") if incomplete.endswith("/") or not incomplete else (start.parent, start.name)
    try:
        found = sorted(one for one in parent.iterdir() if one.name.startswith(beginning))
    except OSError:  # there is no such folder, or it cannot be listed: nothing to offer
        return []
    return [one for one in found if beginning.startswith(".") or not one.name.startswith(".")]
