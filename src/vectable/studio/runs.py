"""The runs of projects: started as processes of their own, which live on when the page or the server goes."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from vectable.artifact import read_manifest
from vectable.errors import VectableError, require
from vectable.studio.choosing import choices_of, task_of
from vectable.studio.json_files import write_json
from vectable.studio.problems import conflict, not_found, told_when_full, unusable
from vectable.studio.run_folder import DONE, FAILED, JOB, LOG, STOPPED, WAITING, RunFolder
from vectable.studio.spare import Spare
from vectable.studio.workspace import Project, now

TRAIN, FINDER, PROJECT = "train", "finder", "project"
STARTING_SECONDS = 20.0
KINDS = (TRAIN, FINDER, PROJECT)
OPENED = "opened"  # a model that was saved elsewhere
TASKS_OF_KINDS = {"ratings": "ratings", "implicit": "interactions", "table": "table"}


class Runs:
    """Starts, stops and lists runs. The files say everything; here are only the processes that this server started."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        self._spare: Spare | None = None

    def prepare(self) -> None:
        """Have a process ready, since a training may be asked for soon."""
        if self._spare is None or not self._spare.is_there:
            self._spare = Spare()

    def close(self) -> None:
        """Let the process that waits go; runs go on."""
        if self._spare is not None:
            self._spare.leave()

    def of(self, project: Project) -> list[RunFolder]:
        """The runs of a project, the first first."""
        found = [one.parent for one in project.runs.glob(f"*/{JOB}") if one.parent.name.isdigit()]
        return [RunFolder(one) for one in sorted(found, key=lambda one: int(one.name))]

    def find(self, project: Project, run: str) -> RunFolder:
        """The run of a name.

        Raises:
            RefusalError: 404 where there is none.
        """
        found = RunFolder(project.runs / run)
        if run.isdigit() and run.isascii() and (found.folder / JOB).is_file():
            return found
        raise not_found(f"The project {project.name!r} has no run {run[:40]!r}.")

    def busy(self, project: Project) -> RunFolder | None:
        """The run that is under way; None where none is."""
        self._started = [one for one in self._started if one.poll() is None]  # those that ended are let go
        return next((one for one in self.of(project) if one.is_under_way()), None)

    def start(self, project: Project, kind: str, settings: Mapping[str, Any]) -> RunFolder:
        """Start a run.

        Args:
            kind: "train", "finder" or "project" (a map by another method, or its stability).
            settings: of the training; of "project" also "run", the run whose vectors are meant, "of" and "method".

        Raises:
            RefusalError: 409 where one is under way or there is no file, 507 where the disk is full.
            VectableError: a setting that cannot be.
        """
        require(kind in KINDS, f"kind: one of {', '.join(KINDS)}; got {kind!r:.60}.")
        about = project.about()
        if kind == PROJECT:
            source = self.find(project, str(settings.get("run", "")))
            job = {**source.job(), "kind": kind, "asked": dict(settings)}
        else:
            if about.get("source") is None:
                raise conflict("There is no file in this project to train on; drop one first.")
            choices = choices_of(about, settings)
            fatal = [one["text"] for one in about.get("problems", []) if one.get("kind") == "fatal"]
            if fatal:
                raise unusable(fatal[0])
            kept = {name: value for name, value in about.items() if name not in ("changed", "created")}
            job = {"kind": kind, "task": task_of(about), "settings": dict(choices.settings), "about": kept}
        self._refuse_second(project)
        with told_when_full("The run"):
            run = self._new(project)
        write_json(run.folder / JOB, {"id": run.id, "created": now(), **job})
        self._launch(run)
        return run

    def continue_(self, project: Project, run: RunFolder) -> None:
        """Take a run up where it was stopped or its process ended: from its last checkpoint.

        Raises:
            RefusalError: 409 where it is done or one is under way.
        """
        state = run.state()["state"]
        if state not in (STOPPED, FAILED):
            raise conflict(f"The run {run.id} is {state}: there is nothing to continue.")
        if run.job()["kind"] == OPENED:
            raise conflict("The model was opened, not trained here: there is nothing to continue.")
        self._refuse_second(project)
        self._launch(run)

    def stop(self, run: RunFolder) -> None:
        """Stop a run as Ctrl-C does: what was trained is kept."""
        deadline = time.monotonic() + STARTING_SECONDS
        while run.is_under_way() and time.monotonic() < deadline:
            process = run.state().get("process")
            if process is not None:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGINT)
                return
            time.sleep(0.05)  # it has not said its number yet

    def delete(self, run: RunFolder) -> None:
        """Remove a run with its model.

        Raises:
            RefusalError: 409 while it is under way.
        """
        if run.is_under_way():
            raise conflict(f"The run {run.id} is under way; stop it first.")
        os.close(run.take_lock())
        (run.folder / JOB).unlink(missing_ok=True)  # from here on it is none
        shutil.rmtree(run.folder)

    async def open_model(self, project: Project, folder: Path) -> str:
        """Copy a saved model into a project as a run that is done; the task it belongs to.

        Raises:
            VectableError: it is none of ours, or of a kind that the studio does not show.
        """
        manifest = read_manifest(folder)
        task = TASKS_OF_KINDS.get(manifest["kind"])
        if task is None:
            known = ", ".join(TASKS_OF_KINDS)
            raise VectableError(f"The model is of kind {manifest['kind']!r:.40}; the studio opens {known}.")
        run = self._new(project)
        with told_when_full("The model"):
            await asyncio.to_thread(shutil.copytree, folder, run.model, symlinks=True)
        if any(one.is_symlink() for one in run.model.rglob("*")):
            shutil.rmtree(run.folder)
            raise VectableError("The model's folder holds links; copy the files themselves.")
        job = {"id": run.id, "kind": OPENED, "task": task, "settings": {}, "created": now(), "about": {}}
        write_json(run.folder / JOB, job)
        run.write_state(state=DONE, started=now(), ended=now(), model=True)
        return task

    def _refuse_second(self, project: Project) -> None:
        other = self.busy(project)
        if other is not None:
            raise conflict(f"Run {other.id} of this project is under way; stop it, or wait until it is done.")

    def _new(self, project: Project) -> RunFolder:
        number = max((int(one.name) for one in project.runs.iterdir() if one.name.isdigit()), default=0)
        while True:
            number += 1
            with suppress(FileExistsError):
                (project.runs / str(number)).mkdir()
                return RunFolder(project.runs / str(number))

    def _launch(self, run: RunFolder) -> None:
        """Start the process; it is born with the lock."""
        lock = run.take_lock()
        try:
            run.write_state(state=WAITING, error=None, ended=None, process=None)
            spare, self._spare = self._spare, None
            if spare is not None and spare.is_there and spare.take(run.folder, lock):
                self._started.append(spare.process)
                return
            with (run.folder / LOG).open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "vectable.studio.job", str(run.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[lock],
                    start_new_session=True,  # Ctrl-C in the server's terminal is not for it
                )
        finally:
            os.close(lock)
        self._started.append(process)
