"""What goes wrong beside a studio: two browsers, a full disk, a helper that dies, files that are damaged."""

import errno
import json
import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from studio import ADDRESS, SECONDS, good, refused, running_studio
from test_studio_runs import ratings_file
from vectable.studio.events import EventWriter, read_events
from vectable.studio.job import Job
from vectable.studio.run_folder import RunFolder


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with running_studio(tmp_path_factory.mktemp("studio") / "projects") as running:
        yield running


@pytest.fixture
def other(studio):
    """A second browser, let in by an address that the first asked for."""
    address = good(studio.post("/api/address"))["address"]
    match = ADDRESS.search(address)
    with httpx.Client(base_url=match[1], timeout=SECONDS) as client:
        assert client.get("/start", params={"token": match[2]}).status_code == 303
        yield client


def in_threads(*asks):
    """The answers to questions that are asked at once."""
    answers = [None] * len(asks)

    def ask(at):
        answers[at] = asks[at]()

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(len(asks))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return answers


@pytest.mark.slow
def test_of_two_browsers_one_trains(studio, other):
    studio.project("shared", "ratings.csv", ratings_file())
    start = {"kind": "train", "settings": {"epochs": 60}}
    address = "/api/projects/shared/runs"
    answers = in_threads(lambda: studio.post(address, start), lambda: other.post(address, json=start))
    assert sorted(one.status_code for one in answers) == [201, 409]
    run = next(one for one in answers if one.status_code == 201).json()["id"]
    good(other.post(f"{address}/{run}/stop"))
    assert studio.events("shared", run)[1] in ("stopped", "done")


def test_of_two_browsers_both_change_the_columns(studio, other):
    studio.project("columns", "ratings.csv", ratings_file(12, 6))
    address = "/api/projects/columns"
    answers = in_threads(
        lambda: studio.client.patch(address, json={"roles": {"user": "item"}}),
        lambda: other.patch(address, json={"roles": {"item": "user"}}),
    )
    assert [one.status_code for one in answers] == [200, 200]
    found = {one["name"]: one["role"] for one in good(studio.get(address))["columns"]}
    assert found == {"user": "item", "item": "user", "rating": "rating"}


def test_a_helper_that_dies_is_replaced(studio):
    studio.project("helped", "ratings.csv", ratings_file(12, 6))
    for child in children_of(studio.process.pid):
        os.kill(child, signal.SIGKILL)
    answers = [studio.client.patch("/api/projects/helped", json={"task": "interactions"}) for _ in range(3)]
    assert answers[-1].status_code == 200, [one.text for one in answers]
    assert good(studio.get("/api/projects/helped"))["task"] == "interactions"


def test_a_project_file_that_is_damaged_does_not_stop_the_others(studio):
    studio.project("whole", "ratings.csv", ratings_file(12, 6))
    folder = Path(good(studio.get("/api/start"))["folder"])
    (folder / "torn").mkdir()
    (folder / "torn" / "project.json").write_bytes(b'{"label": "to')
    listed = [one["name"] for one in good(studio.get("/api/start"))["projects"]]
    assert {"whole", "torn"} <= set(listed)
    assert good(studio.get("/api/projects/torn"))["task"] is None
    refused(studio.post("/api/projects/torn/runs"), 409)
    good(studio.client.delete("/api/projects/torn"))


def test_bodies_that_are_none(studio):
    header = {"content-type": "application/json"}
    for content in (b"{", b"[1]", b'{"name": "\xff"}', b"null"):
        refused(studio.client.post("/api/projects", content=content, headers=header), 422)
    refused(studio.client.post("/api/projects", content=b" " * 2_000_000, headers=header), 413)
    refused(studio.client.post("/api/projects", json={"name": 3}), 422)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "shop" / "runs" / "1"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"id": "1", "kind": "train", "task": "ratings", "settings": {}}))
    return RunFolder(folder)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (MemoryError(), "Memory does not suffice"),
        (TypeError("a slip"), "which it should not"),
    ],
)
def test_how_a_training_fails_is_said_and_kept(run, monkeypatch, raised, said):
    def fail(self):
        raise raised

    monkeypatch.setattr(Job, "_work", fail)
    Job(run).do()
    assert run.state()["state"] == "failed"
    assert said in run.state()["error"]
    events, _ = read_events(run.events, 0)
    assert events[-1]["type"] == "ended"
    assert events[-1]["error"] == run.state()["error"]


def test_half_a_line_of_a_killed_process_is_passed_over(run):
    EventWriter(run.events).write("message", text="first")
    with run.events.open("ab") as file:
        file.write(b'{"type": "step", "lo')
    found, place = read_events(run.events, 0)
    assert [one["text"] for one in found] == ["first"]
    EventWriter(run.events).write("message", text="second")
    EventWriter(run.events).write("message", text="third")
    found, _ = read_events(run.events, place)
    assert [one["text"] for one in found] == ["second", "third"]


def children_of(process):
    """The helper processes of a studio."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    if not listed.is_file():
        pytest.skip("this system does not show the children of a process")
    found = [int(one) for one in listed.read_text().split()]
    return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
