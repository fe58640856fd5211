"""Training goes on after the process was killed, and ends at the bits of an undisturbed run."""

import json
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import killed_training
import vectable as vt
from commands import good, sentence, vectable
from killed_training import KINDS, cores, train
from vectable.artifact import Contents
from vectable.training.checkpoints import CheckpointWriter
from vectable.training.engines.compiled_engine import CompiledEngine


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the processes that are killed."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def start(kind: str, folder: Path, when: str = "never", count: int = 0) -> "subprocess.Popen[bytes]":
    command = [sys.executable, killed_training.__file__, kind, str(folder), when, str(count)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def kill(kind: str, folder: Path, when: str, count: int) -> None:
    """Train in a process that is killed at that moment."""
    process = start(kind, folder, when, count)
    _, told = process.communicate()
    assert process.returncode == -signal.SIGKILL, told.decode()


def position(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "vectable.json").read_text())["settings"]["position"]
    return found


def assert_same(one: vt.Learner, other: vt.Learner) -> None:
    first, second = one.model.state_dict(), other.model.state_dict()
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert len(one.recorder.runs) == len(other.recorder.runs)
    for ours, theirs in zip(one.recorder.runs, other.recorder.runs, strict=True):
        assert np.array_equal(ours.losses, theirs.losses)
        assert (ours.member, ours.epoch_ends) == (theirs.member, theirs.epoch_ends)
        for row, as_it_was in zip(ours.epochs, theirs.epochs, strict=True):
            assert {**row, "seconds": 0} == {**as_it_was, "seconds": 0}


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("ratings", 150),
        pytest.param("ratings by two threads", 150, marks=pytest.mark.slow),
        pytest.param("ratings, two models", 300, marks=pytest.mark.slow),
        ("millions of ratings", 300),
        ("table", 59),
        pytest.param("table by the lesson", 41, marks=pytest.mark.slow),
        pytest.param("images", 31, marks=pytest.mark.slow),
        pytest.param("two nets in 16 bits", 83, marks=pytest.mark.slow),
        pytest.param("a pretrained body", 13, marks=pytest.mark.slow),
        pytest.param("a pretrained body, two cores", 13, marks=pytest.mark.slow),
    ],
)
def test_a_killed_fit_goes_on_in_the_middle_and_ends_at_the_same_bits(kind: str, steps: int, tmp_path: Path) -> None:
    kill(kind, tmp_path, "after", steps)
    assert position(tmp_path / "a")["finished"]
    at = position(tmp_path / "b")
    assert not at["finished"]
    assert at["step"] > 0, "in the middle of an epoch"
    n_cores = cores(kind)
    resumed, undisturbed = train(KINDS[kind](), tmp_path, True, n_cores), train(KINDS[kind](), n_cores=n_cores)
    assert_same(resumed, undisturbed)
    assert position(tmp_path / "b")["finished"]
    for learn in (resumed, undisturbed):  # the optimizer's state and the seeds go on, too
        learn.fit(1, 1e-3)
    assert_same(resumed, undisturbed)


def test_a_loaded_learner_trains_on_with_its_own_moments(tmp_path: Path) -> None:
    """Of convolutions that lie channel by channel in memory, which a folder keeps row by row."""
    learn = killed_training.fine_tuned()
    learn.unfreeze().fit(1, 1e-3)
    loaded = vt.load_learner(learn.save(tmp_path / "model"), data=learn.data, progress=False)
    learn.fit(1, 1e-3)
    loaded.fit(1, 1e-3)
    for name, value in learn.model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], value), name


@pytest.mark.parametrize(
    "files", [pytest.param(4, marks=pytest.mark.slow), 13, pytest.param(40, marks=pytest.mark.slow)]
)
def test_killed_while_a_checkpoint_is_written_the_last_one_is_whole(files: int, tmp_path: Path) -> None:
    kill("table", tmp_path, "writing", files)
    assert_same(train(KINDS["table"](), tmp_path, resume=True), train(KINDS["table"]()))


@pytest.mark.slow
def test_killed_at_any_moment_again_and_again(tmp_path: Path) -> None:
    """By another process, which knows nothing of what this one is doing."""
    rng = np.random.default_rng(0)
    for _ in range(2):
        process = start("images", tmp_path)
        manifest = tmp_path / "b" / "vectable.json"
        seen = manifest.stat().st_mtime_ns if manifest.exists() else 0
        while process.poll() is None and (not manifest.exists() or manifest.stat().st_mtime_ns == seen):
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.communicate()
    process = start("images", tmp_path)
    _, told = process.communicate()
    assert process.returncode == 0, told.decode()
    assert_same(train(KINDS["images"](), tmp_path, resume=True), train(KINDS["images"]()))


@pytest.mark.parametrize("kind", ["ratings", "images"])
def test_stopped_every_few_steps_it_ends_all_the_same(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(30 if kind == "images" else 12):
        learn = KINDS[kind]()
        halt(learn, tmp_path, 7 if kind == "images" else 23, monkeypatch, resume=True)
        if position(tmp_path)["finished"]:
            break
    undisturbed = KINDS[kind]()
    undisturbed.fit_one_cycle(3, 1e-2)
    assert_same(learn, undisturbed)


class HaltedError(Exception):
    pass


def halt(
    learn: vt.Learner, folder: Path, steps: int, monkeypatch: pytest.MonkeyPatch, how: type = HaltedError, **more: Any
) -> None:
    """Train until so many steps are done, then stop by an exception."""
    done, after = 0, CheckpointWriter.after

    def counted(self: CheckpointWriter, n_steps: int, *where: Any) -> None:
        nonlocal done
        done += n_steps
        if done >= steps:
            raise how
        after(self, n_steps, *where)

    with monkeypatch.context() as patched:
        patched.setattr(CheckpointWriter, "after", counted)
        with suppress(HaltedError):
            learn.fit_one_cycle(3, 1e-2, checkpoint=vt.Checkpoint(folder, steps=4), **more)


def test_ctrl_c_in_a_notebook_can_be_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn, undisturbed = KINDS["table"](), KINDS["table"]()
    halt(learn, tmp_path, 20, monkeypatch, KeyboardInterrupt)
    assert learn.recorder.interrupted
    learn.fit_one_cycle(3, 1e-2, checkpoint=tmp_path, resume=True)
    undisturbed.fit_one_cycle(3, 1e-2)
    assert_same(learn, undisturbed)
    assert not learn.recorder.interrupted
    assert learn.epochs_done == undisturbed.epochs_done


def test_a_finished_fit_is_not_trained_again(tmp_path: Path) -> None:
    first = train(KINDS["table"](), tmp_path)
    again = KINDS["table"]()
    again.session.make_engine = None  # type: ignore[method-assign, assignment]  # nothing is trained
    assert_same(train(again, tmp_path, resume=True), first)


def test_checkpoints_change_nothing_and_need_not_be_there(tmp_path: Path) -> None:
    assert_same(train(KINDS["ratings"](), tmp_path, resume=True), train(KINDS["ratings"]()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 7}, "seed is 42 there and 7 here"),
        ({"wd": 0.3}, "wd is 0.01 there and 0.3 here"),
        ({"opt": "sgd"}, "opt is 'adam' there and 'sgd' here"),
        ({"callbacks": []}, r"list of callbacks is \['RestoreBest', 'EarlyStopping'\] there and \[\] here"),
        ({"precision": "bf16"}, "precision is 'fp32' there and 'bf16' here"),
    ],
)
def test_another_training_is_refused(
    change: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halt(KINDS["table"](), tmp_path, 20, monkeypatch)
    with pytest.raises(vt.ArtifactError, match=told):
        killed_training.table(**change).fit_one_cycle(3, 1e-2, checkpoint=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("n_epoch", "lr", "told"),
    [(4, 1e-2, "number of epochs is 3 there and 4 here"), (3, 2e-2, "checksum of the learning rates is ")],
)
def test_another_schedule_is_refused(
    n_epoch: int, lr: float, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halt(KINDS["table"](), tmp_path, 20, monkeypatch)
    with pytest.raises(vt.ArtifactError, match=told):
        KINDS["table"]().fit_one_cycle(n_epoch, lr, checkpoint=tmp_path, resume=True)
    learn = KINDS["table"]()
    learn.fit(1, 1e-3)
    with pytest.raises(vt.ArtifactError, match="epochs done is 0 there and 1 here"):
        learn.fit_one_cycle(3, 1e-2, checkpoint=tmp_path, resume=True)


def test_another_engine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halt(KINDS["ratings"](), tmp_path, 20, monkeypatch)
    monkeypatch.setattr(CompiledEngine, "why_not", lambda _: "it is broken here")
    with pytest.raises(vt.ArtifactError, match="of the compiled engine, and here the torch engine trains"):
        KINDS["ratings"]().fit_one_cycle(3, 1e-2, checkpoint=tmp_path, resume=True)


def test_a_new_fit_in_the_place_of_an_unfinished_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halt(KINDS["table"](), tmp_path, 20, monkeypatch)
    with pytest.warns(
        vt.VectableWarning, match="unfinished fit in .* given up for a new one; resume=True would continue"
    ):
        KINDS["table"]().fit(1, 1e-2, checkpoint=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KINDS["table"]().fit(1, 1e-2, checkpoint=tmp_path)  # in the place of a finished one


def test_wrong_arguments_get_a_sentence(tmp_path: Path) -> None:
    learn = KINDS["table"]()
    with pytest.raises(vt.VectableError, match=r"resume=True continues from a checkpoint; give its folder"):
        learn.fit(1, 1e-3, resume=True)
    with pytest.raises(vt.VectableError, match=r"checkpoint must be a folder or a Checkpoint.*; got 5"):
        learn.fit(1, 1e-3, checkpoint=5)  # type: ignore[arg-type]
    for wrong in ({"steps": 0}, {"steps": 1.5}, {"minutes": 0}, {"seconds": float("nan")}):
        with pytest.raises(vt.VectableError, match=f"{next(iter(wrong))} must be a positive "):
            vt.Checkpoint(tmp_path, **wrong)  # type: ignore[arg-type]
    learn.save(tmp_path / "model")
    with pytest.raises(vt.ArtifactError, match="holds a saved model, no checkpoint; choose another name"):
        learn.fit(1, 1e-3, checkpoint=tmp_path / "model")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    with pytest.raises(vt.ArtifactError, match="exists and is not a saved model"):
        learn.fit(1, 1e-3, checkpoint=tmp_path / "notes")
    assert learn.recorder.runs == []


def test_minutes_and_steps_say_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, cost = [0.0], [0.0]
    monkeypatch.setattr("vectable.training.checkpoints.time.monotonic", lambda: now[0])
    written: list[tuple[int, int]] = []

    def write(path: Path, contents: Contents) -> None:
        at = contents.settings["position"]
        written.append((at["epoch"], at["step"]))
        now[0] += cost[0]

    class SecondPerStep(vt.Callback):
        def on_step_end(self, session: Any, model: Any, losses: Any) -> None:
            now[0] += len(losses)

    monkeypatch.setattr("vectable.training.checkpoints.write_folder", write)
    learn = KINDS["table"]()  # 15 steps per epoch
    learn.callbacks = [SecondPerStep()]
    learn.fit(2, 1e-3, checkpoint=vt.Checkpoint(tmp_path, minutes=0.2))
    assert written == [(0, 0), (0, 12), (1, 9), (0, 0)], "at the beginning, every 12 seconds, and at the end"
    written.clear()
    learn.fit(2, 1e-3, checkpoint=vt.Checkpoint(tmp_path, steps=10, minutes=0.2))
    assert written == [(0, 0), (0, 10), (1, 5), (1, 15), (0, 0)]
    written.clear()
    learn.fit(2, 1e-3, checkpoint=vt.Checkpoint(tmp_path, seconds=14, steps=8))
    assert written == [(0, 0), (0, 8), (1, 1), (1, 9), (0, 0)]
    written.clear()
    learn.fit(2, 1e-3, checkpoint=tmp_path)
    assert written == [(0, 0), (0, 5), (0, 10), (0, 15), (1, 5), (1, 10), (1, 15), (0, 0)], "every five seconds"
    written.clear()
    cost[0] = 0.375
    learn.fit(2, 1e-3, checkpoint=tmp_path)
    assert written == [(0, 0), (0, 8), (1, 1), (1, 9), (0, 0)], "a twentieth of the time at most goes into them"


class SignalAt(vt.Callback):
    """Sends this process a signal while one of the steps is under way, in the fit's first run."""

    def __init__(self, step: int | None, number: signal.Signals = signal.SIGINT) -> None:
        self.step, self.number = step, number

    def on_step_end(self, session: Any, model: Any, losses: Any) -> None:
        if len(session.recorder.losses) == self.step:
            signal.raise_signal(self.number)


@pytest.mark.parametrize(
    ("kind", "step", "kept"), [("table", 20, (1, 5)), ("table", 15, (0, 15)), ("images", 7, (0, 8))]
)
def test_ctrl_c_keeps_a_last_checkpoint_of_the_step_it_stopped_at(
    kind: str, step: int, kept: tuple[int, int], tmp_path: Path
) -> None:
    """The images take a step of three batches, which is completed first; an epoch has 8."""
    learn, again, undisturbed = (KINDS[kind]() for _ in range(3))
    learn.fit_one_cycle(3, 1e-2, [SignalAt(step)], checkpoint=vt.Checkpoint(tmp_path, seconds=1e6))
    assert learn.recorder.interrupted
    at = position(tmp_path)
    assert (at["epoch"], at["step"], at["finished"]) == (*kept, False)
    again.fit_one_cycle(3, 1e-2, [SignalAt(None)], checkpoint=tmp_path, resume=True)
    undisturbed.fit_one_cycle(3, 1e-2)
    assert_same(again, undisturbed)


def test_what_is_kept_and_continued_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step in (20, None):
        learn = KINDS["table"]()
        learn.progress = True
        learn.fit_one_cycle(3, 1e-2, [SignalAt(step)], checkpoint=tmp_path, resume=True)
    shown = capsys.readouterr().out
    assert "Interrupted after 20 steps; what was trained until then is kept." in shown
    assert f"The checkpoint in {str(tmp_path)!r} is of this step; resume=True continues it." in shown
    assert "Continuing from step 20 of 45." in shown


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    class Twice(vt.Callback):
        def on_step_end(self, session: Any, model: Any, losses: Any) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("the second one was held too")

    learn = KINDS["table"]()
    learn.fit(1, 1e-2, [Twice()])
    assert learn.recorder.interrupted


def test_a_handler_of_the_programs_own_is_called_when_the_step_is_done() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        learn = KINDS["table"]()
        learn.fit(2, 1e-2, [SignalAt(5, signal.SIGTERM)])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
    assert not learn.recorder.interrupted, "it does what it does; here nothing that ends training"


TERMINATED = """
    import sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from killed_training import KINDS
    from test_resume import SignalAt
    import signal, vectable as vt
    learn = KINDS["table"]()
    learn.fit(3, 1e-2, [SignalAt(20, signal.SIGTERM)], checkpoint={folder!r} + "/kept")
    assert learn.recorder.interrupted
    learn.save({folder!r} + "/model")
    print("saved", flush=True)
    learn.{then}
    print("measured")
"""


@pytest.mark.parametrize("then", ["fit(3, 1e-2)", pytest.param("validate()", marks=pytest.mark.slow)])
def test_sigterm_ends_the_fit_as_ctrl_c_does_and_the_process_when_it_is_done(then: str, tmp_path: Path) -> None:
    script = textwrap.dedent(TERMINATED).format(tests=str(Path(__file__).parent), folder=str(tmp_path), then=then)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGTERM, done.stderr
    assert done.stdout == ("saved\n" if "fit" in then else "saved\nmeasured\n"), "no further fit begins"
    assert position(tmp_path / "kept")["step"] == 5
    assert len(vt.load_learner(tmp_path / "model", progress=False).recorder.losses) == 20


def test_a_checkpoint_that_cannot_be_written_ends_the_fit_and_says_what_the_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, contents: Contents) -> None:
        if contents.settings["position"]["step"]:
            raise vt.ArtifactError("The disk is full.")

    monkeypatch.setattr("vectable.training.checkpoints.write_folder", full)
    learn, stopped = KINDS["ratings"](), KINDS["ratings"]()
    with pytest.raises(vt.ArtifactError, match=r"The disk is full\. The fit ended there, .* weights that were reached"):
        learn.fit(2, 1e-2, checkpoint=vt.Checkpoint(tmp_path, steps=7))
    assert (len(learn.recorder.losses), learn.epochs_done) == (7, 1)
    monkeypatch.undo()
    stopped.fit(2, 1e-2, [StopAfter(7)], checkpoint=vt.Checkpoint(tmp_path / "other", steps=7))
    assert_same(learn, stopped)


def test_a_last_checkpoint_that_cannot_be_written_leaves_the_trained_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, contents: Contents) -> None:
        if contents.settings["position"]["finished"]:
            raise vt.ArtifactError("The disk is full.")

    monkeypatch.setattr("vectable.training.checkpoints.write_folder", full)
    learn, undisturbed = KINDS["table"](), KINDS["table"]()
    with pytest.raises(vt.ArtifactError, match=r"The disk is full\. The fit is finished and the model trained"):
        learn.fit(2, 1e-2, checkpoint=tmp_path)
    undisturbed.fit(2, 1e-2)
    assert_same(learn, undisturbed)


class StopAfter(vt.Callback):
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step_end(self, session: Any, model: Any, losses: Any) -> bool:
        return len(session.recorder.losses) >= self.steps


def test_a_checkpoint_is_no_model(tmp_path: Path) -> None:
    learn = KINDS["table"]()
    learn.fit(1, 1e-3, checkpoint=tmp_path)
    for load in (vt.load_learner, learn.load):
        with pytest.raises(vt.ArtifactError, match="holds the checkpoint of a fit, not a saved model"):
            load(tmp_path)


@pytest.mark.slow
def test_commands_go_on_where_they_were_killed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = "".join(f"{rng.integers(40)},{rng.integers(30)},{rng.integers(1, 6)}\n" for _ in range(600))
    (tmp_path / "ratings.csv").write_text("user,item,rating\n" + rows)
    train = ("train", "ratings", tmp_path / "ratings.csv", "--factors", 4, "--checkpoint", tmp_path / "kept")
    first = good(vectable(*train, "-o", tmp_path / "first"))
    again = good(vectable(*train, "-o", tmp_path / "again"))
    assert "nothing is left to train" in again.stderr + again.stdout
    assert "nothing is left to train" not in first.stderr + first.stdout
    models = [vt.load_learner(tmp_path / name).model.state_dict() for name in ("first", "again")]
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())
    assert "is of another training" in sentence(vectable(*train, "--seed", 7, "-q", "-o", tmp_path / "other"))
