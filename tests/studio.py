"""The studio as the tests ask it: `vectable studio` as a process of its own, in a folder of its own."""

import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx

ADDRESS = re.compile(r"(http://\S+)/start\?token=(\S+)")
SECONDS = 120  # that anything may take on a busy machine


class StudioAsked:
    """A running studio, asked over HTTP with its cookie."""

    def __init__(self, process, address, token):
        self.process, self.address, self.token = process, address, token
        self.client = httpx.Client(base_url=address, timeout=SECONDS)

    def open(self):
        """Let this client in."""
        return self.client.get("/start", params={"token": self.token})

    def get(self, path, **how):
        return self.client.get(path, **how)

    def post(self, path, body=None, **how):
        return self.client.post(path, json={} if body is None else body, **how)

    def upload(self, project, label, content):
        """The answer to an upload."""
        return self.client.post(f"/api/projects/{project}/file", params={"label": label}, content=content)

    def project(self, name, label, content):
        """A project with a file; what the studio shows of it."""
        good(self.post("/api/projects", {"name": name}))
        return good(self.upload(name, label, content))

    def events(self, project, run):
        """All events of a run, once it is over, and its state."""
        after, found, deadline = 0, [], time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            part = good(self.get(f"/api/projects/{project}/runs/{run}/events", params={"after": after}))
            found, after = found + part["events"], part["next"]
            if part["state"] not in ("waiting", "running") and not part["events"]:
                return found, part["state"]
        raise AssertionError(f"run {run} of {project} did not end: {found[-3:]}")

    def train(self, project, **settings):
        """Train to the end; the run."""
        run = good(self.post(f"/api/projects/{project}/runs", {"kind": "train", "settings": settings}))
        self.events(project, run["id"])
        return good(self.get(f"/api/projects/{project}/runs/{run['id']}"))


def good(answer):
    """The JSON of an answer that is no refusal."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def refused(answer, status):
    """The sentence of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()["detail"]
    assert said.endswith((".", "?", ")")), said
    assert "Traceback" not in said
    return said


@contextmanager
def running_studio(folder, *options, env=None):
    """A studio in `folder`, opened; it is ended afterwards."""
    command = [sys.executable, "-m", "vectable", "studio", str(folder), "--no-open", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env)
    said = []
    found = threading.Event()

    def listen():
        for line in process.stderr:
            said.append(line)
            if ADDRESS.search(line):
                found.set()
        found.set()

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    try:
        assert found.wait(SECONDS), said
        match = ADDRESS.search("".join(said))
        assert match, said
        studio = StudioAsked(process, *match.groups())
        with studio.client:
            assert studio.open().status_code == 303
            yield studio
    finally:
        process.terminate()
        process.wait(SECONDS)
        listening.join(SECONDS)
        process.stderr.close()
