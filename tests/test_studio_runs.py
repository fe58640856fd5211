"""Trainings of the studio: followed, stopped, killed, taken up again; what came of them, and their script."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from studio import SECONDS, good, refused, running_studio
from vectable import load_learner

pytestmark = pytest.mark.slow
TASTES = ("tea", "coffee")


def ratings_file(users=60, items=24):
    """Two tastes: users of the one rate half of the items high."""
    rows = [
        f"u{user},i{item},{4.5 if (user + item) % 2 else 1.5 + (item % 3) / 2}\n"
        for user in range(users)
        for item in range(items)
        if (user * 7 + item * 3) % 4
    ]
    return "user,item,rating\n" + "".join(rows)


def orders_file(users=60, items=12):
    rows = [
        f"u{user},i{item}\n"
        for user in range(users)
        for item in range(items)
        if (user + item) % 2 and (user * item) % 5
    ]
    return "customer,product\n" + "".join(rows)


def table_file(rows=600):
    lines = [f"{at % 50},{'ab'[at % 2]},{(at % 50) * 2 + (30 if at % 2 else 0)}\n" for at in range(rows)]
    return "size,kind,price\n" + "".join(lines)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with running_studio(tmp_path_factory.mktemp("studio") / "projects") as running:
        running.project("ratings", "ratings.csv", ratings_file())
        running.train("ratings", epochs=8, lr=0.02, factors=8)
        running.project("orders", "orders.csv", orders_file())
        running.train("orders", model="ease")
        running.project("table", "table.csv", table_file())
        running.train("table", epochs=6, lr=0.01, batch_size=64)
        yield running


def run_of(studio, project, run=1):
    return good(studio.get(f"/api/projects/{project}/runs/{run}"))


@pytest.mark.parametrize(
    ("project", "figure", "baseline"),
    [("ratings", "RMSE", "Biases"), ("orders", "NDCG@10", "Popularity"), ("table", "RMSE", "The mean alone")],
)
def test_a_run_stands_beside_its_baselines(studio, project, figure, baseline):
    run = run_of(studio, project)
    assert run["state"] == "done", run["error"]
    assert run["figure"]["name"] == figure
    assert baseline in [one["name"] for one in run["baselines"]]
    assert run["better"] is True
    assert figure in run["sentence"]


def test_what_happens_is_told_while_it_happens(studio):
    events, state = studio.events("ratings", 1)
    assert state == "done"
    kinds = [one["type"] for one in events]
    assert kinds[-1] == "ended"
    assert kinds.count("epoch") == 8
    epochs = [one for one in events if one["type"] == "epoch"]
    assert epochs[-1]["train_loss"] < epochs[0]["train_loss"]
    steps = [one for one in events if one["type"] == "step"]
    assert steps
    assert steps[-1]["step"] == steps[-1]["steps"]
    assert [one["step"] for one in steps] == sorted(one["step"] for one in steps)


def test_the_finder_suggests_a_rate(studio):
    run = good(studio.post("/api/projects/ratings/runs", {"kind": "finder"}))
    events, state = studio.events("ratings", run["id"])
    assert state == "done"
    last = [one for one in events if one["type"] == "finder"][-1]
    assert len(last["lrs"]) == len(last["losses"]) > 10
    found = run_of(studio, "ratings", run["id"])["found"]
    assert found["rate"] == last["suggested"]
    assert (found["rate"] is None) == (found["withheld"] is not None)


def test_settings_that_cannot_be_are_refused(studio):
    ask = {"kind": "train", "settings": {"epochs": 0}}
    assert "Epochs" in refused(studio.post("/api/projects/ratings/runs", ask), 422)
    ask = {"kind": "train", "settings": {"epoch": 3}}
    assert "Did you mean 'epochs'" in refused(studio.post("/api/projects/ratings/runs", ask), 422)
    refused(studio.post("/api/projects/ratings/runs", {"kind": "dance"}), 422)


@pytest.mark.parametrize("project", ["ratings", "orders", "table"])
def test_the_script_does_what_the_studio_did(studio, project, tmp_path):
    content = {"ratings": ratings_file, "orders": orders_file, "table": table_file}[project]()
    (tmp_path / f"{project}.csv").write_text(content)
    script = studio.get(f"/api/projects/{project}/runs/1/take-away/script.py")
    assert script.status_code == 200
    (tmp_path / "script.py").write_bytes(script.content)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    written = pl.read_csv(tmp_path / "answers.csv")
    model = run_of(studio, project)["model"]
    if project == "table":
        rows = [dict(zip(("size", "kind"), line.split(",")[:2], strict=True)) for line in content.splitlines()[1:21]]
        rows = [{"size": int(row["size"]), "kind": row["kind"]} for row in rows]
        told = good(studio.post(f"/v1/models/{model}/predict", {"rows": rows}))["predictions"]
        assert written["prediction"].to_list() == pytest.approx(told, abs=1e-3)
        return
    users = [f"u{at}" for at in (1, 11, 12)]
    told = good(studio.post(f"/v1/models/{model}/recommendations", {"users": users, "n": 10}))["users"]
    for one in told:
        mine = written.filter(pl.col(written.columns[0]) == one["user"])
        assert mine[:, "item" if project == "ratings" else "product"].to_list() == [
            item["item"] for item in one["items"]
        ]


def test_stop_keeps_the_work_and_continue_takes_it_up(studio):
    studio.project("long", "ratings.csv", ratings_file(400, 60))
    run = good(studio.post("/api/projects/long/runs", {"settings": {"epochs": 200}}))["id"]
    wait_for(studio, "long", run, "epoch")
    refused(studio.post("/api/projects/long/runs", {"settings": {"epochs": 1}}), 409)
    refused(studio.client.delete(f"/api/projects/long/runs/{run}"), 409)
    refused(studio.client.delete("/api/projects/long"), 409)
    good(studio.post(f"/api/projects/long/runs/{run}/stop"))
    events, state = studio.events("long", run)
    assert state == "stopped"
    stopped = run_of(studio, "long", run)
    assert stopped["saved"]
    assert stopped["figure"] is not None
    reached = max(one["epoch"] for one in events if one["type"] == "epoch")
    assert reached < 200
    good(studio.post(f"/api/projects/long/runs/{run}/continue"))
    wait_for(studio, "long", run, "epoch", after=reached)
    good(studio.post(f"/api/projects/long/runs/{run}/stop"))
    studio.events("long", run)
    good(studio.client.delete(f"/api/projects/long/runs/{run}"))
    refused(studio.get(f"/api/projects/long/runs/{run}"), 404)


def test_a_killed_training_is_told_and_taken_up(studio, tmp_path):
    studio.project("killed", "ratings.csv", ratings_file(400, 60))
    run = good(studio.post("/api/projects/killed/runs", {"settings": {"epochs": 200}}))["id"]
    wait_for(studio, "killed", run, "epoch")
    folder = good(studio.get("/api/start"))["folder"]
    process = pl.read_json(f"{folder}/killed/runs/{run}/state.json")["process"][0]
    os.kill(process, signal.SIGKILL)
    _, state = studio.events("killed", run)
    assert state == "failed"
    assert "killed" in run_of(studio, "killed", run)["error"]
    good(studio.post(f"/api/projects/killed/runs/{run}/continue"))
    wait_for(studio, "killed", run, "message", text="Continuing")
    good(studio.post(f"/api/projects/killed/runs/{run}/stop"))
    assert studio.events("killed", run)[1] == "stopped"


def test_a_training_outlives_the_server(tmp_path):
    with running_studio(tmp_path) as first:
        first.project("shop", "ratings.csv", ratings_file(300, 60))
        run = good(first.post("/api/projects/shop/runs", {"settings": {"epochs": 40}}))["id"]
        wait_for(first, "shop", run, "epoch")
    with running_studio(tmp_path) as second:
        _, state = second.events("shop", run)
        assert state == "done"
        assert run_of(second, "shop", run)["model"] == "shop.1"


def test_a_waiting_process_takes_the_run_and_leaves_with_the_server(tmp_path):
    with running_studio(tmp_path) as studio:
        studio.project("shop", "ratings.csv", ratings_file())
        good(studio.get("/api/projects/shop"))
        run = studio.train("shop", epochs=2)
        assert run["state"] == "done"
        assert (tmp_path / "shop/runs/1/log.txt").is_file()
        good(studio.get("/api/projects/shop"))  # another one waits now
        waiting = waiting_processes(studio.process.pid)
        assert len(waiting) <= 1
    deadline = time.monotonic() + SECONDS
    while any(Path(f"/proc/{one}").exists() for one in waiting) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{one}").exists() for one in waiting)


def waiting_processes(server):
    """The processes of a studio that wait for a run; none where the system does not show them."""
    listed = Path(f"/proc/{server}/task/{server}/children")
    found = listed.read_text().split() if listed.is_file() else []
    return [one for one in found if b"--spare" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_a_training_that_cannot_work_says_why(studio):
    studio.project("few", "few.csv", "user,item,rating\na,x,4\nb,y,4\n")
    run = studio.train("few")
    assert run["state"] in ("failed", "done")
    assert run["error"] is None or run["error"].endswith(".")
    assert "which it should not" not in (run["error"] or "")


def test_the_model_is_taken_away_and_dropped_again(studio, tmp_path):
    packed = studio.get("/api/projects/ratings/runs/1/take-away/model.zip").content
    good(studio.post("/api/projects", {"name": "opened"}))
    shown = good(studio.upload("opened", "model.zip", packed))
    assert shown["source"] == "model"
    assert shown["runs"][0]["kind"] == "opened"
    asked = "/users/u1/recommendations"
    ours, theirs = (good(studio.get(f"/v1/models/{one}{asked}"))["items"] for one in ("ratings.1", "opened.1"))
    assert ours == theirs


def test_the_model_on_the_disk_is_the_librarys(studio):
    folder = good(studio.get("/api/projects/table/runs/1/take-away"))["folder"]
    learn = load_learner(folder, progress=False)
    told = good(studio.post("/api/projects/table/runs/1/predict", {"rows": [{"size": 10, "kind": "a"}]}))
    predicted = float(learn.predict({"size": 10, "kind": "a"}))
    assert told["predictions"][0]["value"] == pytest.approx(predicted, abs=1e-3)


def wait_for(studio, project, run, kind, after=0, text=""):
    """Wait until an event of a kind came, of an epoch behind `after`."""
    place, deadline = 0, time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        part = good(studio.get(f"/api/projects/{project}/runs/{run}/events", params={"after": place}))
        place = part["next"]
        for one in part["events"]:
            if one["type"] == kind and one.get("epoch", after + 1) > after and text in one.get("text", ""):
                return
        assert part["events"] or part["state"] in ("waiting", "running"), part
    raise AssertionError(f"no {kind} of {project}")
