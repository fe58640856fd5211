"""`vectable serve` as a process: started, asked over loopback, reloaded, attacked, stopped."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

import vectable as vt
from commands import good, sentence, vectable
from serving import served

LIST = "/v1/models/films/users/{}/recommendations"


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    return trained.save(tmp_path_factory.mktemp("served") / "films", serving=True)


@pytest.fixture
def other(trained):
    """Saves another model over a folder; its version."""

    def save(place, n_factors=2):
        learn = vt.collab_learner(trained.data, n_factors=n_factors, progress=False).fit_one_cycle(1, 5e-3)
        return vt.load_answers(learn.save(place)).version

    return save


def in_order(server, *requests):
    """The answers to requests over one connection."""
    with httpx.Client(base_url=server.address, timeout=30) as client:
        return [client.request(*one) for one in requests]


def until(condition, seconds=60):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


# ---------------------------------------------------------------- start and stop


def test_it_answers_without_torch_and_stops_when_asked(folder):
    answers = vt.load_answers(folder)
    with served(folder) as server:
        assert server.said == [
            f"Serving films at {server.address}/v1/models to this machine alone, since there is no token."
        ]
        (found, about) = in_order(server, ("GET", LIST.format(30)), ("GET", "/v1/models/films"))
        assert found.json() == {"model": {"name": "films", "version": answers.version}} | answers.recommend(30)
        assert about.json()["version"] == answers.version
        libraries = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "libtorch" not in libraries
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    logged = json.loads(server.log[0])
    assert (logged["status"], logged["path"]) == (200, LIST.format(30))
    assert len(server.log) == 2


def test_what_cannot_be_served_is_a_sentence(inside, folder, tmp_path):
    assert "There is no saved model at" in sentence(inside("serve", tmp_path / "nothing", "--port", 0))
    assert "Without a token" in sentence(inside("serve", folder, "--host", "0.0.0.0"))
    assert "at least 16 printable" in sentence(inside("serve", folder, "--token", "short"))
    assert "Two models are called" in sentence(inside("serve", folder, folder))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "cannot be listened on" in sentence(inside("serve", folder, "--port", port))
    assert "--watch" in good(inside("serve", "--help")).stdout


# ---------------------------------------------------------------- reloading


@pytest.mark.slow
@pytest.mark.parametrize("how", ["signal", "route", "watch"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_model_answers_after_a_reload(folder, other, tmp_path, how, workers):
    place = tmp_path / "films"
    shutil.copytree(folder, place)
    with served(place, "--workers", workers, *["--watch"] * (how == "watch")) as server:

        def versions():
            asked = [in_order(server, ("GET", "/v1/models/films"))[0].json()["version"] for _ in range(10)]
            return set(asked)

        before = vt.load_answers(place).version
        until(lambda: versions() == {before})
        after = other(place)
        if how == "signal":
            server.process.send_signal(signal.SIGHUP)
        elif how == "route":
            in_order(server, ("POST", "/v1/admin/reload"))
        until(lambda: versions() == {after})


@pytest.mark.slow
def test_requests_go_on_while_folders_change_for_better_and_worse(folder, other, tmp_path):
    place = tmp_path / "films"
    shutil.copytree(folder, place)
    other(tmp_path / "second", 3)
    right = {}
    for one in (folder, tmp_path / "second"):
        answers = vt.load_answers(one)
        right[answers.version] = {user: answers.recommend(user)["items"] for user in range(1, 60)}
    with served(place, "--no-access-log") as server:

        async def ask(client, stop):
            asked = 0
            while not stop.is_set():
                user = asked % 59 + 1
                answer = await client.get(LIST.format(user))
                assert answer.status_code == 200
                body = answer.json()
                assert body["items"] == right[body["model"]["version"]][user]
                asked += 1
            return asked

        async def change(client, stop):
            outcomes = []
            for turn in range(15):
                if turn % 5 == 4:
                    (place / "vectable.json").write_text("{")
                else:
                    source = folder if turn % 2 else tmp_path / "second"
                    await asyncio.to_thread(shutil.copytree, source, place, dirs_exist_ok=True)
                outcomes.append((await client.post("/v1/admin/reload")).status_code)
            stop.set()
            return outcomes

        async def both():
            stop = asyncio.Event()
            async with httpx.AsyncClient(base_url=server.address, timeout=30) as client:
                return await asyncio.gather(change(client, stop), *(ask(client, stop) for _ in range(4)))

        outcomes, *asked = asyncio.run(both())
    assert outcomes == [409 if turn % 5 == 4 else 200 for turn in range(15)]
    assert min(asked) > 10


# ---------------------------------------------------------------- several processes


def workers_of(server):
    """Ids of the processes that answer for a server of several."""
    parent = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return [one for one in map(int, parent.read_text().split()) if "spawn_main" in command_of(one)]


def has_new(server, before):
    return bool(set(workers_of(server)) - before)


def command_of(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.slow
def test_a_killed_worker_costs_at_most_the_requests_in_flight(folder):
    with served(folder, "--workers", 2, "--no-access-log") as server:
        until(lambda: len(workers_of(server)) == 2)
        lost = 0

        async def ask(stop):
            nonlocal lost
            done = 0
            while not stop.is_set():
                try:
                    async with httpx.AsyncClient(base_url=server.address, timeout=30) as client:
                        for _ in range(20):
                            assert (await client.get(LIST.format(done % 50 + 1))).status_code == 200
                            done += 1
                except httpx.TransportError:
                    lost += 1
            return done

        async def kill(stop):
            for _ in range(3):
                await asyncio.sleep(1)
                before = set(workers_of(server))
                os.kill(min(before), signal.SIGKILL)
                await asyncio.to_thread(until, partial(has_new, server, before))
            stop.set()

        async def both():
            stop = asyncio.Event()
            return await asyncio.gather(kill(stop), *(ask(stop) for _ in range(4)))

        _, *done = asyncio.run(both())
        assert lost <= 3 * 4  # of each connection at most the request under way, at each kill
        assert min(done) > 20
        assert len([line for line in server.said if "another takes its place" in line]) == 3
        figures = in_order(server, ("GET", "/metrics"))[0].text
        total = sum(float(line.split()[-1]) for line in figures.splitlines() if "vectable_requests_total{" in line)
        assert total >= sum(done)  # the workers that were killed counted too


@pytest.mark.slow
def test_workers_that_cannot_start_end_the_server(tmp_path, folder):
    place = tmp_path / "films"
    shutil.copytree(folder, place)
    next(place.glob("weights-*")).unlink()
    done = vectable("serve", place, "--workers", 2, "--port", 0)
    assert done.returncode == 1
    assert "is incomplete: its file weights-" in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- hostile clients


def raw(server, data, seconds=30):
    """What comes back for bytes that are sent as they are."""
    with socket.create_connection(("127.0.0.1", server.port), seconds) as line:
        found = b""
        with suppress(ConnectionError):  # an answer may come, and the end, before all is sent
            line.sendall(data)
        with suppress(ConnectionError):
            while part := line.recv(65536):
                found += part
        return found


def memory_of(server):
    """Resident megabytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


@pytest.mark.slow
def test_hostile_clients_get_a_sentence_or_are_cut_and_others_are_served(folder):
    head = b"POST /v1/models/films/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with served(folder, "--no-access-log") as server:
        assert b"This is not an HTTP/1.1 request" in raw(server, b"\x16\x03\x01 garbage\r\n\r\n")
        assert b"headers are longer than 32,768 bytes" in raw(server, b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000)
        long = raw(server, head + b"Content-Length: 10000000\r\n\r\n")
        assert long.startswith(b"HTTP/1.1 413 ")
        assert b"The body is longer than 8,000,000 bytes" in long
        chunks = b"100000\r\n" + b"[" * 0x100000 + b"\r\n"
        endless = raw(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + 10 * chunks + b"0\r\n\r\n")
        assert endless == b"" or endless.startswith(b"HTTP/1.1 413 ")  # the end may overtake the answer
        assert memory_of(server) < 400
        assert in_order(server, ("GET", LIST.format(30)))[0].status_code == 200
        began = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", server.port)) as slow,
            socket.create_connection(("127.0.0.1", server.port)) as body,
        ):
            body.sendall(head + b"Content-Length: 100\r\n\r\n{")
            for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 500:
                try:
                    slow.sendall(bytes([byte]))
                except OSError:
                    break
                time.sleep(0.1)
                assert in_order(server, ("GET", "/v1/models"))[0].status_code == 200
            assert 8 < time.monotonic() - began < 30
            assert body.recv(1000).startswith(b"HTTP/1.1 408 ")


@pytest.mark.slow
def test_more_connections_than_are_held_leave_the_others_served(folder):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = min(10_000, hard - 200 if hard > 0 else 10_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, many + 200), hard))
    with served(folder, "--no-access-log") as server:
        lines = []
        try:
            for at in range(many):
                lines.append(socket.create_connection(("127.0.0.1", server.port), 30))
                if at % 1_000 == 999:
                    assert in_order(server, ("GET", LIST.format(30)))[0].status_code == 200
            assert len(os.listdir(f"/proc/{server.process.pid}/fd")) < 1_100
        finally:
            for line in lines:
                line.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
