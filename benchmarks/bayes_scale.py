"""Draws from the posterior of 1, 10 and 20 million made-up ratings: time a draw, memory, and error.

The ratings are those of `scale.py`, a smaller table with fewer users and items in the same proportion; each measurement
is a process of its own. Their least possible error is printed with them. The few draws made here show what one costs;
the kept ones take at most half a gigabyte, whatever their number.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from _common import Report, arguments, parse

HERE = Path(__file__).parent
FULL_ROWS, FULL_USERS, FULL_ITEMS = 20_000_000, 138_000, 27_000
SIZES = (1_000_000, 10_000_000, 20_000_000)


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--sizes", type=int, nargs="*", help="ratings; default 1, 10 and 20 million")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--factors", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--history", action="store_true", help="with histories of both sides")
    args = parse(parser)
    sizes = args.sizes or ([200_000] if args.quick else SIZES)
    draws = min(args.draws, 5) if args.quick else args.draws
    report = Report("bayes_scale", args, sizes=list(sizes), draws=draws, factors=args.factors, threads=args.threads)
    table = []
    for rows in sizes:
        share = rows / FULL_ROWS
        shape = [f"--rows={rows}", f"--users={int(FULL_USERS * share)}", f"--items={int(FULL_ITEMS * share**0.5)}"]
        with tempfile.TemporaryDirectory() as folder:
            made = child("_synthetic.py", folder, *shape)
            options = [f"--draws={draws}", f"--factors={args.factors}", f"--threads={args.threads}"]
            found = child("_bayes_scale_child.py", folder, *options, *(["--history"] if args.history else []))
        report.result(f"{rows}", {"made": made, **found})
        table.append(
            {
                "ratings": f"{rows:,}",
                "users x items": f"{made['users']:,} x {made['items']:,}",
                "s a draw": f"{found['seconds_a_draw']:.2f}",
                "ns a rating and draw": f"{found['seconds_a_draw'] / rows * 1e9:.0f}",
                "peak, GB": f"{found['peak_mb'] / 1024:.2f}",
                f"RMSE after {draws} draws": f"{found['rmse']:.4f}",
                "least possible": f"{made['RMSE of the planted score']:.4f}",
            }
        )
    report.table(table)
    report.finish()


def child(script, folder, *options):
    done = subprocess.run([sys.executable, HERE / script, folder, *options], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{script} failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
