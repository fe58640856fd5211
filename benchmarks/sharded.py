"""Training in 1, 2 and 4 processes on one machine: errors, rows, bytes on the wire and CPU time, beside one process.

Made-up ratings are encoded as lanes; `torchrun` starts the processes on the loopback interface. "One process" is the
compiled engine with one thread on the same batches in the same order. The formula for the wire: a batch's different
items in a process, times 4 bytes for the number and twice the row (there its weights, back its gradient), times
(W - 1)/W.
"""

import tempfile

from _common import Report, arguments, parse
from _torchrun import torchrun
from scale import child

SIZES = {"rows": 2_900_000, "users": 200_000, "items": 20_000, "lanes": 64, "factors": 63, "batch": 32_768, "epochs": 1}
QUICK = {"rows": 60_000, "users": 3_000, "items": 500, "lanes": 8, "factors": 15, "batch": 2_048, "epochs": 1}


def main() -> None:
    parser = arguments(__doc__, data=False)
    for name in SIZES:
        parser.add_argument(f"--{name}", type=int, help=f"default {SIZES[name]:,}; {QUICK[name]:,} with --quick")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    args = parse(parser)
    sizes = {name: getattr(args, name) or (QUICK if args.quick else SIZES)[name] for name in SIZES}
    report = Report("sharded", args, **sizes)
    words = [f"--{name}={value}" for name, value in {**sizes, "seed": 1}.items()]
    with tempfile.TemporaryDirectory() as folder:
        child("_sharded_child.py", "make", folder, *words)
        one = child("_sharded_child.py", "one", folder, *words)
        report.result("one_process", one)
        runs = {}
        for size in args.processes:
            runs[size] = torchrun(size, "_sharded_child.py", "train", folder, *words)
            report.result(f"processes_{size}", runs[size])
    report.table(
        [
            {
                "processes": str(size),
                "rmse": f"{run['rmse']:.11f}",
                "users, items of one (most)": f"{run['most_users']:,}, {run['most_items']:,}",
                "bytes a rating": f"{run['bytes'] / run['ratings']:.1f}",
                "by the formula": f"{run['formula'] / run['ratings']:.1f}",
                "CPU us a rating, all": f"{run['cpu_seconds'] / run['ratings'] * 1e6:.2f}",
                "of one process": f"{run['cpu_seconds'] / one['cpu_seconds']:.2f}",
                "s": f"{run['seconds']:.1f}",
            }
            for size, run in runs.items()
        ]
    )
    first = runs[args.processes[0]]
    report.target(
        "largest difference of rmse", max(abs(run["rmse"] - first["rmse"]) for run in runs.values()), at_most=1e-8
    )
    report.target("difference of rmse from one process", abs(first["rmse"] - one["rmse"]), at_most=1e-5)
    for size, run in runs.items():
        report.target(f"items of one of {size}", run["most_items"], at_most=-(-run["items"] // size))
        report.target(f"CPU of {size} by one", run["cpu_seconds"] / one["cpu_seconds"], at_most=1.3)
        if size > 1:
            away = abs(run["bytes"] / run["formula"] - 1)
            report.target(f"share by which the bytes of {size} differ from the formula", away, at_most=0.05)
    report.finish()


if __name__ == "__main__":
    main()
