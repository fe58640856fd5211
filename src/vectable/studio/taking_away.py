"""What can be taken away from a run: the model, lists, vectors, the script, a report. Written beside the server."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from vectable.data.io.writing import write_table, write_whole
from vectable.errors import UnknownNameError, did_you_mean
from vectable.insight.vectors import vector_table
from vectable.studio.asking import write_lists
from vectable.studio.report import report_of
from vectable.studio.results.vectors import listed_vectors, read_vectors
from vectable.studio.run_folder import RunFolder
from vectable.studio.script import script_of

FOLDER = "take-away"
LENGTH = 10  # of lists
TYPES = {
    ".zip": "application/zip",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".py": "text/x-python; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
FILES = {
    "model.zip": ("The model", "The folder that `vectable serve` and load_learner open; also by dropping it here."),
    "recommendations.csv": ("Lists", f"The {LENGTH} best items of every user, for a spreadsheet or a shop."),
    "vectors.parquet": ("Vectors", "What was learned of every item, user or category, a row each."),
    "script.py": ("The script", "Python that trains the same model again from your file."),
    "report.html": ("The report", "Figures, curves and the map in one file that needs no server."),
}
"""Label and line of each."""


def why_not(name: str, task: str, kind: str, has_vectors: bool) -> str | None:
    """Why a file cannot be made of a run; None where it can."""
    if name == "recommendations.csv" and task not in ("ratings", "interactions"):
        return "This model makes no lists: it predicts."
    if name == "vectors.parquet" and not has_vectors:
        return "This model has no vectors of things with names."
    if name == "script.py" and kind != "train":
        return "The model was opened, not trained here: how it was made is not known."
    return None


def made(run: RunFolder, name: str, project: str) -> Path:
    """A file to take away; made unless it is there and newer than the model.

    Raises:
        UnknownNameError: there is none of this name, or not of this run.
    """
    job = run.job()
    if name not in FILES:
        raise UnknownNameError(f"There is no {name!r:.60} to take away.{did_you_mean(name, FILES)}")
    reason = why_not(name, str(job["task"]), str(job["kind"]), bool(listed_vectors(run.results)))
    if reason is not None:
        raise UnknownNameError(reason)
    folder = run.folder / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / name
    if not path.is_file() or path.stat().st_mtime < _changed(run):
        _MAKERS[name](run, path, {**job, "project": project})
    return path


def _changed(run: RunFolder) -> float:
    return max(one.stat().st_mtime for one in (run.model, run.folder / "state.json", run.results) if one.exists())


def _model_zip(run: RunFolder, path: Path, job: Mapping[str, Any]) -> None:
    def write(file: Any) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for one in sorted(run.model.rglob("*")):
                if one.is_file():
                    packed.write(one, one.relative_to(run.model).as_posix())

    write_whole(path, write)


def _lists(run: RunFolder, path: Path, job: Mapping[str, Any]) -> None:
    write_lists(run.model, path, LENGTH)


def _vectors(run: RunFolder, path: Path, job: Mapping[str, Any]) -> None:
    """Of several kinds of things one table, with a column "of"; factors that a kind lacks are missing."""
    tables = []
    for at, _ in enumerate(listed_vectors(run.results)):
        one = read_vectors(run.results, at)
        ids = [str(id_) for id_ in one.ids]
        about = pl.DataFrame({"of": [one.of] * len(ids), "id": ids, "name": one.names, "rows": one.counts})
        tables.append(vector_table(about, one.vectors))
    write_table(pl.concat(tables, how="diagonal"), path)


def _script(run: RunFolder, path: Path, job: Mapping[str, Any]) -> None:
    text = script_of(job, f"{job['project']}, run {run.id}")
    write_whole(path, lambda file: file.write(text.encode()))


def _report(run: RunFolder, path: Path, job: Mapping[str, Any]) -> None:
    text = report_of(run, str(job["project"]))
    write_whole(path, lambda file: file.write(text.encode()))


_MAKERS: dict[str, Callable[[RunFolder, Path, Mapping[str, Any]], None]] = {
    "model.zip": _model_zip,
    "recommendations.csv": _lists,
    "vectors.parquet": _vectors,
    "script.py": _script,
    "report.html": _report,
}
