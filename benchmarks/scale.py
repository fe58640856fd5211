"""Twenty million made-up ratings: time a rating, memory, and LIBMF on the same rows.

The ratings (138,000 users x 27,000 items, long-tailed, a planted structure with noise) are made in a process of their
own and written to a temporary folder, and so is every measurement done in a process of its own; neither the making
nor the reading counts as training. Time a rating and memory are measured at the first of our settings. For the race to
an error, both libraries take the best of equally many settings, chosen on a tenth of the training rows. Beside the
engine for millions of ratings, which trains such a file by default, the one that takes AdamW's steps is timed.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import _libmf
from _common import LESSON, LR, Report, arguments, installed, parse, spread, times

MOST_MICROSECONDS, MOST_TIMES_LEAST, MOST_RMSE, MOST_SECONDS = 0.062, 2.5, 0.7505, 12
HERE = Path(__file__).parent
LIBMF_SETTINGS = [{"lr": lr, "reg": reg} for lr, reg in [(0.1, 0.03), (0.1, 0.02), (0.1, 0.05), (0.05, 0.03)]]
OUR_SETTINGS = [
    {"engine": "sgd", "batch": 8192, "lr": lr, "wd": wd} for lr, wd in [(LR, 0.1), (LR, 0.07), (LR, 0.15), (8e-3, 0.1)]
]


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--rows", type=int, help="ratings made (default 20,000,000; 300,000 with --quick)")
    parser.add_argument("--users", type=int, help="default 138,000; 4,000 with --quick")
    parser.add_argument("--items", type=int, help="default 27,000; 3,000 with --quick")
    parser.add_argument("--factors", type=int, default=LESSON["n_factors"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="timed epochs, with these threads and with one")
    parser.add_argument("--tries", type=int, default=4, help="settings each library may try")
    parser.add_argument("--iterations", type=int, default=30, help="of LIBMF, at most")
    parser.add_argument("--epochs", type=int, default=5, help="of ours where settings are chosen")
    parser.add_argument("--most-epochs", type=int, default=8, help="of ours, to reach LIBMF's error")
    parser.add_argument("--seed", type=int, default=1, help="of the made-up ratings")
    parser.add_argument("--no-peers", action="store_true", help="without LIBMF")
    args = parse(parser)
    small = {"rows": 300_000, "users": 4_000, "items": 3_000}
    for name, full in {"rows": 20_000_000, "users": 138_000, "items": 27_000}.items():
        setattr(args, name, getattr(args, name) or (small[name] if args.quick else full))
    if args.quick:
        args.repeats, args.tries, args.iterations, args.epochs, args.most_epochs = 1, 1, 5, 2, 3

    shape = {"rows": args.rows, "users": args.users, "items": args.items, "factors": args.factors}
    report = Report("scale", args, **shape, threads=args.threads)
    with tempfile.TemporaryDirectory() as folder:
        shape = [f"--rows={args.rows}", f"--users={args.users}", f"--items={args.items}", f"--seed={args.seed}"]
        made = child("_synthetic.py", folder, *shape)
        report.result("made", made)
        number = {int: "{:,}", float: "{:.4g}"}
        report.say(", ".join(f"{key} {number[type(value)].format(value)}" for key, value in made.items()))
        measure_speed(report, folder, args)
        measure_memory(report, folder, args)
        libmf = race_libmf(report, Path(folder), args)
        runs = race_ours(report, folder, args, libmf, made)
    if libmf:
        compare(report, args, runs, libmf, made["training rows"])
    report.finish()


def child(script: str, *words: object) -> dict:
    """Run one of the scripts beside this one and read the JSON of its last line."""
    done = subprocess.run([sys.executable, HERE / script, *map(str, words)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{script} {words[0]} ended with status {done.returncode}; what it said stands above.")
    return json.loads(done.stdout.splitlines()[-1])


def ours(what: str, folder: str, args, **more) -> dict:
    """One measurement of vectable in a process of its own, at the first of our settings but for `more`."""
    settings = {"threads": args.threads, "factors": args.factors, **OUR_SETTINGS[0], **more}
    return child("_scale_child.py", what, folder, *(f"--{key}={value}" for key, value in settings.items()))


def measure_speed(report: Report, folder: str, args) -> None:
    rows = []
    for engine, threads in dict.fromkeys([("sgd", args.threads), ("sgd", 1), ("compiled", args.threads)]):
        found = ours("speed", folder, args, engine=engine, threads=threads, repeats=args.repeats)
        each, cpu = (
            spread(seconds / found["rows"] * 1e6 for seconds in found[clock]) for clock in ("seconds", "cpu_seconds")
        )
        report.result(f"microseconds_{engine}_threads_{threads}", {"wall": each, "cpu": cpu})
        row = {"engine": engine, "threads": str(threads), "microseconds a rating and epoch": times(each, digits=3)}
        row["of a processor"] = times(cpu, digits=3)
        rows.append(row | {"seconds an epoch": times(spread(found["seconds"]))})
    report.table(rows)
    reached = report.found["results"]["microseconds_sgd_threads_1"]["cpu"]["median"]
    report.target("microseconds of a processor a rating and epoch, 1 thread", reached, at_most=MOST_MICROSECONDS)


def measure_memory(report: Report, folder: str, args) -> None:
    found = ours("memory", folder, args)
    report.result("memory", found)
    rows = []
    for when, above in found["above_imported_bytes"].items():
        row = {"resident": when, "MB above imported": f"{above / 1e6:,.0f}"}
        rows.append(row | {"times the least": f"{found['times_least'][when]:.2f}"})
    report.table(rows)
    report.say(
        f"The least is {found['least_bytes'] / 1e6:,.0f} MB: 12 bytes a rating, 4 for each of {found['parameters']:,} "
        f"parameters, and {found['optimizer_bytes'] / 1e6:.1f} MB of the optimizer. Imported, the process holds "
        f"{found['imported_bytes'] / 1e6:,.0f} MB."
    )
    # The target says resident memory: the strictest reading of it is the peak at any time.
    peak = max(found["times_least"].values())
    report.target("peak resident memory above imported, in times the least", peak, at_most=MOST_TIMES_LEAST)


def best_of(report: Report, who: str, settings: list[dict], error_of: Callable[[dict], float]) -> dict:
    """The settings with the least error on a tenth of the training rows; all that were tried are kept."""
    if len(settings) == 1:
        return settings[0]
    tried = []
    for one in settings:
        tried.append({**one, "inner_rmse": error_of(one)})
        named = ", ".join(f"{key} {value}" for key, value in one.items())
        report.say(f"{who}, {named}: RMSE on a tenth of the training rows {tried[-1]['inner_rmse']:.4f}")
    report.result(f"{who}_tried", tried)
    best = min(tried, key=lambda one: one["inner_rmse"])
    return {key: value for key, value in best.items() if key != "inner_rmse"}


def race_libmf(report: Report, folder: Path, args) -> dict | None:
    """LIBMF's error by iteration on the validation rows, and its time an iteration without looking at them."""
    if args.no_peers:
        report.say("LIBMF: left out of this run (--no-peers).")
        return None
    if not installed("libmf"):
        report.missing("LIBMF")
        return None
    common = {"threads": args.threads, "n_factors": args.factors}

    def inner_error(settings: dict) -> float:
        return min(_libmf.run(folder, iterations=args.iterations, on="inner", **settings, **common)["rmse"])

    chosen = best_of(report, "LIBMF", LIBMF_SETTINGS[: args.tries], inner_error)
    run = _libmf.run(folder, iterations=args.iterations, on="valid", **chosen, **common)
    alone = _libmf.run(folder, iterations=6, on="none", **chosen, **common)["seconds"]
    iteration = spread(after - before for before, after in pairwise(alone))
    at = run["rmse"].index(min(run["rmse"]))
    found = {
        "build": _libmf.build(),
        "settings": chosen,
        "iteration_seconds": iteration,
        "best_rmse": run["rmse"][at],
        "best_iteration": at + 1,
        "seconds_to_best": run["seconds"][at],
        "seconds_to_best_without_validation": alone[0] + at * iteration["median"],
        "rmse": run["rmse"],
        "seconds": run["seconds"],
    }
    report.result("LIBMF", found)
    return found


def race_ours(report: Report, folder: str, args, libmf: dict | None, made: dict) -> list[dict]:
    """Our error after 1, 2, ... epochs, each from the start, until it is LIBMF's; the runs."""

    def inner_error(settings: dict) -> float:
        return ours("choose", folder, args, epochs=args.epochs, **settings)["rmse"]

    chosen = best_of(report, "vectable", OUR_SETTINGS[: args.tries], inner_error)
    error = {"error": libmf["best_rmse"]} if libmf else {}
    found = ours("reach", folder, args, epochs=args.most_epochs, **error, **chosen)
    report.result("vectable", {"settings": chosen, **found})
    soonest = next((run["cpu_seconds"] for run in found["runs"] if run["rmse"] <= MOST_RMSE), float("inf"))
    report.target(f"processor seconds to a validation RMSE of {MOST_RMSE}", soonest, at_most=MOST_SECONDS)
    rows = [
        (f"vectable, {run['epochs']} epochs", run["rmse"], f"{run['seconds']:.1f}", f"{run['cpu_seconds']:.1f}")
        for run in found["runs"]
    ]
    if libmf:
        name = f"LIBMF, {libmf['best_iteration']} iterations"
        rows.append((name, libmf["best_rmse"], f"{libmf['seconds_to_best']:.1f}", ""))
    rows += [(f"baseline: {name}", rmse, "", "") for name, rmse in found["baselines_rmse"].items()]
    rows.append(("the planted score", made["RMSE of the planted score"], "", ""))
    heads = ("", "validation RMSE", "seconds", "of a processor")
    report.table([dict(zip(heads, (who, f"{rmse:.4f}", *spent), strict=True)) for who, rmse, *spent in rows])
    return found["runs"]


def compare(report: Report, args, runs: list[dict], libmf: dict, n_rows: int) -> None:
    iteration = libmf["iteration_seconds"]["median"] / n_rows * 1e6
    epoch = report.found["results"][f"microseconds_sgd_threads_{args.threads}"]["wall"]["median"]
    report.conclude(
        f"An iteration of LIBMF ({libmf['build']}) takes {iteration:.3f} microseconds a rating, an epoch of vectable "
        f"{epoch:.3f}: {'LIBMF' if iteration < epoch else 'vectable'} wins on time an iteration."
    )
    report.conclude(
        f"LIBMF is at its own best error, RMSE {libmf['best_rmse']:.4f}, after {libmf['best_iteration']} iterations "
        f"and {libmf['seconds_to_best']:.1f} s with validation, "
        f"{libmf['seconds_to_best_without_validation']:.1f} s without."
    )
    last, best = runs[-1], min(runs, key=lambda run: run["rmse"])
    if last["rmse"] <= libmf["best_rmse"]:
        winner = "vectable" if last["seconds"] < libmf["seconds_to_best"] else "LIBMF"
        report.conclude(
            f"vectable reaches {last['rmse']:.4f} in {last['epochs']} epochs and {last['seconds']:.1f} s with "
            f"validation: {winner} wins on time to that error."
        )
    else:
        report.conclude(
            f"vectable does not reach it in {last['epochs']} epochs; its best is {best['rmse']:.4f} in "
            f"{best['seconds']:.1f} s: LIBMF wins on error here."
        )


if __name__ == "__main__":
    main()
