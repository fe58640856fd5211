"""A run as the pages see it."""

from collections.abc import Mapping
from typing import Any

from vectable.studio.run_folder import RunFolder
from vectable.studio.runs import FINDER, OPENED, PROJECT
from vectable.studio.workspace import Project


def run_view(project: Project, run: RunFolder) -> dict[str, Any]:
    """A run as the pages see it."""
    job, state = run.job(), run.state()
    answers = state.get("model") and job.get("task") != "photographs"
    return {
        "id": run.id,
        "kind": job.get("kind"),
        "task": job.get("task"),
        "label": _label(job),
        "settings": job.get("settings", {}),
        "asked": job.get("asked"),
        "created": job.get("created"),
        **{name: state.get(name) for name in ("state", "started", "ended", "error", "figure", "sentence")},
        "figures": state.get("figures", {}),
        "baselines": state.get("baselines", []),
        "better": state.get("better"),
        "found": state.get("found"),
        "saved": bool(state.get("model")),
        "model": f"{project.name}.{run.id}" if answers else None,
    }


def _label(job: Mapping[str, Any]) -> str:
    settings = job.get("settings", {})
    shown = ("model", "epochs", "lr", "factors", "layers", "seed")
    said = ", ".join(f"{name} {settings[name]}" for name in shown if name in settings)
    return {FINDER: "finder: ", PROJECT: "map: ", OPENED: "opened"}.get(str(job.get("kind")), "") + said
