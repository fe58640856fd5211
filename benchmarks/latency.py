"""What a person waits for: importing, asking for help, one prediction, a new reader folded in, training by command.

Imports and commands are timed as fresh processes, start to end, beside a Python that does nothing. The rest is timed in
one process, on a model of the shipped goodbooks sample, after one call that is not counted.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from _common import BATCH, EPOCHS, LESSON, LR, Report, arguments, clock, parse, spread, timed, times, warm_up

MOST_IMPORT_SECONDS, MOST_MILLISECONDS = 0.3, 5.0
ROWS = 100_000
COMMAND = [sys.executable, "-c", "from vectable.cli import run; run()"]


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--processes", type=int, help="fresh processes of each kind (default 15; 2 with --quick)")
    parser.add_argument("--calls", type=int, help="calls of each kind in one process (default 500; 50 with --quick)")
    args = parse(parser)
    args.processes = args.processes or (2 if args.quick else 15)
    args.calls = args.calls or (50 if args.quick else 500)
    report = Report("latency", args, processes=args.processes, calls=args.calls)
    processes(report, args.processes)
    calls(report, args.calls)
    training(report, max(1, args.processes // 3))
    report.finish()


def processes(report: Report, repeats: int) -> None:
    script = Path(sys.executable).with_name("vectable")
    command = [str(script)] if script.exists() else COMMAND
    kinds = {
        "Python alone": [sys.executable, "-c", "pass"],
        "import vectable": [sys.executable, "-c", "import vectable"],
        "vectable --help": [*command, "--help"],
        "import vectable, then what trains": [sys.executable, "-c", "import vectable as vt; vt.collab_learner"],
    }
    rows = []
    for what, words in kinds.items():
        found = spread(timed(lambda words=words: quietly(words), repeats))
        report.result(what, {"seconds": found})
        rows.append({"fresh process": what, "s": times(found, digits=3)})
    report.table(rows)
    reached = report.found["results"]["import vectable"]["seconds"]["median"]
    report.target("seconds of a process that imports vectable", reached, at_most=MOST_IMPORT_SECONDS)


def quietly(words: list[str]) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def calls(report: Report, repeats: int) -> None:
    import vectable as vt

    warm_up()
    found = vt.datasets.load("goodbooks")
    data = vt.RatingsData.from_df(
        found.ratings, user=found.user, item=found.item, rating=found.rating, valid_pct=0, batch_size=BATCH
    )
    learn = vt.collab_learner(data, **LESSON, progress=False)
    learn.fit_one_cycle(EPOCHS, LR)
    items = data.item_ids.vocabulary.to_list()
    users = data.user_ids.vocabulary.to_list()
    one = pl.DataFrame({found.user: users[:1], found.item: items[:1]})
    readers = {n: {item: 1 + at % 5 for at, item in enumerate(items[:: len(items) // n][:n])} for n in (5, 50)}
    kinds = {
        "one prediction from raw ids": lambda: learn.predict(one),
        "fold in 5 ratings": lambda: learn.fold_in(readers[5]),
        "fold in 50 ratings": lambda: learn.fold_in(readers[50]),
        "fold in 50 and recommend ten": lambda: learn.fold_in(readers[50]).recommend(10),
        "ten recommendations, known reader": lambda: learn.recommend(users[0], n=10),
    }
    rows, judged = [], list(kinds)[:3]
    for what, call in kinds.items():
        with clock() as first:
            call()
        seconds = spread(timed(call, repeats))
        seconds["p99"] = statistics.quantiles(seconds["values"], n=100)[98]
        del seconds["values"]
        report.result(what, {"seconds": seconds, "first_call_seconds": first()})
        rows.append(
            {
                "call": what,
                "first, ms": f"{first() * 1e3:.2f}",
                "then, ms": times(seconds, 1e3),
                "99 of 100 within, ms": f"{seconds['p99'] * 1e3:.2f}",
            }
        )
    report.table(rows)
    for what in judged:
        reached = report.found["results"][what]["seconds"]["median"] * 1e3
        report.target(f"milliseconds, {what}", reached, at_most=MOST_MILLISECONDS)


def training(report: Report, repeats: int) -> None:
    """The command line on a file of 100,000 ratings, whole process, model saved."""
    import vectable as vt

    ratings = vt.datasets.load("goodbooks").ratings.sample(ROWS, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        ratings.write_csv(path)
        words = [*COMMAND, "train", "ratings", str(path), "--out", str(Path(folder) / "model"), "--quiet"]
        found = spread(timed(lambda: quietly(words), repeats, warm=False))
    report.result("vectable train ratings", {"seconds": found, "rows": ROWS})
    importing = report.found["results"]["import vectable, then what trains"]["seconds"]["median"]
    report.conclude(
        f"`vectable train ratings` reads {ROWS:,} rows, trains {EPOCHS} epochs and saves in "
        f"{times(found, digits=1)} s, {importing:.1f} s of it importing."
    )


if __name__ == "__main__":
    main()
