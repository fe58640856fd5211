"""The studio's map in Chromium with made-up points: until it is there, redrawing while it moves, choosing a point.

The pages are the package's own; their questions are answered here, so that the pages alone are measured. The points
are clusters. "redraw" is the time of drawing one frame, over `--frames` moves; "ready" runs from the page's request to
the first drawn map.
"""

import json
import mimetypes
import shutil
import statistics
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

import vectable
from _common import Report, arguments, parse

PAGES = Path(vectable.__file__).parent / "studio" / "pages"
HOME = "http://127.0.0.1:1/"  # never asked: every question is answered here
TARGET_POINTS = 10_000
RUN = {
    "id": "1",
    "kind": "train",
    "state": "done",
    "label": "Run 1",
    "model": "shop.1",
    "saved": True,
    "settings": {},
    "figures": {},
}
PROJECT = {"name": "shop", "label": "shop.csv", "task": "ratings", "rows": 1, "columns": [], "runs": [RUN]}


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000], help="sizes of the map")
    parser.add_argument("--frames", type=int, default=200, help="moves that are measured")
    args = parse(parser)
    frames = 20 if args.quick else args.frames
    report = Report("studio_map", args, frames=frames)
    for total in args.points:
        found = _measured(total, frames)
        report.result(f"{total} points", found)
        report.say(f"{total:,} points: " + ", ".join(f"{name} {value}" for name, value in found.items()))
        if total == TARGET_POINTS:
            report.target("10,000 points ready, seconds", found["ready_s"], at_most=1.0)
            report.target("10,000 points, redraw p95, ms", found["redraw_p95_ms"], at_most=33.0)
    report.finish()


def _measured(total: int, frames: int) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    answers = {
        "/api/projects/shop": PROJECT,
        "/api/projects/shop/runs/1/map": _map_of(total),
        "/api/projects/shop/runs/1/commands": {"python": "", "command": ""},
    }
    bodies = {path: json.dumps(answer).encode() for path, answer in answers.items()}

    def answer(route, request) -> None:
        path = urlsplit(request.url).path
        if path in bodies:
            route.fulfill(body=bodies[path], content_type="application/json")
            return
        file = PAGES / ("index.html" if path == "/" else path.removeprefix("/pages/"))
        route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0])

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.route("**/*", answer)
        page.goto(f"{HOME}#/p/shop/map")
        page.wait_for_selector("main[data-shown='map']")
        ready = page.evaluate("performance.getEntriesByName('map redraw')[0].startTime")
        page.evaluate("performance.clearMeasures()")
        surface = page.locator(".map-surface")
        surface.scroll_into_view_if_needed()
        box = surface.bounding_box()
        page.mouse.move(box["x"] + 300, box["y"] + 200)
        page.mouse.wheel(0, -300)
        page.mouse.down()
        for frame in range(frames):
            page.mouse.move(box["x"] + 300 + frame % 50, box["y"] + 200 + frame % 30)
            page.evaluate("new Promise(requestAnimationFrame)")
        page.mouse.up()
        drawn = sorted(page.evaluate("performance.getEntriesByName('map redraw').map((one) => one.duration)"))
        browser.close()
    return {
        "ready_s": round(ready / 1000, 2),
        "redraw_p50_ms": round(statistics.median(drawn), 1),
        "redraw_p95_ms": round(drawn[int(0.95 * (len(drawn) - 1))], 1),
        "frames": len(drawn),
    }


def _map_of(total: int) -> dict[str, object]:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 12, total)
    places = rng.normal(0, 3, (12, 2))[group] + rng.normal(0, 0.6, (total, 2))
    return {
        "of": "items",
        "of_choices": [],
        "method": "pca",
        "method_choices": [],
        "components": 2,
        "explained": [0.3, 0.2],
        "x_component": 0,
        "y_component": 1,
        "ids": list(range(total)),
        "names": [f"Item {at}" for at in range(total)],
        "x": places[:, 0].round(4).tolist(),
        "y": places[:, 1].round(4).tolist(),
        "popularity": rng.integers(1, 5000, total).tolist(),
        "columns": {"group": [f"group {one}" for one in group]},
        "shown": total,
        "total": total,
        "statistic": {"kind": "none", "text": ""},
    }


if __name__ == "__main__":
    main()
