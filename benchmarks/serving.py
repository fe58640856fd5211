"""`vectable serve` under load, beside the same routes over the learner: requests a second, p99, start, memory.

One worker, some connections over loopback, asked by a small tool of this script in a process of its own: each
connection sends its next request when the answer to the last one is there. Then as many requests as `--checked` at full
load, each compared with the right answer, while the folder is replaced, reloaded, and made unreadable at times.

With `--fuzz` as many requests of nonsense over the described routes: statuses, slowest answer, memory before and after.
"""

import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import vectable as vt
from _common import Report, arguments, parse

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
    parser.add_argument("--fuzz", type=int, help="requests of nonsense (default 100,000; 300 with --quick)")
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
        fuzz(report, small, args.fuzz or (300 if args.quick else 100_000))
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


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes, kind: str = "application/json") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


# ---------------------------------------------------------------- servers


class Server:
    """A running process that answers at a port."""

    def __init__(self, process: subprocess.Popen[str], port: int, seconds: float) -> None:
        self.process, self.port, self.seconds = process, port, seconds

    def cpu_seconds(self) -> float:
        """Seconds of CPU so far, of all threads: unlike rates they hardly depend on what else the machine does."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@contextmanager
def served(folder: Path) -> Any:
    command = [sys.executable, "-m", "vectable", "serve", f"{folder}=shop", "--port", "0", "--no-access-log"]
    began = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        port = int(re.findall(r"http://127.0.0.1:(\d+)", process.stderr.readline())[0])
        try:
            asyncio.run(ask(port, get("/ready")))
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Server(process, port, time.perf_counter() - began)
        finally:
            process.terminate()


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


async def exchange(reader: Any, writer: Any, request: bytes) -> tuple[int, bytes]:
    """One request and its answer over an open connection."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    return int(head[9:12]), await reader.readexactly(int(length[1])) if length else b""


async def ask(port: int, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = await exchange(reader, writer, request)
    writer.close()
    return found


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


# ---------------------------------------------------------------- nonsense


def fuzz(report: Report, folder: Path, n: int) -> None:
    """Nonsense over the described routes; nothing may fail, hang, or stay in memory."""
    rng = random.Random(1)
    statuses: dict[int, int] = {}
    slowest, wordless = 0.0, 0

    async def connection(port: int, share: int) -> None:
        nonlocal slowest, wordless
        streams = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(share):
            began = time.perf_counter()
            try:
                status, body = await exchange(*streams, nonsense(rng))
            except (OSError, asyncio.IncompleteReadError):  # refused as no HTTP, and closed
                status, body = 0, b""
            if status in (0, 400, 408, 413):
                streams[1].close()
                streams = await asyncio.open_connection("127.0.0.1", port)
            slowest = max(slowest, time.perf_counter() - began)
            statuses[status] = statuses.get(status, 0) + 1
            wordless += status >= 400 and not json.loads(body).get("detail")
        streams[1].close()

    async def together(port: int, n: int) -> None:
        await asyncio.gather(*(connection(port, n // CONNECTIONS) for _ in range(CONNECTIONS)))

    with served(folder) as server:
        asyncio.run(together(server.port, n // 10))
        before = server.megabytes()
        asyncio.run(together(server.port, n))
        after = server.megabytes()
    report.table([{str(status): f"{count:,}" for status, count in sorted(statuses.items())}])
    report.result("nonsense", statuses)
    report.target(
        "nonsense answered with 5xx but 503", sum(statuses.get(one, 0) for one in (500, 501, 502, 504)), at_most=0
    )
    report.target("refusals without a sentence", wordless, at_most=0)
    report.target("slowest answer to nonsense, seconds", slowest, at_most=10)
    report.target("MB grown over the nonsense", after - before, at_most=20)


def nonsense(rng: random.Random) -> bytes:
    """A request that is almost right."""
    base = rng.choice(["/v1/models/shop", "/v1/models/shop", "/v1/models/shop@x", "/v1/models/" + word(rng)])
    asked = f"n={rng.choice(numbers(rng))}&min_ratings={rng.choice(numbers(rng))}&by={rng.choice(['id', 'title', 'x'])}"
    if rng.random() < 0.45:
        paths = [
            f"/users/{word(rng)}/recommendations?{asked}&reasons={rng.choice(['true', 'x'])}",
            f"/items/{word(rng)}/similar?{asked}",
            f"/explanations?user={word(rng)}&item={word(rng)}&n={rng.choice(numbers(rng))}",
            f"/{word(rng)}",
        ]
        return get(base + rng.choice(paths))
    body = json.dumps(value(rng, 0)).encode() if rng.random() < 0.2 else json.dumps(almost(rng)).encode()
    if rng.random() < 0.1:
        body = body[: rng.randrange(len(body) + 1)] + rng.randbytes(rng.randrange(20))
    kind = "text/plain" if rng.random() < 0.03 else "application/json"
    return post(base + rng.choice(["/recommendations", "/fold-in", "/predict", "/predict"]), body, kind)


def almost(rng: random.Random) -> dict[str, Any]:
    """A body that one of the routes may take."""
    item = rng.choice([rng.randint(1, 2_000), value(rng, 2)])
    body: dict[str, Any] = rng.choice(
        [
            {"users": [rng.randint(1, USERS), value(rng, 2)]},
            {"ratings": [{"item": item, "rating": rng.choice([3, 5, value(rng, 2)])}]},
            {"rows": [{"user": rng.randint(1, USERS), "item": item}, {"user": value(rng, 2), "item": item}]},
        ]
    )
    for name in (
        "n",
        "exclude_seen",
        "min_ratings",
        "candidates",
        "exclude",
        "max_per",
        "diversity",
        "ucb_scale",
        "by",
    ):
        if rng.random() < 0.08:
            body[name] = value(rng, 1)
    return body


def value(rng: random.Random, depth: int) -> Any:
    """Any JSON value."""
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return rng.choice([0, 1, -1, 3, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 0.5, 1e308, -0.0, float("nan")])
    if kind < 4:
        return rng.choice(["", "1", "title", "\x00", "\ud800", "é" * 300, "x" * 1_001, "1e5", "-", "nan", "\U0001f600"])
    if kind < 6:
        return rng.choice([None, True, False])
    if kind < 8:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {
        rng.choice(["item", "rating", "user", "title", "", "x"]): value(rng, depth + 1) for _ in range(rng.randrange(3))
    }


def numbers(rng: random.Random) -> list[Any]:
    return [1, 10, 1_000, 0, -1, 1_001, 2**63, "x", "", "1.5", "%00", rng.randint(1, 100)]


def word(rng: random.Random) -> str:
    one = rng.choice(
        ["1", "30", "x", "%2F", "%00", "%ff", "..", "%F0%9F%98%80", "a" * 1_001, "", "1/2", "%0A", "-1", "9" * 30]
    )
    return one + rng.choice(["", "", "?", "%20", str(rng.randint(1, 2_000))])


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
