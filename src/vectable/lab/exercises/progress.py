"""Which exercises were tried and solved, kept in a file of the user's."""

import json
import os
import sys
from pathlib import Path
from typing import Literal

State = Literal["solved", "tried"]
VARIABLE = "VECTABLE_PROGRESS"
"""Environment variable: the file that keeps the progress."""


def progress_file() -> Path:
    """Where progress is kept: in the folder for the state of programs, or where `VARIABLE` says."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        top = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        top = Path.home() / "Library" / "Application Support"
    else:
        top = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state"))
    return top / "vectable" / "exercises.json"


def read_progress() -> dict[str, State]:
    """The state of each exercise that was checked, by name; none where the file is missing or damaged."""
    try:
        form = json.loads(progress_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(form, dict):
        return {}
    return {str(name): state for name, state in form.items() if state in ("solved", "tried")}


def note_progress(name: str, solved: bool) -> None:
    """Keep that an exercise was checked; one that was solved stays solved.

    Raises:
        OSError: the file cannot be written.
    """
    known = read_progress()
    known[name] = "solved" if solved or known.get(name) == "solved" else "tried"
    file = progress_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
    fresh.replace(file)
