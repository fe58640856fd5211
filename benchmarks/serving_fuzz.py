"""Nonsense for `vectable serve`: nothing may fail, hang, stay in memory, or be refused without a sentence.

A fifth of the requests are cases that schemathesis makes of the server's own description, right ones and wrong ones in
turn; two fifths are those with some bytes of the body replaced; two fifths are almost right by hand (`_nonsense.py`):
bodies that are no JSON, half characters, numbers beyond 64 bits. A case of schemathesis takes ten milliseconds to make,
so that a hundred thousand of them would take longer than the server takes to answer ten times as many.

Served are a model of ratings, one of interactions with columns of users and items, a table, and photographs.

    python benchmarks/serving_fuzz.py [--requests 100000] [--seconds 1800]
"""

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import vectable as vt
from _common import Report, arguments, parse
from _nonsense import ITEMS, USERS, nonsense
from _served import ask, exchange, get, served

CONNECTIONS = 8
MODELS = ("shop", "orders", "sales", "clothes")
PATIENCE = 30.0  # seconds for an answer
BASE = "http://localhost"


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--requests", type=int, help="how many (default 100,000; 500 with --quick)")
    parser.add_argument("--seconds", type=float, default=1800.0, help="after which no more are sent")
    args = parse(parser)
    wanted = args.requests or (500 if args.quick else 100_000)
    report = Report("serving_fuzz", args, requests=wanted)
    with tempfile.TemporaryDirectory() as place:
        folders = save_models(Path(place))
        others = [f"{folder}={name}" for name, folder in folders.items() if name != "shop"]
        with served(folders["shop"], *others) as server:
            _, about = asyncio.run(ask(server.port, get("/v1/openapi.json")))
            cases = described(json.loads(about), wanted // 5)
            requests = mixed(cases, wanted)
            found = Found()
            end = time.monotonic() + args.seconds
            asyncio.run(send_all(server.port, requests[: wanted // 10], found, end))
            before = server.megabytes()
            asyncio.run(send_all(server.port, requests[wanted // 10 :], found, end))
            after = server.megabytes()
            status, _ = asyncio.run(ask(server.port, get("/v1/models")))
    report.table([{str(status): f"{count:,}" for status, count in sorted(found.statuses.items())}])
    report.result("statuses", {str(one): count for one, count in found.statuses.items()})
    report.result("cases of schemathesis", len(cases))
    for one in (found.failed + found.undescribed)[:10]:
        print(one)
    report.target("requests sent", sum(found.statuses.values()), at_least=wanted)
    report.target("answers with 5xx but 503", len(found.failed), at_most=0)
    report.target("statuses that the description does not name", len(found.undescribed), at_most=0)
    report.target("refusals without a sentence", found.wordless, at_most=0)
    report.target("slowest answer, seconds", found.slowest, at_most=10)
    report.target("MB grown after the first tenth", after - before, at_most=20)
    report.target("status of a right request at the end", status, at_most=200)
    report.finish()


# ---------------------------------------------------------------- models


def save_models(place: Path) -> dict[str, Path]:
    """Small models of four kinds, of made-up rows."""
    rng = np.random.default_rng(0)
    user, item = rng.integers(1, USERS + 1, 100_000), rng.integers(1, ITEMS + 1, 100_000)
    frame = pl.DataFrame({"user": user, "item": item, "rating": rng.integers(1, 6, len(user)) * 1.0})
    data = vt.RatingsData.from_df(frame.unique(["user", "item"], maintain_order=True), valid_pct=0.0, seed=0)
    shop = vt.collab_learner(data, n_factors=32, y_range=(0, 5.5), progress=False).fit_one_cycle(1, 5e-3)
    towns = pl.DataFrame({"user": range(1, 201), "town": [("north", "south", "west")[at % 3] for at in range(200)]})
    kinds = pl.DataFrame({"item": range(1, 101), "kind": ["tea", "coffee"] * 50})
    met = pl.DataFrame({"user": user % 200 + 1, "item": item % 100 + 1})[:3_000]
    orders = vt.implicit_learner(vt.InteractionsData.from_df(met, items=kinds, users=towns), "als", progress=False)
    rows = pl.DataFrame({"kind": ["x", "y"] * 200, "size": range(400), "sold": ["yes", "no"] * 200})
    sales = vt.tabular_learner(vt.TableData.from_df(rows, "sold"), progress=False).fit_one_cycle(1, 1e-2)
    pictures = vt.ImageData.from_arrays(rng.integers(0, 255, (12, 28, 28), dtype=np.uint8), list("abababababab"))
    clothes = vt.vision_learner(pictures, "fashion-small", progress=False).fit(1, 1e-3)
    learners = {"shop": shop, "orders": orders.fit(), "sales": sales, "clothes": clothes}
    return {name: learn.save(place / name) for name, learn in learners.items()}


# ---------------------------------------------------------------- requests

Asked = tuple[bytes, frozenset[int] | None]
"""A request, and the statuses that its description names; None where it has none."""


def described(schema: dict[str, Any], n: int) -> list[Asked]:
    """Cases that schemathesis makes of a description, as many of each operation that has something to vary."""
    import schemathesis
    from schemathesis import GenerationMode

    rng, found = random.Random(0), []
    operations = [one.ok() for one in schemathesis.openapi.from_dict(schema).get_all_operations()]
    operations = [one for one in operations if one.path != "/v1/admin/reload"]  # it prints, and has nothing to vary
    each = max(1, n // (2 * len([one for one in operations if "{" in one.path])))
    for operation in operations:
        statuses = frozenset(int(one) for one in operation.definition.raw["responses"])
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            found += [(as_bytes(case, rng), statuses) for case in cases_of(operation, mode, each)]
    rng.shuffle(found)
    return found


def cases_of(operation: Any, mode: Any, n: int) -> list[Any]:
    """Up to `n` cases of one operation; none where nothing about it can be wrong."""
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis.errors import Unsatisfiable

    found = []

    @seed(0)
    @settings(
        max_examples=n,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def keep(case: Any) -> None:
        found.append(case)

    with suppress(Unsatisfiable):
        keep()
    return found


def as_bytes(case: Any, rng: random.Random) -> bytes:
    """A case as it goes over the wire, mostly to models and of names that there are."""
    import requests

    for name, known in (("model", MODELS), ("user", range(1, 200)), ("item", range(1, 100))):
        if name in case.path_parameters and rng.random() < 0.7:
            case.path_parameters[name] = str(rng.choice(known))
    made = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    body = made.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {**made.headers, "Host": "localhost", "Content-Length": str(len(body)), "Connection": "keep-alive"}
    lines = [f"{made.method} {made.path_url} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + body


def mixed(cases: list[Asked], n: int) -> list[Asked]:
    """Cases as they are, cases with damage, and requests by hand, in no order."""
    rng = random.Random(1)
    requests = cases[: n // 5]
    requests += [(damaged(request, rng), statuses) for request, statuses in rng.choices(cases, k=2 * n // 5)]
    requests += [(nonsense(rng), None) for _ in range(n - len(requests))]
    rng.shuffle(requests)
    return requests


def damaged(request: bytes, rng: random.Random) -> bytes:
    """A request with some bytes of its body replaced; one without a body as it is."""
    head, _, body = request.partition(b"\r\n\r\n")
    changed = bytearray(body)
    for _ in range(rng.randint(1, 4) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return head + b"\r\n\r\n" + bytes(changed)


# ---------------------------------------------------------------- sending


class Found:
    """What became of the requests."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.failed: list[bytes] = []
        self.undescribed: list[bytes] = []
        self.wordless, self.slowest = 0, 0.0

    def take_in(self, asked: Asked, status: int, body: bytes, seconds: float) -> None:
        """Take in one answer; status 0 where the connection was closed instead."""
        request, statuses = asked
        self.statuses[status] += 1
        self.slowest = max(self.slowest, seconds)
        if status >= 500 and status != 503:
            self.failed.append(request[:300] + b" -> " + body[:300])
        if statuses is not None and status and status not in statuses:
            self.undescribed.append(request[:300] + b" -> " + body[:300])
        if status >= 400:
            self.wordless += not json.loads(body).get("detail")


async def send_all(port: int, requests: list[Asked], found: Found, end: float) -> None:
    """Send requests over some connections, until all are sent or the time is over."""
    coming = iter(requests)
    await asyncio.gather(*(connection(port, coming, found, end) for _ in range(CONNECTIONS)))


async def connection(port: int, coming: Iterator[Asked], found: Found, end: float) -> None:
    streams = await asyncio.open_connection("127.0.0.1", port)
    for asked in coming:
        if time.monotonic() > end:
            break
        began = time.perf_counter()
        try:
            status, body = await asyncio.wait_for(exchange(*streams, asked[0]), PATIENCE)
        except (OSError, asyncio.IncompleteReadError):  # refused as no HTTP, and closed
            status, body = 0, b""
        if status in (0, 400, 408, 413):
            streams[1].close()
            streams = await asyncio.open_connection("127.0.0.1", port)
        found.take_in(asked, status, body, time.perf_counter() - began)
    streams[1].close()


if __name__ == "__main__":
    main()
