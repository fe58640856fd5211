"""The notes of a call as JSON values."""

from typing import Any

from vectable.recommending.answer import Notes


def notes_as_json(notes: Notes) -> list[dict[str, Any]]:
    """``{"code", "count", "text"}`` for each note: its kind, how many it concerns, and a sentence."""
    return [{"code": note.kind, "count": note.count, "text": note.message} for note in notes]
