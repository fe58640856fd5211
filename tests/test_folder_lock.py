"""Saves that meet: one at a time writes to a folder, readers see whole models, and nobody waits for the dead."""

import errno
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import vectable as vt
from vectable import artifact
from vectable.artifact import MANIFEST, Contents, read_folder, read_manifest, write_folder
from vectable.folder_lock import folder_lock


def contents(value):
    """A small model's contents, every part of which says `value`."""
    tensors = {name: {"rows": torch.full((2_000,), float(value))} for name in ("weights", "optimizer")}
    return Contents("ratings", {"value": value}, tensors, {"titles": [value] * 500})


def value_of(found):
    """What every part says: they are of one save."""
    value = found.settings["value"]
    assert all(bool((one["rows"] == value).all()) for one in found.tensors.values())
    assert found.tables == {"titles": [value] * 500}
    return value


def named_in(folder):
    return {MANIFEST, *(entry["file"] for entry in read_manifest(folder)["files"].values())}


def test_one_holder_at_a_time_and_readers_together(tmp_path):
    with folder_lock(tmp_path, shared=True), folder_lock(tmp_path, shared=True) as held:
        assert held
        with pytest.raises(TimeoutError), folder_lock(tmp_path, seconds=0.05):
            pass
    with folder_lock(tmp_path) as held:
        assert held
        for shared in (True, False):
            with pytest.raises(TimeoutError), folder_lock(tmp_path, shared=shared, seconds=0.05):
                pass
    with folder_lock(tmp_path, seconds=0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_where_asked(tmp_path):
    with folder_lock(tmp_path / "a" / "b", make=True):
        assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(FileNotFoundError), folder_lock(tmp_path / "c"):
        pass


def test_a_folder_that_was_removed_while_waiting_is_locked_anew(tmp_path):
    folder = tmp_path / "model"
    got = threading.Event()

    def wait():
        with folder_lock(folder, make=True, seconds=30):
            assert folder.is_dir()
            got.set()

    with folder_lock(folder, make=True):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.1)
        folder.rmdir()
    waiting.join(30)
    assert got.is_set()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = f"""
        import time
        from pathlib import Path
        from vectable.folder_lock import folder_lock
        with folder_lock(Path({str(tmp_path)!r})):
            print("held", flush=True)
            time.sleep(600)
        """
    held = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"
    with pytest.raises(TimeoutError), folder_lock(tmp_path, seconds=0.05):
        pass
    held.kill()
    held.communicate()
    with folder_lock(tmp_path, seconds=30) as alone:
        assert alone


def test_a_lock_that_a_forked_child_inherits_is_let_go(tmp_path):
    with folder_lock(tmp_path):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(reading, 1)
            os._exit(0)
    with folder_lock(tmp_path, seconds=0):
        pass
    os.write(writing, b"!")
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)


def test_a_save_that_waits_too_long_says_so(tmp_path, monkeypatch):
    path = write_folder(tmp_path / "model", contents(1))
    monkeypatch.setattr(artifact, "folder_lock", lambda folder, **how: folder_lock(folder, **how, seconds=0.05))
    with folder_lock(path), pytest.raises(vt.ArtifactError) as caught:
        write_folder(path, contents(2))
    assert str(caught.value) == (
        f"The model cannot be saved to {str(path)!r}: another program has been using it for 0.05 seconds."
    )
    assert value_of(read_folder(path)) == 1


def no_locks(*_):
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("locks", [True, False])
def test_savers_in_several_threads_and_readers_beside_them(tmp_path, monkeypatch, locks):
    """Without locks, as on some network file systems, each save removes only what it replaces."""
    if not locks:
        monkeypatch.setattr("fcntl.flock", no_locks)
    path = write_folder(tmp_path / "model", contents(0))

    def save(worker):
        for turn in range(10):
            write_folder(path, contents(100 * worker + turn))

    def read(_):
        return [value_of(read_folder(path)) for _ in range(15)] if locks else []

    with ThreadPoolExecutor(6) as pool:
        saves = [pool.submit(save, worker) for worker in (1, 2, 3)]
        reads = [pool.submit(read, worker) for worker in range(3)]
        assert all(one.result() is None for one in saves)
        assert all(isinstance(one.result(), list) for one in reads)
    assert value_of(read_folder(path)) % 100 == 9
    write_folder(path, contents(7))
    if locks:
        assert set(os.listdir(path)) == named_in(path)
    else:
        assert named_in(path) <= set(os.listdir(path))


def test_a_reader_whose_model_is_replaced_reads_the_new_one(tmp_path, monkeypatch):
    path = write_folder(tmp_path / "model", contents(1))
    whole, replaced = artifact.read_tensors, []

    def replace_first(file):
        if not replaced:
            replaced.append(write_folder(path, contents(2)))
        return whole(file)

    monkeypatch.setattr(artifact, "read_tensors", replace_first)
    assert value_of(read_folder(path)) == 2


def test_two_processes_that_save_and_one_that_reads(tmp_path):
    path = tmp_path / "model"
    code = """
        import sys, time
        sys.path.insert(0, sys.argv[3])
        from test_folder_lock import contents, value_of
        from vectable.artifact import read_folder, write_folder
        until, done = time.monotonic() + 2, 0
        while time.monotonic() < until or done < 5:
            value_of(read_folder(sys.argv[2])) if sys.argv[1] == "read" else write_folder(sys.argv[2], contents(done))
            done += 1
        print(done)
        """
    write_folder(path, contents(0))
    here = os.path.dirname(__file__)
    run = [sys.executable, "-c", textwrap.dedent(code)]
    started = [
        subprocess.Popen([*run, what, str(path), here], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for what in ("save", "save", "read")
    ]
    for one in started:
        out, problem = one.communicate(timeout=200)
        assert one.returncode == 0, problem
        assert int(out) >= 5
    value_of(read_folder(path))
    assert set(os.listdir(path)) == named_in(path)
