"""Rows that take long: from the stored output of a benchmark, with its date and its command."""

import json
from importlib.resources import files
from typing import Any

from vectable.lesson import printed
from vectable.lesson.rows import Row


def rows() -> list[Row]:
    """The table of the paper on entity embeddings, without and with them."""
    stored = _stored().get("paper")
    found = []
    for (method, split), (without, embedded) in printed.PAPER_MAPE.items():
        ours = "not measured"
        note, command = "needs Rossmann's sales", ""
        if stored is not None and (pair := stored["results"].get(f"{method}, {split}")) is not None:
            ours = f"{pair[0]:.3f} -> {pair[1]:.3f}"
            note, command = f"stored, {stored['date']}: {stored['note']}", stored["command"]
        lessons = f"{without:.3f} -> {embedded:.3f}"
        found.append(
            Row("paper", f"Rossmann, {method}, {split}: error without -> with embeddings", lessons, ours, note, command)
        )
    return found


def _stored() -> dict[str, Any]:
    return dict(json.loads((files("vectable.lesson") / "stored.json").read_text(encoding="utf-8")))
