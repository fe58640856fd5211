"""Ids to codes on disk: memory and CPU time of encoding made-up ratings as lanes.

The ratings are written as Parquet files of a million rows into a temporary folder; encoding is a process of its own,
whose peak of resident memory (VmHWM) counts from after its imports.
"""

import tempfile
from pathlib import Path

from _common import Report, arguments, parse
from scale import child


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--rows", type=int, help="default 10,000,000; 200,000 with --quick")
    parser.add_argument("--users", type=int, help="default a tenth of the rows; a tenth as many items")
    parser.add_argument("--lanes", type=int, default=64)
    parser.add_argument("--texts", type=int, default=0, help="1 for ids that are texts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    args = parse(parser)
    args.rows = args.rows or (200_000 if args.quick else 10_000_000)
    args.users = args.users or args.rows // 10
    settings = {name: getattr(args, name) for name in ("rows", "users", "lanes", "texts", "seed")}
    report = Report("lanes", args, **settings)
    words = [f"--{name}={value}" for name, value in settings.items()]
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        child("_lanes_child.py", "make", folder, *words)
        found = child("_lanes_child.py", "encode", folder, *words)
    report.result("encode", found)
    report.table(
        [
            {
                "rows": f"{found['rows']:,}",
                "users": f"{found['users']:,}",
                "items": f"{found['items']:,}",
                "MB imported": f"{found['imported_bytes'] / 1e6:,.0f}",
                "peak MB": f"{found['peak_bytes'] / 1e6:,.0f}",
                "s": f"{found['seconds']:.1f}",
                "CPU s": f"{found['cpu_seconds']:.1f}",
                "bytes a row on disk": f"{found['disk_bytes'] / found['rows']:.1f}",
            }
        ]
    )
    report.target("GB resident at the peak", found["peak_bytes"] / 1e9, at_most=4)
    report.target("million rows a CPU second", found["rows"] / found["cpu_seconds"] / 1e6, at_least=1)
    report.finish()


if __name__ == "__main__":
    main()
