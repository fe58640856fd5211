"""A run's own process, ``python -m vectable.studio.job FOLDER``: it trains, keeps what came of it, and says how."""

import os
import signal
import sys
import traceback
import warnings
from errno import ENOSPC
from pathlib import Path
from typing import Any

from vectable.errors import VectableError, VectableWarning
from vectable.studio.choosing import choices_of
from vectable.studio.events import EventWriter
from vectable.studio.json_files import write_json
from vectable.studio.run_folder import DONE, FAILED, RUNNING, STOPPED, RunFolder
from vectable.studio.spare import OPTION, wait_for_run
from vectable.studio.tasks.catalogue import task_named
from vectable.studio.tasks.plan import Plan
from vectable.studio.workspace import Project, now

CHECKPOINT_SECONDS = 5.0


class Job:
    """One run.

    Args:
        run: its folder.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run, self.asked = run, run.job()
        self.project = Project(run.folder.parent.parent)
        self.events = EventWriter(run.events)
        self.task = str(self.asked["task"])

    def do(self) -> None:
        """All of it; how it ended stands in state.json and in the last event."""
        self.run.write_state(state=RUNNING, process=os.getpid(), started=now(), error=None)
        warnings.showwarning = self._warned
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", VectableWarning)
        try:
            stopped = self._work()
            self._end(STOPPED if stopped else DONE)
        except KeyboardInterrupt:
            self._end(STOPPED)
        except VectableError as why:
            self._end(FAILED, str(why))
        except OSError as why:
            traceback.print_exc()
            full = "The disk is full. Make room, then continue: what was kept until then is there."
            self._end(FAILED, full if why.errno == ENOSPC else f"A file could not be used: {why}.")
        except MemoryError:
            self._end(FAILED, "Memory does not suffice for this training: take fewer rows, or narrower vectors.")
        except Exception as why:
            traceback.print_exc()
            said = f"{type(why).__name__}: {why}".rstrip(".")
            self._end(FAILED, f"The program failed, which it should not: {said}. The run's log.txt has more.")

    def _work(self) -> bool:
        """Do what was asked; whether it was stopped."""
        if self.asked["kind"] == "finder":
            return self._find_rate()
        if self.asked["kind"] == "project":
            from vectable.studio.projecting import project_vectors

            project_vectors(self.project, self.asked, self.events)
            return False
        return self._train()

    # ---------------------------------------------------------------- training

    def _learner(self, progress: Any) -> tuple[Plan, Any]:
        self.events.write("message", text="Reading the data.")
        plan = task_named(self.task).plan(choices_of(self.asked["about"], self.asked["settings"]))
        source = self.project.folder / self.asked["about"]["source"]
        data = plan.make_data(source)
        self.events.write("message", text=" ".join(repr(data).split()))
        return plan, plan.make_learner(data, progress)

    def _find_rate(self) -> bool:
        from vectable.studio.job_events import FinderEvents

        if self.task == "interactions":
            raise VectableError("Models of interactions have no learning rate: there is nothing to find.")
        _, learn = self._learner(False)
        found = learn.lr_find(callbacks=[FinderEvents(self.events)])
        self.events.write("finder", lrs=found.lrs.tolist(), losses=found.losses.tolist(), suggested=found.rate)
        self.run.write_state(found={"rate": found.rate, "withheld": found.withheld.get("rate")})
        return False

    def _train(self) -> bool:
        from vectable.studio.job_events import console_to

        plan, learn = self._learner(console_to(self.events) if self.task == "interactions" else False)
        stopped = self._fit(plan, learn)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # from here on it keeps what there is
        self.events.write("message", text="Keeping the model and measuring it.")
        learn.save(self.run.model)
        self._keep_results(learn)
        return stopped

    def _fit(self, plan: Plan, learn: Any) -> bool:
        """All fits; whether they were stopped. A training goes on at its checkpoint, if it has one."""
        if self.task == "interactions":
            for fit in plan.fits:
                given, named = fit.values()
                getattr(learn, fit.name)(*given, **named)
            return False
        from vectable import Checkpoint, RestoreBest
        from vectable.studio.job_events import StepEvents

        listener = StepEvents(self.events)
        for at, fit in enumerate(plan.fits):
            if fit.name == "unfreeze":
                learn.unfreeze()
                continue
            given, _ = fit.values()
            callbacks = [*([RestoreBest()] if plan.keeps_best else []), listener]
            checkpoint = Checkpoint(self.run.folder / "checkpoints" / str(at), seconds=CHECKPOINT_SECONDS)
            (self.run.folder / "checkpoints").mkdir(exist_ok=True)
            getattr(learn, fit.name)(*given, callbacks, checkpoint=checkpoint, resume=True)
            if learn.recorder.interrupted:
                return True
        return False

    def _keep_results(self, learn: Any) -> None:
        from vectable.studio.results.figures import measured
        from vectable.studio.results.form import form_of
        from vectable.studio.results.insight import insight_of
        from vectable.studio.results.vectors import vectors_of, write_vectors

        found = measured(self.task, learn)
        for one in found["baselines"]:
            self.events.write("baseline", **one)
        results = self.run.results
        results.mkdir(exist_ok=True)
        self.run.write_state(model=True, **found)
        write_json(results / "form.json", form_of(self.task, learn))
        write_vectors(results, vectors_of(self.task, learn))
        write_json(results / "insight.json", {"parts": insight_of(self.task, learn)})
        if self.task == "photographs":
            from vectable.studio.results.photographs import write_photographs

            write_photographs(results, learn)

    # ---------------------------------------------------------------- what is said

    def _end(self, state: str, error: str | None = None) -> None:
        self.run.write_state(state=state, ended=now(), error=error)
        self.events.write("ended", state=state, error=error)

    def _warned(self, message: Warning | str, *_: object, **__: object) -> None:
        self.events.write("message", text=str(message))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked_for = wait_for_run(int(sys.argv[2])) if sys.argv[1] == OPTION else Path(sys.argv[1])
    if asked_for is not None:
        Job(RunFolder(asked_for)).do()
