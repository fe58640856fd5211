"""`vectable serve` under load, beside the same routes over the learner: requests a second, p99, start, memory.

One worker, some connections over loopback, asked by a small tool of this script in a process of its own: each
connection sends its next request when the answer to the last one is there. Then as many requests as `--checked` at full
load, each compared with the right answer, while the folder is replaced, reloaded, and made unreadable at times.
Nonsense is `serving_fuzz.py`'s.
"""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import vectable as vt
from _common import Report, arguments, parse
from _served import Server, ask, exchange, get, post, served

CONNECTIONS = 8
USERS = 2_000
NAIVE = """
import sys
import orjson, polars as pl, uvicorn, vectable as vt
from fastapi import FastAPI, Request, Response
learn, app = vt.load_learner(sys.argv[1], progress=False, frames="polars"), FastAPI()
def rows(frame): return Response(orjson.dumps({"items": frame.to_dicts()}), media_type="application/json")
@app.get("/v1/models/shop/users/{user}/recommendations")
def recommend(user: int, n: int = 10): return rows(learn.recommend(user, n))
@app.get("/v1/models/shop/items/{item}/similar")
def similar(item: int, n: int = 10): return rows(learn.similar(item, n))
@app.post("/v1/models/shop/predict")
def predict(body: dict): return {"predictions": learn.predict(pl.DataFrame(body["rows"])).tolist()}
@app.post("/v1/models/shop/fold-in")
def fold_in(body: dict):
    return rows(learn.fold_in({one["item"]: one["rating"] for one in body["ratings"]}).recommend(body["n"]))
@app.get("/ready")
def ready(): return {}
uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--seconds", type=float, help="of each route (default 5; 0.5 with --quick)")
    parser.add_argument("--checked", type=int, help="requests that are compared (default 100,000; 500 with --quick)")
    args = parse(parser)
    seconds = args.seconds or (0.5 if args.quick else 5)
    checked = args.checked or (500 if args.quick else 100_000)
    report = Report("serving", args, connections=CONNECTIONS, seconds=seconds, checked=checked)
    with tempfile.TemporaryDirectory() as place:
        small, large = save(Path(place) / "shop", 2_000), save(Path(place) / "large", 50_000)
        limits = {"recommend": 1500, "similar": 1500, "predict": 1500, "fold-in": 800}
        with served(small) as server:
            report.target("seconds from start to ready", server.seconds, at_most=1.5)
            report.target("MB resident when ready", server.megabytes(), at_most=150)
            found = {route: load(server, requests, seconds) for route, requests in routes(2_000).items()}
        for route, (rate, p99, _) in found.items():
            report.target(f"{route}, requests a second", rate, at_least=limits[route])
            report.target(f"{route}, p99 in ms", p99, at_most=20)
        with served(large) as server:
            rate, p99, _ = load(server, routes(50_000)["recommend"], seconds)
        report.target("recommend from 50,000 items, requests a second", rate, at_least=400)
        with naive(small) as server:
            slow = {route: load(server, requests, seconds) for route, requests in routes(2_000).items()}
        shown = [
            {
                "route": route,
                "served, a second": f"{rate:,.0f}",
                "p99 ms": f"{p99:.1f}",
                "CPU ms": f"{busy:.2f}",
                "learner, a second": f"{slow[route][0]:,.0f}",
                "learner's CPU ms": f"{slow[route][2]:.2f}",
            }
            for route, (rate, p99, busy) in found.items()
        ]
        report.table(shown)
        report.result("routes", shown)
        compare(report, small, Path(place), checked, args.quick)
    report.finish()


def save(folder: Path, n_items: int) -> Path:
    """A model of made-up ratings."""
    rng = np.random.default_rng(0)
    user, item = rng.integers(1, USERS + 1, 200_000), rng.integers(1, n_items + 1, 200_000)
    user, item = np.append(user, 1 + np.arange(n_items) % USERS), np.append(item, 1 + np.arange(n_items))
    frame = pl.DataFrame({"user": user, "item": item, "rating": rng.integers(1, 6, len(user)) * 1.0})
    data = vt.RatingsData.from_df(frame.unique(["user", "item"], maintain_order=True), valid_pct=0.0, seed=0)
    learn = vt.collab_learner(data, n_factors=32, y_range=(0, 5.5), progress=False)
    return learn.fit_one_cycle(1, 5e-3).save(folder)


def routes(n_items: int) -> dict[str, list[bytes]]:
    """Requests by route, as bytes."""
    rng = random.Random(0)
    base = "/v1/models/shop"

    def basket() -> dict[str, Any]:
        return {
            "ratings": [{"item": one, "rating": rng.randint(1, 5)} for one in rng.sample(range(1, n_items), 5)],
            "n": 10,
        }

    def row() -> dict[str, Any]:
        return {"rows": [{"user": rng.randint(1, USERS), "item": rng.randint(1, n_items)}]}

    return {
        "recommend": [get(f"{base}/users/{rng.randint(1, USERS)}/recommendations") for _ in range(997)],
        "similar": [get(f"{base}/items/{rng.randint(1, n_items)}/similar") for _ in range(997)],
        "predict": [post(f"{base}/predict", json.dumps(row()).encode()) for _ in range(997)],
        "fold-in": [post(f"{base}/fold-in", json.dumps(basket()).encode()) for _ in range(997)],
    }


# ---------------------------------------------------------------- servers


@contextmanager
def naive(folder: Path) -> Any:
    port = 18_431
    with subprocess.Popen([sys.executable, "-c", NAIVE, str(folder), str(port)]) as process:
        try:
            for _ in range(600):
                try:
                    asyncio.run(ask(port, get("/ready")))
                    break
                except OSError:
                    time.sleep(0.1)
            yield Server(process, port, 0.0)
        finally:
            process.terminate()


# ---------------------------------------------------------------- asking


def load(server: Server, requests: list[bytes], seconds: float) -> tuple[float, float, float]:
    """Requests a second, the 99th percentile in ms, and ms of the server's CPU for each: after some to warm up."""
    port = server.port

    async def connection(at: int, begin: float, end: float) -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken, now = [], time.perf_counter()
        while now < end:
            status, _ = await exchange(reader, writer, requests[at % len(requests)])
            assert status == 200, status
            after = time.perf_counter()
            if now >= begin or after >= end:
                taken.append(after - now)
            at, now = at + CONNECTIONS, after
        writer.close()
        return taken

    async def together() -> list[float]:
        await ask(port, requests[0])
        begin = time.perf_counter() + seconds / 10
        each = [connection(at, begin, begin + seconds) for at in range(CONNECTIONS)]
        return [one for taken in await asyncio.gather(*each) for one in taken]

    before = server.cpu_seconds()
    taken = asyncio.run(together())
    busy = (server.cpu_seconds() - before) / (len(taken) * 1.1)  # the tenth to warm up is not in `taken`
    return len(taken) / seconds, float(np.percentile(taken, 99)) * 1000, busy * 1000


def compare(report: Report, folder: Path, place: Path, checked: int, quick: bool) -> None:
    """Full load with every answer compared, while the folder changes."""
    second = place / "second"
    vt.load_learner(folder, progress=False).fit_one_cycle(1, 1e-3).save(second)
    first = shutil.copytree(folder, place / "first")
    live = shutil.copytree(folder, place / "live")
    right = {}
    for one in (first, second):
        answers = vt.load_answers(one)
        right[answers.version] = [answers.recommend(user)["items"] for user in range(1, USERS + 1)]
    reloads, bad = (5, 2) if quick else (100, 20)
    counts = {"compared": 0, "wrong": 0, "lost": 0, "reloads": 0, "bad folders": 0}

    async def connection(port: int, at: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while counts["compared"] < checked or counts["reloads"] < reloads:
            user = at % USERS
            try:
                status, body = await exchange(reader, writer, get(f"/v1/models/shop/users/{user + 1}/recommendations"))
            except (OSError, asyncio.IncompleteReadError):
                counts["lost"] += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                continue
            found = json.loads(body)
            counts["compared"] += 1
            counts["wrong"] += status != 200 or found["items"] != right[found["model"]["version"]][user]
            at += CONNECTIONS
        writer.close()

    async def change(port: int) -> None:
        for turn in range(reloads + bad):
            await asyncio.sleep(checked / 6_000 / (reloads + bad))
            broken = turn % (reloads // bad) == 0 and counts["bad folders"] < bad
            if broken:
                (live / "vectable.json").write_text("{")
            else:
                await asyncio.to_thread(shutil.copytree, (first, second)[turn % 2], live, dirs_exist_ok=True)
            status, _ = await ask(port, post("/v1/admin/reload", b""))
            assert status == (409 if broken else 200), status
            counts["bad folders" if broken else "reloads"] += 1

    async def together(port: int) -> None:
        await asyncio.gather(change(port), *(connection(port, at) for at in range(CONNECTIONS)))

    with served(live) as server:
        before = server.megabytes()
        asyncio.run(together(server.port))
        counts["MB before"], counts["MB after"] = round(before), round(server.megabytes())
    report.table([{name: f"{count:,}" for name, count in counts.items()}])
    report.result("compared", counts)
    report.target("wrong answers", counts["wrong"], at_most=0)
    report.target("lost requests", counts["lost"], at_most=0)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
