"""`load_answers` beside `load_learner`: seconds to load, milliseconds a list, and a fresh process to its first answer.

A dot-product model of made-up ratings, from its whole folder and from its serving folder. Processes are timed from
their start, with their peak memory.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import vectable as vt
from _common import Report, arguments, parse, spread, timed, times

A_USER = 100  # ratings
READY = """
import re
import vectable as vt
{load}.recommend({user}, 10)
(kilobytes,) = re.findall(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())
print(int(kilobytes) / 1024)
"""
LOADS = {
    "load_learner": "vt.load_learner({path!r}, progress=False)",
    "load_answers": "vt.load_answers({path!r})",
}


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--ratings", type=int, help="made-up ratings (default 200,000; 20,000 with --quick)")
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parse(parser)
    args.ratings = args.ratings or (20_000 if args.quick else 200_000)
    report = Report("load_answers", args, ratings=args.ratings, items=args.items)
    learn = vt.collab_learner(made_up(args.ratings, args.items), progress=False)
    learn.fit(1, 1e-3)
    with tempfile.TemporaryDirectory() as place:
        whole, slim = learn.save(Path(place) / "whole"), learn.save(Path(place) / "serving", serving=True)
        measure(report, {"whole": whole, "serving": slim}, args.repeats)
    report.finish()


def made_up(n_ratings: int, n_items: int) -> vt.RatingsData:
    """Ratings of popular and rare items, with titles."""
    rng = np.random.default_rng(0)
    items = (n_items * rng.random(n_ratings) ** 2).astype(np.int32)
    users = rng.integers(0, max(n_ratings // A_USER, 1), n_ratings)
    frame = pl.DataFrame({"user": users, "item": items, "rating": rng.integers(1, 11, n_ratings) / 2})
    titles = pl.DataFrame({"item": np.arange(n_items), "title": [f"The tale of item {at}" for at in range(n_items)]})
    return vt.RatingsData.from_df(frame, items=titles, title="title")


def measure(report: Report, folders: dict[str, Path], repeats: int) -> None:
    rows = []
    for name, path in folders.items():
        for loader, code in LOADS.items():
            load = load_learner if loader == "load_learner" else vt.load_answers
            answers = load(path)
            user = int(answers.data.user_ids.vocabulary[0])
            calls = timed(lambda one=answers, user=user: [one.recommend(user, 10) for _ in range(100)], repeats)
            ready, memory = fresh(READY.format(load=code.format(path=str(path)), user=user), repeats)
            found: dict[str, Any] = {
                "bytes": size(path),
                "load_seconds": spread(timed(lambda load=load, path=path: load(path), repeats)),
                "answer_ms": spread([10 * one for one in calls]),
                "ready_seconds": spread(ready),
                "peak_mb": statistics.median(memory),
            }
            report.result(f"{name}, {loader}", found)
            rows.append(
                {
                    "folder": name,
                    "read by": loader,
                    "MB": f"{found['bytes'] / 1e6:.2f}",
                    "load, s": times(found["load_seconds"], digits=3),
                    "recommend, ms": times(found["answer_ms"], digits=3),
                    "process to first answer, s": times(found["ready_seconds"]),
                    "peak memory, MB": f"{found['peak_mb']:.0f}",
                }
            )
    report.table(rows)


def load_learner(path: Path) -> Any:
    return vt.load_learner(path, progress=False)


def fresh(code: str, repeats: int) -> tuple[list[float], list[float]]:
    """Seconds and peak megabytes of fresh processes."""
    memory: list[float] = []

    def run() -> None:
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        memory.append(float(done.stdout))

    return timed(run, repeats), memory


def size(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(file.stat().st_size for file in folder.iterdir())


if __name__ == "__main__":
    main()
