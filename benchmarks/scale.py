"""Twenty million made-up ratings: time a rating, memory, and LIBMF on the same rows.

The ratings (138,000 users x 27,000 items, long-tailed, a planted structure with noise) are made in a process of their
own and written to a temporary folder, and so is every measurement done in a process of its own; neither the making
nor the reading counts as training. LIBMF's learning rate and penalty are the best of a few, chosen on a tenth of the
training rows; ours are the lesson's.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import _libmf
from _common import BATCH, LR, Report, arguments, installed, parse, spread, times

MOST_MICROSECONDS, MOST_TIMES_LEAST = 0.8, 2.5
HERE = Path(__file__).parent
LIBMF_SETTINGS = [(0.1, 0.02), (0.1, 0.03), (0.1, 0.05), (0.05, 0.03)]  # learning rate, L2 penalty


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--rows", type=int, help="ratings made (default 20,000,000; 300,000 with --quick)")
    parser.add_argument("--users", type=int, help="default 138,000; 4,000 with --quick")
    parser.add_argument("--items", type=int, help="default 27,000; 3,000 with --quick")
    parser.add_argument("--factors", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--wd", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=3, help="timed epochs, with two threads and with one")
    parser.add_argument("--iterations", type=int, default=30, help="of LIBMF, at most")
    parser.add_argument("--most-epochs", type=int, default=5, help="of ours, to reach LIBMF's error")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-peers", action="store_true", help="without LIBMF")
    args = parse(parser)
    small = {"rows": 300_000, "users": 4_000, "items": 3_000}
    for name, full in {"rows": 20_000_000, "users": 138_000, "items": 27_000}.items():
        setattr(args, name, getattr(args, name) or (small[name] if args.quick else full))
    if args.quick:
        args.repeats, args.iterations, args.most_epochs = 1, 5, 3

    shape = {"rows": args.rows, "users": args.users, "items": args.items, "factors": args.factors}
    report = Report("scale", args, **shape, threads=args.threads, wd=args.wd, lr=LR, batch=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        shape = [f"--rows={args.rows}", f"--users={args.users}", f"--items={args.items}", f"--seed={args.seed}"]
        made = child("_synthetic.py", folder, *shape)
        report.result("made", made)
        report.say(
            ", ".join(
                f"{key} {value:,.4g}" if isinstance(value, float) else f"{key} {value:,}" for key, value in made.items()
            )
        )
        measure_speed(report, folder, args)
        measure_memory(report, folder, args)
        libmf = measure_libmf(report, Path(folder), args)
        measure_reach(report, folder, args, libmf, made)
    report.finish()


def child(script: str, *words: object) -> dict:
    """Run one of the scripts beside this one and read the JSON of its last line."""
    done = subprocess.run([sys.executable, HERE / script, *map(str, words)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{script} {words[0]} ended with status {done.returncode}; what it said stands above.")
    return json.loads(done.stdout.splitlines()[-1])


def ours(what: str, folder: str, args, **more) -> dict:
    settings = {"threads": args.threads, "factors": args.factors, "batch": BATCH, "lr": LR, "wd": args.wd, **more}
    return child(
        "_scale_child.py", what, folder, *(f"--{key.replace('_', '-')}={value}" for key, value in settings.items())
    )


def measure_speed(report: Report, folder: str, args) -> None:
    rows = []
    for threads in dict.fromkeys([args.threads, 1]):
        found = ours("speed", folder, args, threads=threads, repeats=args.repeats)
        each = spread(seconds / found["rows"] * 1e6 for seconds in found["seconds"])
        report.result(f"microseconds_threads_{threads}", each)
        rows.append(
            {
                "threads": str(threads),
                "microseconds a rating and epoch": times(each, digits=3),
                "seconds an epoch": times(spread(found["seconds"])),
            }
        )
    report.table(rows)
    reached = report.found["results"][f"microseconds_threads_{args.threads}"]["median"]
    report.target(f"microseconds a rating and epoch, {args.threads} threads", reached, at_most=MOST_MICROSECONDS)


def measure_memory(report: Report, folder: str, args) -> None:
    found = ours("memory", folder, args)
    report.result("memory", found)
    megabytes = found["above_imported_bytes"]
    report.table(
        [
            {
                "resident": when,
                "MB above imported": f"{value / 1e6:,.0f}",
                "times the least": f"{found['times_least'][when]:.2f}",
            }
            for when, value in megabytes.items()
        ]
    )
    report.say(
        f"The least is {found['least_bytes'] / 1e6:,.0f} MB: 12 bytes a rating, weights and two moments of 4 bytes for each "
        f"of {found['parameters']:,} parameters. Imported, the process holds {found['imported_bytes'] / 1e6:,.0f} MB."
    )
    peak = max(found["times_least"].values())
    report.target("peak resident memory above imported, in times the least", peak, at_most=MOST_TIMES_LEAST)


def measure_libmf(report: Report, folder: Path, args) -> dict | None:
    """LIBMF's best: settings chosen on the training rows, then its error by iteration on the validation rows."""
    if args.no_peers or not installed("libmf"):
        if args.no_peers:
            report.say("LIBMF: left out of this run (--no-peers).")
        else:
            report.missing("LIBMF")
        return None
    common = {"threads": args.threads, "n_factors": args.factors}
    tried = []
    for lr, reg in LIBMF_SETTINGS:
        run = _libmf.run(folder, iterations=args.iterations, lr=lr, reg=reg, on="inner", **common)
        tried.append({"lr": lr, "reg": reg, "inner_rmse": min(run["rmse"])})
        report.say(f"LIBMF, lr {lr}, penalty {reg}: best RMSE on a tenth of the training rows {min(run['rmse']):.4f}")
    best = min(tried, key=lambda one: one["inner_rmse"])
    chosen = {"lr": best["lr"], "reg": best["reg"]}
    run = _libmf.run(folder, iterations=args.iterations, on="valid", **chosen, **common)
    alone = _libmf.run(folder, iterations=6, on="none", **chosen, **common)["seconds"]
    iteration = spread(after - before for before, after in zip(alone, alone[1:], strict=False))
    at = run["rmse"].index(min(run["rmse"]))
    found = {
        "build": _libmf.build(),
        "tried": tried,
        **chosen,
        "iteration_seconds": iteration,
        "best_rmse": run["rmse"][at],
        "best_iteration": at + 1,
        "seconds_to_best": run["seconds"][at],
        "seconds_to_best_without_validation": alone[0] + at * iteration["median"],
        "rmse": run["rmse"],
        "seconds": run["seconds"],
    }
    report.result("libmf", found)
    return found


def measure_reach(report: Report, folder: str, args, libmf: dict | None, made: dict) -> None:
    error = {"error": libmf["best_rmse"]} if libmf else {}
    found = ours("reach", folder, args, most_epochs=args.most_epochs, **error)
    report.result("vectable", found)
    rows = [
        {
            "": f"vectable, {run['epochs']} epochs",
            "validation RMSE": f"{run['rmse']:.4f}",
            "seconds": f"{run['seconds']:.1f}",
        }
        for run in found["runs"]
    ]
    if libmf:
        name = f"LIBMF, {libmf['best_iteration']} iterations"
        rows.append(
            {"": name, "validation RMSE": f"{libmf['best_rmse']:.4f}", "seconds": f"{libmf['seconds_to_best']:.1f}"}
        )
    rows += [
        {"": name, "validation RMSE": f"{rmse:.4f}", "seconds": ""} for name, rmse in found["baselines_rmse"].items()
    ]
    rows.append({"": "the planted score", "validation RMSE": f"{made['RMSE of the planted score']:.4f}", "seconds": ""})
    report.table(rows)
    if libmf:
        compare(report, args, found["runs"], libmf, made["training rows"])


def compare(report: Report, args, runs: list[dict], libmf: dict, n_rows: int) -> None:
    iteration = libmf["iteration_seconds"]["median"] / n_rows * 1e6
    epoch = report.found["results"][f"microseconds_threads_{args.threads}"]["median"]
    report.conclude(
        f"An iteration of LIBMF ({libmf['build']}) takes {iteration:.3f} microseconds a rating, an epoch of vectable "
        f"{epoch:.3f}: {'LIBMF' if iteration < epoch else 'vectable'} wins on time an iteration."
    )
    last, best = runs[-1], min(runs, key=lambda run: run["rmse"])
    if last["rmse"] <= libmf["best_rmse"]:
        winner = "vectable" if last["seconds"] < libmf["seconds_to_best"] else "LIBMF"
        report.conclude(
            f"LIBMF reaches its own best error, RMSE {libmf['best_rmse']:.4f}, in {libmf['seconds_to_best']:.1f} s "
            f"({libmf['best_iteration']} iterations with its validation; {libmf['seconds_to_best_without_validation']:.1f} s without); vectable reaches "
            f"{last['rmse']:.4f} in {last['seconds']:.1f} s ({last['epochs']} epochs with validation): {winner} wins on time to that error."
        )
    else:
        report.conclude(
            f"LIBMF's best error is {libmf['best_rmse']:.4f} after {libmf['seconds_to_best']:.1f} s; vectable does not reach it in "
            f"{last['epochs']} epochs (best {best['rmse']:.4f} in {best['seconds']:.1f} s): LIBMF wins on error here."
        )


if __name__ == "__main__":
    main()
