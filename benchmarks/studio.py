"""What the studio promises, measured: page, map, neighbours, first loss, and how late the server's loop is.

python benchmarks/studio.py [--repeats 5]
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from studio import good, running_studio

PAGE, FIRST_LOAD, MAP, NEIGHBOURS, FIRST_LOSS, LATE = 2.0, 250_000, 1.0, 0.1, 3.0, 0.05
"""The promises: seconds, but for the bytes of the first load."""
READING_SECONDS = 5.0


def many_items(n_items=10_000, n_users=4_000, each=40):
    """Ratings of so many items, as CSV."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(n_users), each)
    items = np.concatenate([np.arange(n_items), rng.integers(0, n_items, n_users * each - n_items)])
    stars = rng.integers(1, 6, len(users))
    return "user,item,rating\n" + "".join(f"{u},i{i},{s}\n" for u, i, s in zip(users, items, stars, strict=True))


def page_seconds(folder):
    """From the command to the page, and the bytes of all that the page loads."""
    began = time.perf_counter()
    with running_studio(folder) as studio:
        assert studio.get("/").status_code == 200
        seconds = time.perf_counter() - began
        return seconds, first_load(studio)


def first_load(studio):
    """The bytes of the index and of every file that it, or one of those, names."""
    import re

    seen, waiting, total = set(), ["/"], 0
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = studio.get(path)
        if answer.status_code != 200:
            continue
        total += len(answer.content)
        base = path.rpartition("/")[0] + "/"
        if path.endswith((".js", ".css", "/")):
            static = r'(?:src|href)="([^"#]+\.(?:js|css|svg))"|^import [^;]*?"(\.[^"]+)"|@import "([^"]+)"'
            for found in re.finditer(static, answer.text, re.M):
                waiting.append(str(studio.client.base_url.join(base + next(filter(None, found.groups()))).path))
    return total


def timed(ask):
    began = time.perf_counter()
    good(ask())
    return time.perf_counter() - began


def first_loss(studio, project):
    """Seconds from Train to the first loss, and the longest that a trivial question waited meanwhile."""
    waits, stop = [], threading.Event()

    def ask():
        import httpx

        with httpx.Client(base_url=studio.address, cookies=studio.client.cookies) as client:
            while not stop.is_set():
                began = time.perf_counter()
                client.get("/favicon.ico")
                waits.append(time.perf_counter() - began)
                time.sleep(0.005)

    asking = threading.Thread(target=ask)
    asking.start()
    good(studio.get(f"/api/projects/{project}"))  # as the page asks when it is opened; then somebody reads it
    time.sleep(READING_SECONDS)
    began = time.perf_counter()
    run = good(studio.post(f"/api/projects/{project}/runs", {"settings": {"epochs": 5}}))["id"]
    after, seconds = 0, None
    while True:
        part = good(studio.get(f"/api/projects/{project}/runs/{run}/events", params={"after": after}))
        after = part["next"]
        if seconds is None and any(one["type"] == "step" for one in part["events"]):
            seconds = time.perf_counter() - began
        if part["state"] not in ("waiting", "running"):
            break
    stop.set()
    asking.join()
    return seconds, waits


def told(name, values, limit, unit="s"):
    """A line: median, range, and whether the worst holds the promise."""
    held = "holds" if max(values) <= limit else "MISSED"
    print(f"{name:<44}{np.median(values):>10.4g}{min(values):>10.4g}{max(values):>10.4g} {unit:<6} {limit:>8g}  {held}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(f"{'':<44}{'median':>10}{'least':>10}{'most':>10}        promised")
    with tempfile.TemporaryDirectory() as top:
        pages = [page_seconds(Path(top) / f"page{at}") for at in range(repeats)]
        told("page, from the command", [one for one, _ in pages], PAGE)
        told("first load", [size for _, size in pages], FIRST_LOAD, "bytes")
        with running_studio(Path(top) / "projects") as studio:
            studio.project("many", "many.csv", many_items())
            found = [first_loss(studio, "many") for _ in range(repeats)]
            told("first loss, from Train", [one for one, _ in found], FIRST_LOSS)
            start = "/api/projects/many/runs/1"
            first = timed(lambda: studio.get(f"{start}/map"))
            told("map of 10,000 points, asked for first", [first], MAP)
            told(
                "map of 10,000 points, again", [timed(lambda: studio.get(f"{start}/map")) for _ in range(repeats)], MAP
            )
            names = [f"i{at}" for at in range(0, 10_000, 500)]
            told(
                "neighbours", [timed(lambda n=n: studio.get(f"{start}/neighbours?name={n}")) for n in names], NEIGHBOURS
            )
            told("longest wait of each training", [max(waits) for _, waits in found], LATE)
            told("99.9 % of the waits of each training", [float(np.quantile(waits, 0.999)) for _, waits in found], LATE)


if __name__ == "__main__":
    main()
